"""How an analysis is shown at MLflow: its run with numbers, parameters and note, and the study's own page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.analysis import About, Analysis, NotFittedError, Options, exponents_table, settings_table
from normlaw.analysis.choosing import Chosen
from normlaw.analysis.figures.captions import caption
from normlaw.tracking import keys
from normlaw.tracking.analysis_log import LoggedAnalysis
from normlaw.tracking.archive_origin import ArchiveOrigin
from normlaw.tracking.note import as_note, image
from normlaw.tracking.sizes import sizes
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import StudyRun, fingerprints, inexact
from normlaw.tracking.superseded import MORE_CHOICES
from normlaw_registry import AnalysisWarning
from normlaw_registry.host.vectors import measure_of

if TYPE_CHECKING:
    import pandas as pd

FIGURES = (
    *("error_against_norm", "departure", "collapse", "local_exponent", "endpoint_law", "joint_region"),
    "scaling_collapse",
)
"""Figures that MLflow's pages show beside the numbers, where the protocol gives what they need; the first one
also in the experiment's note."""

INEXACT = {"estimate": "estimates without a bound", "upper_bound": "upper bounds"}
"""What a norm is whose value is not exact, for readers."""


@dataclass(frozen=True)
class Asked:
    """What an analysis of one setting was asked to do."""

    name: str
    """Of its run."""
    setting: str
    """Label of the setting; empty for a sole one."""
    apart: Mapping[str, str]
    """The setting: what tells its runs from the study's others."""
    about: About
    chosen: Chosen
    """The protocol, with its parameters."""
    options: Options
    plugins: Mapping[str, str]
    """Version of each distribution that components came from."""

    def params(self) -> dict[str, str]:
        """Return the parameters of the run: what the curves have in common, and the choices."""
        params = self.chosen.params.model_dump(mode="json")
        return {
            **self.about.settings,
            "norm": self.about.norm,
            "protocol": self.chosen.protocol.name,
            "response": self.options.measured.quantity,
            "floor": f"{self.options.measured.floor:g}",
            **self._further(),
            **{f"protocol.{key}": json.dumps(value) for key, value in params.items()},
        }

    def _further(self) -> dict[str, str]:
        """Return the choices that are not at their defaults, beside those that every analysis lists."""
        chosen = {name: getattr(self.options, name) for name in MORE_CHOICES}
        defaults = Options()
        return {name: str(value) for name, value in chosen.items() if value != getattr(defaults, name)}


def fitted_run(asked: Asked, analysis: Analysis, folder: Path) -> LoggedAnalysis:
    """Return the run of laws that were fitted; `folder` holds its files."""
    found = {
        "verdict": analysis.findings.verdict or "none",
        "warnings": ", ".join(sorted(_codes_of(analysis))) or "none",
    }
    return LoggedAnalysis(
        name=asked.name,
        setting=asked.setting or keys.WHOLE_STUDY,
        metrics={**sizes(asked.apart, asked.apart), **analysis.numbers(), **_explained(analysis)},
        params={**asked.params(), **found},
        folder=folder,
        note=[
            f"Laws of the {analysis.response.described} in the norm `{asked.about.norm}`.",
            "",
            *exponents_table(analysis),
        ],
        figures={name: caption(name, analysis) for name in FIGURES if _is_drawn(folder, name)},
        plugins=asked.plugins,
        command=asked.about.command,
    )


def unfitted_run(asked: Asked, found: NotFittedError, folder: Path) -> LoggedAnalysis:
    """Return the run of curves that no law could be fitted to; `folder` holds its files.

    It has no setting: what was fitted before is the study's latest analysis still.
    """
    return LoggedAnalysis(
        name=f"{asked.name}{keys.NOT_FITTED}",
        metrics={},
        params={**asked.params(), "verdict": "none", "warnings": "not_fitted", "missing": str(found)},
        folder=folder,
        note=["**No law was fitted.**", "", as_note(str(found))],
        figures={FIGURES[0]: ""},
        plugins=asked.plugins,
        command=asked.about.command,
    )


def with_doubts(analysis: Analysis, runs: Sequence[StudyRun], norm: str) -> Analysis:
    """Return an analysis that warns where the norm's values are bounds or estimates, or the runs' data differ.

    Its codes are `norm_not_exact` and `data_differ`.
    """
    warnings: list[AnalysisWarning] = []
    if found := inexact(runs, norm):
        parts = [f"{INEXACT.get(what, what)} in {count}" for what, count in sorted(found.items())]
        told = f"values of {norm} are {' and '.join(parts)} of {len(runs)} runs: `run.json` has the steps"
        warnings.append(AnalysisWarning(code="norm_not_exact", message=told))
    if len(read := fingerprints(runs)) > 1:
        parts = [f"{what} in {count}" for what, count in read.items()]
        told = f"files that the data were read from have changed between runs: {'; '.join(parts)}"
        warnings.append(AnalysisWarning(code="data_differ", message=told))
    return replace(analysis, warnings=(*analysis.warnings, *warnings)) if warnings else analysis


def show_on_page(store: StudyStore, found: Sequence[tuple[str, str, Analysis, str]]) -> None:
    """Put the laws of all settings on the study's page: a table, and a figure each.

    Args:
        store: the study's.
        found: of each setting its label, its norm, its analysis and the id of that one's run.

    """
    if len(found) == 1:
        table = exponents_table(found[0][2])
    else:
        table = settings_table({as_note(which): analysis for which, _, analysis, _ in found})
    norms = ", ".join(f"`{norm}`" for norm in dict.fromkeys(norm for _, norm, _, _ in found))
    parts = [
        (f"**{as_note(which)}**\n\n" if which else "") + image(run_id, f"figures/{FIGURES[0]}.svg")
        for which, _, _, run_id in found
    ]
    store.show_laws([f"In the norm {norms}:", "", *table], parts)


def layers_of(store: StudyStore | ArchiveOrigin, runs: Sequence[StudyRun], norm: str) -> list[dict[str, Any]]:
    """Return the layers' norms of one run, the first of the largest train_size, if the measure tells them."""
    if not trained(runs):
        return []
    return [row for row in store.layers(_largest(runs)) if row["measure"] == measure_of(norm)]


def spectra_of(store: StudyStore | ArchiveOrigin, runs: Sequence[StudyRun]) -> dict[str, pd.DataFrame]:
    """Return the singular values of that run, by the measure that has some."""
    if not trained(runs):
        return {}
    return {str(measure): table for measure, table in store.spectra(_largest(runs)).groupby("measure")}


def _largest(runs: Sequence[StudyRun]) -> StudyRun:
    return max(trained(runs), key=lambda run: run.train_size)


def trained(runs: Iterable[StudyRun]) -> list[StudyRun]:
    """Return the runs that were trained here, not imported or computed."""
    return [run for run in runs if run.kind == "training"]


def _codes_of(analysis: Analysis) -> set[str]:
    """Return the codes of warnings, and of the reasons why the laws fail or cannot be judged."""
    against = () if analysis.findings.verdict == "hold" else analysis.findings.reasons
    return {warning.code for warning in (*analysis.warnings, *against)}


def _explained(analysis: Analysis) -> dict[str, float]:
    """Return metrics `explained/<abscissa>` where abscissas were compared."""
    table = analysis.added_tables.get("abscissas")
    if table is None:
        return {}
    pairs = zip(table["abscissa"], table["explained"], strict=True)
    return {f"explained/{name}": float(share) for name, share in pairs}


def _is_drawn(folder: Path, figure: str) -> bool:
    return (folder / "figures" / f"{figure}.svg").is_file()
