"""`normlaw analyse`: curves from MLflow or a file, laws out, logged back as runs of the same study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normlaw.analysis import (
    About,
    Analysis,
    NotFittedError,
    Options,
    command_line,
    of_response,
    write,
    write_unfitted,
)
from normlaw.analysis import analyse as fit_laws
from normlaw.analysis.choosing import choose
from normlaw.analysis.curves import restricted
from normlaw.analysis.figures.style import Use, checked_use
from normlaw.analysis.options import Fitters, for_curves, other_choices
from normlaw.archiving.container import is_container
from normlaw.base.html import Several, paragraph, together
from normlaw.machine.environment import plugin_versions
from normlaw.study.collapse_choice import Abscissa
from normlaw.study.names import path_part
from normlaw.study.study import Study
from normlaw.tracking.archive_origin import ArchiveOrigin, opened_archive
from normlaw.tracking.settings import label, shared_settings
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import unit_of
from normlaw.tracking.tidy import tidy
from normlaw.verbs._analysis_run import (
    Asked,
    fitted_run,
    layers_of,
    show_on_page,
    spectra_of,
    trained,
    unfitted_run,
    with_doubts,
)
from normlaw.verbs._collapse_run import Collapsed, collapsed
from normlaw.verbs._compared import Compared
from normlaw.verbs._compute import COMPUTE, with_compute
from normlaw.verbs._curves import given_curves
from normlaw.verbs._options import choices_of
from normlaw.verbs._report_links import links_of, where_written
from normlaw.verbs.against_theory import compare_with_theory
from normlaw.verbs.load_study import name_of
from normlaw.verbs.on_theory import compare_with_counterparts
from normlaw_registry import Catalogue, InputError, load_catalogue
from normlaw_registry.response import Quantity


@dataclass(frozen=True)
class Result:
    """The laws of one setting, where their files are, and their MLflow run."""

    setting: dict[str, str]
    """The fewest parameters that tell this group of runs from the study's others; empty for a sole group."""
    norm: str
    analysis: Analysis
    folder: Path
    run_id: str | None
    """None of a file's curves, which are not logged."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        about = [label(self.setting), f"norm {self.norm}"]
        shown = self.analysis._repr_html_()
        return together(
            paragraph(", ".join(filter(None, about))), shown, paragraph(where_written(self.folder, self.run_id))
        )


class Results(Several[Result]):
    """The laws of each setting.

    Attributes:
        against_theory: the comparison with exact curves, where the study has both.
        collapses: normalised curves of other sizes than train sizes against the noise floor of their seeds.

    """

    against_theory: Compared | None = None
    collapses: tuple[Collapsed, ...] = ()

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        compared = self.against_theory
        laws = super()._repr_html_() if self or not self.collapses else ""
        shown = (*self.collapses, *(() if compared is None else (compared,)))
        return together(laws, *(each._repr_html_() for each in shown))


def analyse(
    source: str | Study | Path,
    *,
    norm: str | None = None,
    reports: Path | str = Path("reports"),
    figures: Use = "page",
    tracking_uri: str | None = None,
    protocol: str | None = None,
    protocol_params: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
    response: Quantity | None = None,
    floor: float | None = None,
    from_norm: float | None = None,
    from_train_size: int | None = None,
    hold_out: int = 0,
    predict_at: Sequence[int] = (),
    compare_norms: bool = False,
    collapse: Abscissa | None = None,
    collapse_over: str | None = None,
    fitters: Fitters = (),
    offsets: bool = False,
    draws: int | None = None,
    bootstrap_seed: int | None = None,
    window: tuple[float | None, float | None] | None = None,
    first_index: int | None = None,
    gamma2_first_index: int | None = None,
) -> Results:
    """Fit the laws of every setting of a study and log each as a run of the study; `normlaw analyse`.

    Trained curves are set against exact ones where the study has both, see `against_theory`.

    Args:
        source: a study or its name; or the `Path` of a CSV or Parquet file of curves or of an archive, which
            needs no server and is not logged.
        norm: the measure to read the laws in; default: the study's own.
        reports: folder for tables and figures.
        figures: what they are for: "page", or "paper", which adds PDF and the width of a column.
        tracking_uri: MLflow server.
        protocol: how the laws are fitted, by name; default: the study's own, else what `normlaw plugins` marks.
        protocol_params: the protocol's parameters; those left out have their defaults.
        confidence: level of the confidence limits.
        response: what falls with the norm: "test_error" or "test_loss"; default: the study's, else the error,
            of a regression the loss.
        floor: what the response is known to be at least; the laws of its excess are fitted.
        from_norm: norms below are left out.
        from_train_size: train sizes below are left out.
        hold_out: how many of the largest train sizes the laws of the endpoint are scored on.
        predict_at: train sizes at which every law of the endpoint predicts the least error.
        compare_norms: whether to say in which norm, or in which other clock, the curves lie on one envelope.
        collapse: compare normalised curves with the noise floor of their seeds on "compute", "steps", "norm"
            (over
            the optimal norm) or "departure" (over the departure norm); default: as the study says.
        collapse_over: the parameter that holds the sizes of that comparison, as MLflow lists it, such as
            "architecture.hidden"; default: the study's, else train_size. With another one no laws are fitted.
        fitters: fitters that fit their laws too: names, `NAME:KEY=VALUE,...`, or names with parameters.
        offsets: parameter of the protocol, as are those below: fit q1 and q2 too, and compare with none.
        draws: how many draws the bootstrap makes.
        bootstrap_seed: seed of the bootstrap.
        window: limits of lambda/lambda_opt in the early fit; None leaves a side open.
        first_index: the early law is fitted from this train size on, counted from 0.
        gamma2_first_index: the law of the optimal norm likewise.

    Raises:
        InputError: no such study, no finished runs, a choice that makes no sense, or too few runs for the laws
            of some setting: the curves of these are written and logged, and the other settings' laws are
            fitted. A setting of one train size that was set against the theory of its runs is no error.

    """
    options = choices_of(locals())
    results = Results()
    for found in analysed(
        source,
        norm=norm,
        options=options,
        reports=Path(reports),
        figures=figures,
        tracking_uri=tracking_uri,
    ):
        if isinstance(found, Compared):
            results.against_theory = found
        elif isinstance(found, Collapsed):
            results.collapses += (found,)
        else:
            results.append(found)
    return results


def analysed(
    source: str | Study | Path,
    *,
    options: Options,
    norm: str | None = None,
    reports: Path = Path("reports"),
    figures: Use = "page",
    tracking_uri: str | None = None,
    catalogue: Catalogue | None = None,
) -> Iterator[Result | Compared | Collapsed]:
    """Yield each result of `analyse` as soon as it is there; then the comparison with theory, if there is one.

    Arguments and errors are those of `analyse`; errors of settings come last.
    """
    figures = checked_use(figures)  # at once: settings take their time
    catalogue = catalogue or load_catalogue()
    if isinstance(source, Path) and is_container(source):
        with opened_archive(source) as archived:
            asked_for = ["--curves", str(source)]
            yield from _of_store(archived, asked_for, options, norm, reports, figures, catalogue)
    elif isinstance(source, Path):
        yield _of_file(source, norm, options, reports, figures, catalogue)
    else:
        store = StudyStore.open(name_of(source), tracking_uri, "add")
        store.keep_runs()  # the laws, their theories and what those are set against are of the same runs
        file = source.source.name if isinstance(source, Study) and source.source.name != source.name else ""
        yield from _of_store(store, [store.name], options, norm, reports, figures, catalogue, file)


def _of_store(
    store: StudyStore | ArchiveOrigin,
    source: list[str],
    options: Options,
    norm: str | None,
    reports: Path,
    figures: Use,
    catalogue: Catalogue,
    file: str = "",
) -> Iterator[Result | Compared | Collapsed]:
    norm = norm or store.norm
    given = options.within(store.choices, norm == store.norm)
    own = Options().within(store.choices, norm == store.norm)
    if given.sizes_elsewhere:
        yield from collapsed(store, source, given, norm, reports, figures, catalogue, file)
        return
    protocol, plugins = choose(given, catalogue), plugin_versions(catalogue)
    results: list[Result] = []
    missing: dict[str, tuple[NotFittedError, Path]] = {}
    told: list[str] = []
    for setting, members in store.groups(norm):
        whole = store.curves(members)
        if given.collapse == COMPUTE:
            whole = with_compute(whole, store, members, catalogue)
        curves, chosen = tidy(whole, norm)
        options = for_curves(given, curves)
        which = label(setting)
        told.append(which)
        folder = reports / path_part(store.name)
        folder = folder / path_part(which) if which else folder
        about = About(
            title=f"Laws of {store.name}{': ' + which if which else ''}{of_response(options)}",
            norm=chosen,
            settings=setting | shared_settings(members),
            command=command_line(source, chosen, options),
            links=links_of(store, members, file),
            layers=layers_of(store, members, chosen),
            spectra=spectra_of(store, members),
        )
        name = (f"laws {which}" if which else f"laws of {store.name}") + of_response(options)
        other_norm = "" if chosen == store.norm else chosen
        name += other_choices(other_norm, options, own, by_default=protocol.protocol.by_default)
        asked = Asked(name, which, setting, about, protocol, options, plugins)
        try:
            kept = restricted(whole, options, chosen)
            analysis = fit_laws(curves, catalogue, options, kept, unit_of(members))
        except NotFittedError as found:
            beside = write_unfitted(found, folder, about, figures)
            missing[which] = found, beside
            store.log_analysis(unfitted_run(asked, found, beside))
            continue
        analysis = with_doubts(analysis, members, chosen)
        write(analysis, folder, about, figures)
        if chosen == store.norm and options.plain and isinstance(store, StudyStore):
            store.show_optima(trained(members), analysis.curves)
        run_id = store.log_analysis(fitted_run(asked, analysis, folder))
        results.append(Result(setting, chosen, analysis, folder, run_id))
        yield results[-1]
    if results:
        if isinstance(store, StudyStore):
            show_on_page(store, [(label(r.setting), r.norm, r.analysis, str(r.run_id)) for r in results])
        if (compared := compare_with_theory(store, reports)) is not None:
            yield compared
    fitted: dict[str, Analysis | None] = dict.fromkeys(told)
    fitted |= {label(result.setting): result.analysis for result in results}
    answered: set[str] = set()
    for compared in compare_with_counterparts(store, reports, fitted, options, catalogue):
        answered |= compared.settings
        yield compared
    require_all(missing, answered, store.name)


def require_all(missing: Mapping[str, tuple[NotFittedError, Path]], answered: set[str], study: str) -> None:
    """Raise InputError for settings without laws, but not for curves of one size that a theory answers.

    Args:
        missing: label of a setting -> why it has no laws, and the folder of its curves.
        answered: labels of the settings whose runs were set against their theory.
        study: what a study's only setting is called.

    """
    told = [
        f"{which or study}: {found.told(folder)}"
        for which, (found, folder) in missing.items()
        if which not in answered or found.points["train_size"].nunique() > 1
    ]
    if told:
        raise InputError("\n".join(told))


def _of_file(
    path: Path, norm: str | None, options: Options, reports: Path, figures: Use, catalogue: Catalogue
) -> Result:
    if options.sizes_elsewhere:
        raise InputError(
            f"{path}: the curves of a file are of train sizes; for sizes in {options.collapse_over!r} give "
            "`normlaw.collapse` a frame in Python"
        )
    given = given_curves(path, norm, options)
    folder = reports / path.stem
    about = About(
        title=f"Laws of {path.name}{of_response(options)}",
        norm=given.norm,
        command=command_line(["--curves", str(path)], given.norm, options),
    )
    try:
        analysis = fit_laws(given.points, catalogue, options, given.whole, given.unit)
    except NotFittedError as found:
        beside = write_unfitted(found, folder, about, figures)
        raise InputError(f"{path}: {found.told(beside)}") from found
    write(analysis, folder, about, figures)
    return Result({}, given.norm, analysis, folder, None)
