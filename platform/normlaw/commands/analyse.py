"""`normlaw analyse`: fit the laws to a study's curves."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("study")
@click.option("--norm", help="Complexity measure to read the laws in; default: the study's own.")
@click.option("--tracking-uri", help="MLflow server; default MLFLOW_TRACKING_URI, else ./mlflow.db.")
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder for tables and figures, besides MLflow.",
)
def analyse(study: str, norm: str | None, tracking_uri: str | None, reports: Path) -> None:
    """Fit the laws of STUDY, an experiment at the MLflow server, and log the result there."""
    from normlaw.analysis import render
    from normlaw.analysis_job import analyse_study
    from normlaw_registry import load_catalogue

    results = analyse_study(study, load_catalogue(), norm=norm, tracking_uri=tracking_uri, reports=reports)
    for result in results:
        setting = ", ".join(f"{key} = {value}" for key, value in result.setting.items())
        click.echo(f"{study}{': ' + setting if setting else ''}, norm {result.norm}")
        click.echo(render(result.analysis))
        click.echo(f"Tables and figures: {result.folder}; MLflow run {result.run_id}")
