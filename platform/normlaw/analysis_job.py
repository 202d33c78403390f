"""The analysis as a job: curves from MLflow, laws out, logged back as a run of the same experiment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from normlaw.analysis import About, Analysis, Options, analyse, command_line, write
from normlaw.analysis.figures.layer_norms import layer_norms
from normlaw.tracking import keys
from normlaw.tracking.analysis_log import log_analysis
from normlaw.tracking.client import connect
from normlaw.tracking.reader import find_experiment, read_curves, read_layers, search_runs
from normlaw_registry import Catalogue, InputError
from normlaw_registry.errors import suggestion

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

SHARED_BY_A_LAW = ("train_size", "seed", "alpha", "source")
"""What may differ between the curves of one law; runs that differ in anything else are fitted apart. (`alpha`
is the load of a theory's curve, `source` the file of an imported one.)"""


OPTIMA = "mean_log_optimal_norm"
"""Optional column of imported curves, for the protocol `released`."""


@dataclass(frozen=True)
class Result:
    """One law fitted, where its files are, and its MLflow run."""

    setting: dict[str, str]
    """The parameters in which this group of runs differs from the study's others; empty for a sole group."""
    norm: str
    analysis: Analysis
    folder: Path
    run_id: str


def analyse_study(
    study: str,
    catalogue: Catalogue,
    *,
    norm: str | None = None,
    options: Options | None = None,
    tracking_uri: str | None = None,
    reports: Path = Path("reports"),
) -> Iterator[Result]:
    """Fit the laws of every setting of a study and log each as a run of kind `analysis`.

    Needs nothing but the tracking server: neither the study's file nor the folder where it ran.

    Args:
        study: name of the study, which is its experiment's.
        catalogue: where the fitters are found.
        norm: the measure to read the laws in; by default the one that the study names.
        options: choices of the analysis.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        reports: folder in which the study's results are written too.

    Raises:
        InputError: no server, no such study, no finished runs, or too few of them for the laws.

    """
    client = connect(tracking_uri)
    experiment = find_experiment(client, study)
    norm = norm or experiment.tags.get(keys.NORM)
    measured = [run for kind in ("training", "imported") for run in search_runs(client, experiment, kind)]
    groups = by_setting(finished(measured))
    for setting, members in by_setting(finished(search_runs(client, experiment, "theory"))):
        groups.append(({"theory": members[0].data.params["theory"], **setting}, members))
    if not groups:
        raise InputError(f"study {study!r} has no finished runs yet: `normlaw run {study}` trains them")
    for setting, members in groups:
        curves, chosen = tidy(read_curves(client, members), norm)
        analysis = analyse(curves, catalogue, options)
        label = " ".join(f"{key}={value}" for key, value in setting.items())
        folder = reports / study / label.replace("/", "_") if label else reports / study
        about = About(
            title=f"Laws of {study}{': ' + label if label else ''}",
            norm=chosen,
            settings=setting | shared_settings(members),
            command=command_line([study], chosen, analysis.options),
        )
        write(analysis, folder, about)
        _draw_layers(client, members, chosen, folder)
        numbers = analysis.to_dict()
        run_id = log_analysis(
            client,
            experiment,
            name=f"laws of {study} {label}".strip(),
            metrics={k: v for k, v in numbers.items() if isinstance(v, float)},
            params={
                "norm": chosen,
                "protocol": analysis.protocol,
                "warnings": ", ".join(sorted({w.code for w in analysis.warnings})) or "none",
                **setting,
            },
            folder=folder,
        )
        yield Result(setting, chosen, analysis, folder, run_id)


def _draw_layers(client: MlflowClient, runs: list[Run], norm: str, folder: Path) -> None:
    """Draw the layers' norms of one run, the first of the largest train_size, if the measure tells them."""
    trained = [run for run in runs if run.data.tags[keys.KIND] == "training"]
    if not trained:
        return
    largest = max(trained, key=lambda run: int(run.data.params["train_size"]))
    rows = [row for row in read_layers(client, largest) if row["measure"] == norm]
    if rows:
        figure = layer_norms(rows, norm)
        for form in ("png", "svg"):
            figure.savefig(folder / "figures" / f"layer_norms.{form}", dpi=150)
        pd.DataFrame(rows).to_csv(folder / "tables" / "layer_norms.csv", index=False)


def finished(runs: Iterable[Run]) -> list[Run]:
    """Return the finished run of each specification; of several, the first."""
    kept: dict[str, Run] = {}
    for run in runs:
        if run.info.status == "FINISHED":
            kept.setdefault(run.data.tags[keys.SPEC_HASH], run)
    return list(kept.values())


def by_setting(runs: list[Run]) -> list[tuple[dict[str, str], list[Run]]]:
    """Part the runs into groups that differ in nothing but train_size and seed, in order of appearance."""
    names = {name for run in runs for name in run.data.params} - set(SHARED_BY_A_LAW)
    varied = sorted(name for name in names if len({run.data.params.get(name) for run in runs}) > 1)
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        key = tuple(run.data.params.get(name, "") for name in varied)
        groups.setdefault(key, []).append(run)
    return [(dict(zip(varied, key, strict=True)), members) for key, members in groups.items()]


def shared_settings(runs: list[Run]) -> dict[str, str]:
    """Return the parameters that all runs have in common, by name."""
    first = runs[0].data.params
    return {
        name: value
        for name, value in sorted(first.items())
        if all(run.data.params.get(name) == value for run in runs)
    }


def tidy(curves: pd.DataFrame, norm: str | None) -> tuple[pd.DataFrame, str]:
    """Return the columns that the analysis takes, and the name of the measure that `log_norm` holds.

    Raises:
        InputError: the measure was not taken; names those that were.

    """
    prefix = keys.log_norm("")
    measured = [c.removeprefix(prefix) for c in map(str, curves.columns) if c.startswith(prefix)]
    chosen = norm or measured[0]
    if chosen not in measured:
        raise InputError(f"norm {chosen!r} was not measured in this study: {suggestion(chosen, measured)}")
    columns = {"run": "run", "train_size": "train_size", "seed": "seed", "step": "step"}
    columns |= {keys.log_norm(chosen): "log_norm", "test/error": "test_error"}
    if OPTIMA in curves.columns:
        columns[OPTIMA] = OPTIMA
    if "validation/error" in curves:
        columns["validation/error"] = "validation_error"
    measured_points = curves[list(columns)].dropna(subset=keys.log_norm(chosen))  # a norm may begin later
    return measured_points.rename(columns=columns), chosen
