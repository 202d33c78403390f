"""`normlaw cause`: which variable does the error follow in a study's arms?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from normlaw.analysis import About, Options, command_line, of_response
from normlaw.analysis.cause import Cause, Change, find_cause, write_cause
from normlaw.analysis.figures.captions import cause_caption
from normlaw.analysis.figures.style import Use, checked_use
from normlaw.analysis.options import for_curves
from normlaw.archiving.container import is_container
from normlaw.base.html import Several, paragraph, together
from normlaw.machine.environment import plugin_versions
from normlaw.study.intervention import FREE
from normlaw.study.names import path_part
from normlaw.study.study import Study
from normlaw.tracking.analysis_log import LoggedAnalysis
from normlaw.tracking.archive_origin import ArchiveOrigin, opened_archive
from normlaw.tracking.arms import arm_of, arm_settings, interventions_of, with_arms
from normlaw.tracking.note import as_note
from normlaw.tracking.settings import label, shared_settings
from normlaw.tracking.store import StudyStore
from normlaw.tracking.tidy import RESPONSES
from normlaw.verbs._report_links import links_of, where_written
from normlaw.verbs.load_study import name_of
from normlaw_registry import InputError, load_catalogue
from normlaw_registry.response import Quantity

FIGURES = ("cause_curves", "cause_shares", "cause_doses")


@dataclass(frozen=True)
class Caused:
    """What is found of the arms of one setting, where its files are, and its MLflow run."""

    setting: dict[str, str]
    """The fewest parameters that tell these trunks from the study's others; empty for a sole group."""
    found: Cause
    folder: Path
    run_id: str | None
    """None of an archive's curves, which are not logged."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return together(
            paragraph(label(self.setting)),
            self.found._repr_html_(),
            paragraph(where_written(self.folder, self.run_id)),
        )


def cause(
    source: str | Study | Path,
    *,
    norm: str | None = None,
    reports: Path | str = Path("reports"),
    figures: Use = "page",
    tracking_uri: str | None = None,
    confidence: float = 0.95,
    response: Quantity | None = None,
    floor: float | None = None,
) -> Several[Caused]:
    """Say which variable the error follows in a study's arms, setting by setting; `normlaw cause`.

    Args:
        source: a study with arms or its name; or the `Path` of an archive of one, which needs no server and is
            not logged.
        norm: the measure that is the norm; default: the study's own.
        reports: folder for tables and figures, under STUDY/cause.
        figures: what they are for: "page", or "paper", which adds PDF and the width of a column.
        tracking_uri: MLflow server.
        confidence: level of the confidence limits.
        response: what falls: "test_error" or "test_loss"; default: the study's, else the error.
        floor: what the response is known to be at least.

    Raises:
        InputError: no such study, it has no arms, or the arms of some setting hold too little; these come last.

    """
    options = Options(confidence=confidence, response=response, floor=floor)
    return Several(
        caused(
            source,
            options=options,
            norm=norm,
            reports=Path(reports),
            figures=figures,
            tracking_uri=tracking_uri,
        )
    )


def caused(
    source: str | Study | Path,
    *,
    options: Options,
    norm: str | None = None,
    reports: Path = Path("reports"),
    figures: Use = "page",
    tracking_uri: str | None = None,
) -> Iterator[Caused]:
    """Yield each result of `cause` as soon as it is there; arguments and errors are those of `cause`."""
    figures = checked_use(figures)
    if not isinstance(source, Path):
        store = StudyStore.open(name_of(source), tracking_uri, "add")
        yield from _of_store(store, [store.name], options, norm, reports, figures)
    elif is_container(source):
        with opened_archive(source) as archived:
            yield from _of_store(archived, ["--curves", str(source)], options, norm, reports, figures)
    else:
        raise InputError(
            f"{source}: a file of curves does not say which arm a run is; take a study, or an archive of one "
            "(`normlaw archive STUDY`)"
        )


def _of_store(
    store: StudyStore | ArchiveOrigin,
    source: list[str],
    options: Options,
    norm: str | None,
    reports: Path,
    figures: Use,
) -> Iterator[Caused]:
    asked = options.within(store.choices, norm in (None, store.norm))
    norm = norm or store.norm
    runs = store.finished("training", norm=norm)
    if norm is None or not any(arm_of(run) != FREE for run in runs):
        raise InputError(
            f"study {store.name!r} has no finished arms: causes are told from clocks in a study with `arms` "
            f"and `fork`, such as cause_digits; {store.name!r} has {len(runs)} finished runs without them"
        )
    missing: list[str] = []
    plugins = plugin_versions(load_catalogue())
    for setting, members in arm_settings(runs):
        which = label(setting)
        curves = with_arms(store.curves(members), members)
        measured = curves.rename(columns=RESPONSES)
        chosen = for_curves(asked, measured)
        try:
            found = find_cause(
                curves,
                norm,
                {arm: Change.of(given) for arm, given in interventions_of(members).items()},
                response=chosen.measured,
                confidence=chosen.confidence,
            )
        except InputError as error:
            missing.append(f"{which or store.name}: {error}")
            continue
        folder = reports / path_part(store.name) / "cause"
        folder = folder / path_part(which) if which else folder
        own = Options(confidence=chosen.confidence, response=chosen.response, floor=chosen.floor)
        about = About(
            title=f"Cause or clock: {store.name}{': ' + which if which else ''}{of_response(chosen)}",
            norm=norm,
            settings=setting | shared_settings(members),
            command=command_line(source, norm, own, "cause"),
            links=links_of(store, members),
        )
        write_cause(found, folder, about, figures)
        yield Caused(setting, found, folder, store.log_analysis(_logged(found, about, folder, plugins)))
    if missing:
        raise InputError("\n".join(missing))


def _logged(found: Cause, about: About, folder: Path, plugins: dict[str, str]) -> LoggedAnalysis:
    """Return the run at MLflow; it has no setting, as no laws were fitted."""
    return LoggedAnalysis(
        name=f"{about.title[0].lower()}{about.title[1:]} in {found.norm}",
        metrics=found.metrics(),
        params={
            **about.settings,
            "norm": found.norm,
            "response": found.response.quantity,
            "floor": f"{found.response.floor:g}",
            **({"confidence": str(found.confidence)} if found.confidence != Options().confidence else {}),
            "verdict": found.verdict,
            "named": ", ".join(found.named) or "none",
            "warnings": ", ".join(sorted({w.code for w in found.warnings})) or "none",
        },
        folder=folder,
        note=[as_note(found.verdict_text) + ".", "", "```", *found.summary().splitlines(), "```"],
        figures={name: cause_caption(name, found) for name in FIGURES},
        plugins=plugins,
        command=about.command,
    )
