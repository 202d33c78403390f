"""The collapse of a study's curves of other sizes than train sizes: its folder, and its run at MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from normlaw.analysis import About, Options, command_line, of_response
from normlaw.analysis.figures.captions import collapse_caption
from normlaw.analysis.figures.style import Use
from normlaw.analysis.options import for_curves
from normlaw.analysis.scaling_collapse import ScalingCollapse, scaling_collapse
from normlaw.analysis.scaling_collapse.writing import write_collapse
from normlaw.base.html import paragraph, together
from normlaw.machine.environment import plugin_versions
from normlaw.study.collapse_choice import LOGARITHMIC
from normlaw.study.names import path_part
from normlaw.tracking.analysis_log import LoggedAnalysis
from normlaw.tracking.archive_origin import ArchiveOrigin
from normlaw.tracking.ladders import ladders, with_sizes
from normlaw.tracking.note import as_note
from normlaw.tracking.settings import label, shared_settings
from normlaw.tracking.store import StudyStore
from normlaw.tracking.tidy import RESPONSES
from normlaw.verbs._compute import COMPUTE, with_compute
from normlaw.verbs._report_links import links_of, where_written
from normlaw_registry import Catalogue, InputError

FIGURES = ("scaling_collapse", "collapse_floors")


@dataclass(frozen=True)
class Collapsed:
    """A collapse, where its files are, and its MLflow run; None of an archive's curves."""

    setting: dict[str, str]
    """The fewest parameters that tell this ladder of sizes from the study's others; empty for a sole one."""
    found: ScalingCollapse
    folder: Path
    run_id: str | None

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return together(self.found._repr_html_(), paragraph(where_written(self.folder, self.run_id)))


def collapsed(
    store: StudyStore | ArchiveOrigin,
    source: list[str],
    asked: Options,
    norm: str | None,
    reports: Path,
    figures: Use,
    catalogue: Catalogue,
    file: str = "",
) -> Iterator[Collapsed]:
    """Yield the collapse of each ladder of sizes as soon as it is there.

    Args:
        store: the study's.
        source: the words of a command that name it.
        asked: with a collapse, and what holds its sizes.
        norm: the measure, on an abscissa that is a norm.
        reports: folder for tables and figures.
        figures: what they are for.
        catalogue: where networks and data sets are found.
        file: the study's, where it is known.

    Raises:
        InputError: no finished runs, no such parameter, or the collapse of some ladder cannot be said; these
            come last.

    """
    assert asked.collapse is not None
    over = asked.collapse_over or ""
    runs = store.finished("training", "imported", norm=norm)
    if not runs:
        raise InputError(
            f"study {store.name!r} has no finished runs yet: `normlaw run {store.name}` trains them"
        )
    missing: list[str] = []
    for setting, members in ladders(runs, over):
        which = label(setting)
        curves = store.curves(members)
        measured = curves.rename(columns=RESPONSES)
        options = for_curves(asked, measured)
        curves = with_sizes(curves, members, over)
        if asked.collapse == COMPUTE:
            curves = with_compute(curves, store, members, catalogue)
        try:
            found = scaling_collapse(
                curves,
                asked.collapse,
                over=over,
                norm=norm,
                response=options.measured,
                confidence=options.confidence,
            )
        except InputError as error:
            missing.append(f"{which or store.name}: {error}")
            continue
        folder = reports / path_part(store.name) / "collapse"
        folder = folder / path_part(which) if which else folder
        shared = shared_settings(members)
        of = f"{store.name}{': ' + which if which else ''}{of_response(options)}"
        about = About(
            title=f"Collapse of {of}",
            settings=setting | shared,
            command=command_line(source, norm or "", options),
            links=links_of(store, members, file),
        )
        write_collapse(found, curves, folder, about, figures)
        logged = _logged(found, options, about, folder, norm, plugin_versions(catalogue))
        yield Collapsed(setting, found, folder, store.log_analysis(logged))
    if missing:
        raise InputError("\n".join(missing))


def _logged(
    found: ScalingCollapse,
    options: Options,
    about: About,
    folder: Path,
    norm: str | None,
    plugins: dict[str, str],
) -> LoggedAnalysis:
    """Return the run at MLflow; it has no setting, as no laws were fitted."""
    told = found.summary().splitlines()
    return LoggedAnalysis(
        name=f"{about.title[0].lower()}{about.title[1:]} on {found.abscissa}",
        metrics={**found.metrics(), "runs": float(found.sizes["runs"].sum())},
        params={
            **about.settings,
            **({"norm": norm or ""} if options.collapse in LOGARITHMIC else {}),
            "collapse": found.abscissa,
            "collapse_over": found.over,
            "response": found.response.quantity,
            "floor": f"{found.response.floor:g} ({found.floor_source})",
            "verdict": found.verdict,
            "warnings": ", ".join(sorted({w.code for w in found.warnings})) or "none",
        },
        folder=folder,
        note=[as_note(found.verdict_text) + ".", "", "```", *told, "```"],
        figures={name: collapse_caption(name, found) for name in FIGURES},
        plugins=plugins,
        command=about.command,
    )
