"""The analysis as a job: curves from MLflow, laws out, logged back as a run of the same experiment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from normlaw.analysis import (
    About,
    Analysis,
    NotFittedError,
    Options,
    analyse,
    command_line,
    exponents_table,
    of_response,
    settings_table,
    write,
    write_unfitted,
)
from normlaw.analysis.choosing import choose
from normlaw.analysis.curves import restricted
from normlaw.analysis.figures.captions import caption
from normlaw.analysis.figures.layer_norms import layer_norms
from normlaw.analysis.figures.style import Use, checked_use
from normlaw.analysis.writing import write_figures
from normlaw.machine.environment import plugin_versions
from normlaw.study.names import path_part
from normlaw.tracking import keys
from normlaw.tracking.analysis_log import log_analysis
from normlaw.tracking.client import connect
from normlaw.tracking.note import as_note, image, show_laws
from normlaw.tracking.optimum import show_optima
from normlaw.tracking.reader import find_experiment, read_curves, read_layers, search_runs
from normlaw.tracking.same import finished
from normlaw.tracking.settings import by_setting, label, shared_settings
from normlaw_registry import Catalogue, InputError
from normlaw_registry.errors import suggestion

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

FIGURES = ("error_against_norm", "departure", "collapse", "local_exponent", "endpoint_law", "joint_region")
"""Figures that MLflow's pages show beside the numbers, where the protocol gives what they need; the first one
also in the experiment's note."""

OPTIMA = "mean_log_optimal_norm"
"""Optional column of imported curves: what is known of the optimal norms, for a protocol that reads it."""


@dataclass(frozen=True)
class Result:
    """One law fitted, where its files are, and its MLflow run."""

    setting: dict[str, str]
    """The fewest parameters that tell this group of runs from the study's others; empty for a sole group."""
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
    figures: Use = "page",
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
        figures: what they are for, see `normlaw.analysis.write`.

    Raises:
        InputError: no server, no such study, no finished runs, figures for something else, or too few runs for
            the laws. Settings with too few come last: their curves are written, and the other settings' laws
            are fitted.

    """
    figures = checked_use(figures)  # at once: settings take their time
    client = connect(tracking_uri, "add")
    experiment = find_experiment(client, study)
    own_norm = experiment.tags.get(keys.NORM)
    norm = norm or own_norm
    options = (options or Options()).within(keys.read_analysis_tag(experiment.tags), norm == own_norm)
    choice = choose(options, catalogue)
    groups = groups_of_runs(client, experiment, norm)
    results: list[Result] = []
    missing: list[str] = []
    for setting, members in groups:
        whole = read_curves(client, members)
        curves, chosen = tidy(whole, norm)
        which = label(setting)
        folder = reports / path_part(study) / path_part(which) if which else reports / path_part(study)
        settings = setting | shared_settings(members)
        about = About(
            title=f"Laws of {study}{': ' + which if which else ''}{of_response(options)}",
            norm=chosen,
            settings=settings,
            command=command_line([study], chosen, options),
        )
        name = (f"laws {which}" if which else f"laws of {study}") + of_response(options)
        asked = {
            **settings,
            "norm": chosen,
            "protocol": choice.protocol.name,
            "response": options.measured.quantity,
            "floor": f"{options.measured.floor:g}",
            **{
                f"protocol.{key}": json.dumps(value)
                for key, value in choice.params.model_dump(mode="json").items()
            },
        }
        try:
            analysis = analyse(curves, catalogue, options, restricted(whole, options, chosen))
        except NotFittedError as found:
            beside = write_unfitted(found, folder, about, figures)
            missing.append(f"{which or study}: {found.told(beside)}")
            log_analysis(  # no setting: what was fitted before is the study's latest analysis still
                client,
                experiment,
                name=f"{name}: not fitted",
                metrics={},
                params={**asked, "verdict": "none", "warnings": "not_fitted", "missing": str(found)},
                folder=beside,
                note=["**No law was fitted.**", "", as_note(str(found))],
                figures={FIGURES[0]: ""},
                plugins=plugin_versions(catalogue),
            )
            continue
        write(analysis, folder, about, figures)
        if chosen == own_norm and options.plain:
            show_optima(client, trained(members), analysis.curves)
        _draw_layers(client, members, chosen, folder, figures)
        run_id = log_analysis(
            client,
            experiment,
            name=name,
            setting=which or keys.WHOLE_STUDY,
            metrics={**analysis.numbers(), **explained(analysis)},
            params={
                **asked,
                "verdict": analysis.findings.verdict or "none",
                "warnings": ", ".join(sorted(codes_of(analysis))) or "none",
            },
            folder=folder,
            note=[
                f"Laws of the {analysis.response.described} in the norm `{chosen}`.",
                "",
                *exponents_table(analysis),
            ],
            figures={name: caption(name, analysis) for name in FIGURES if _drawn(folder, name)},
            plugins=plugin_versions(catalogue),
        )
        results.append(Result(setting, chosen, analysis, folder, run_id))
        yield results[-1]
    if results:
        _show(client, experiment, results)
    if missing:
        raise InputError("\n".join(missing))


def codes_of(analysis: Analysis) -> set[str]:
    """Return the codes of warnings, and of the reasons why the laws fail or cannot be judged."""
    against = () if analysis.findings.verdict == "hold" else analysis.findings.reasons
    return {warning.code for warning in (*analysis.warnings, *against)}


def explained(analysis: Analysis) -> dict[str, float]:
    """Return metrics `explained/<abscissa>` where abscissas were compared."""
    table = analysis.tables_of_platform.get("abscissas")
    if table is None:
        return {}
    pairs = zip(table["abscissa"], table["explained"], strict=True)
    return {f"explained/{name}": float(share) for name, share in pairs}


def groups_of_runs(
    client: MlflowClient, experiment: Experiment, norm: str | None
) -> list[tuple[dict[str, str], list[Run]]]:
    """Return the finished runs of each setting of a study, theory's apart, with the norm measured in them.

    Raises:
        InputError: there are none.

    """
    measured = [run for kind in ("training", "imported") for run in search_runs(client, experiment, kind)]
    groups = by_setting(finished(measured, norm))
    for setting, members in by_setting(finished(search_runs(client, experiment, "theory"))):
        groups.append(({"theory": members[0].data.params["theory"], **setting}, members))
    if not groups:
        study = experiment.name
        raise InputError(f"study {study!r} has no finished runs yet: `normlaw run {study}` trains them")
    return groups


def _show(client: MlflowClient, experiment: Experiment, results: list[Result]) -> None:
    """Put the laws of all settings on the experiment's page: a table, and a figure each."""
    if len(results) == 1:
        table = exponents_table(results[0].analysis)
    else:
        table = settings_table({as_note(label(r.setting)): r.analysis for r in results})
    norms = ", ".join(f"`{norm}`" for norm in dict.fromkeys(result.norm for result in results))
    figures = [image(r.run_id, f"figures/{FIGURES[0]}.svg") for r in results]
    headings = [f"**{as_note(label(r.setting))}**\n\n" if r.setting else "" for r in results]
    parts = [heading + figure for heading, figure in zip(headings, figures, strict=True)]
    show_laws(client, experiment, [f"In the norm {norms}:", "", *table], parts)


def _drawn(folder: Path, figure: str) -> bool:
    return (folder / "figures" / f"{figure}.svg").is_file()


def _draw_layers(client: MlflowClient, runs: list[Run], norm: str, folder: Path, use: Use) -> None:
    """Draw the layers' norms of one run, the first of the largest train_size, if the measure tells them."""
    if not trained(runs):
        return
    largest = max(trained(runs), key=lambda run: int(run.data.params["train_size"]))
    rows = [row for row in read_layers(client, largest) if row["measure"] == norm]
    if rows:
        write_figures({"layer_norms": layer_norms(rows, norm)}, folder / "figures", use)
        pd.DataFrame(rows).to_csv(folder / "tables" / "layer_norms.csv", index=False)


def trained(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that were trained here, not imported or computed."""
    return [run for run in runs if run.data.tags[keys.KIND] == "training"]


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
    further = {OPTIMA: OPTIMA, "test/loss": "test_loss"}
    further |= {f"validation/{noun}": f"validation_{noun}" for noun in ("error", "loss")}
    columns |= {name: column for name, column in further.items() if name in curves.columns}
    measured_points = curves[list(columns)].dropna(subset=keys.log_norm(chosen))  # a norm may begin later
    return measured_points.rename(columns=columns), chosen
