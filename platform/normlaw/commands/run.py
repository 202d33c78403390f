"""`normlaw run`: train a study's runs and log them to MLflow."""

from __future__ import annotations

import signal
from types import FrameType

import click


@click.command()
@click.argument("study")
@click.option("--scale", help="A variant of the study in another size, such as 'small'.")
@click.option("--tracking-uri", help="MLflow server; default MLFLOW_TRACKING_URI, else ./mlflow.db.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1; auto: a GPU if any.")
@click.option("--download", is_flag=True, help="Fetch the data set's files if they are not there.")
@click.option("--max-parallel", type=click.IntRange(min=1), help="Runs at a time; default: one per core.")
def run(
    study: str,
    scale: str | None,
    tracking_uri: str | None,
    device: str,
    download: bool,
    max_parallel: int | None,
) -> None:
    """Train the runs of STUDY that MLflow does not have yet.

    STUDY is the name of a shipped study (see `normlaw studies`) or the path of a YAML file. A run that is
    finished is never trained again: stopped or failed, give the same command once more.
    """
    from normlaw.study import at_scale, find_study, parse_study

    source = find_study(study)  # before torch and MLflow are imported: a typing error is told at once
    if scale is not None:
        source = at_scale(source, scale)
    parsed = parse_study(source)
    from normlaw.display import Display
    from normlaw.execution.local import available_cores
    from normlaw.launch import launch
    from normlaw_registry import load_catalogue

    signal.signal(signal.SIGTERM, _interrupt)  # a batch system's way to stop: leave as cleanly as on Ctrl-C
    try:
        summary = launch(
            parsed,
            source,
            load_catalogue(),
            Display(),
            tracking_uri=tracking_uri,
            device=device,
            download=download,
            max_parallel=max_parallel or available_cores(),
        )
    except KeyboardInterrupt:
        command = f"normlaw run {study}" + (f" --scale {scale}" if scale else "")
        click.echo(f"Stopped. What is finished is kept; go on with: {command}", err=True)
        raise click.exceptions.Exit(1) from None
    click.echo(
        f"{parsed.name}: {summary.trained} trained, {summary.already_there} already there, "
        f"{len(summary.failed)} failed"
    )
    for name, reason in summary.failed.items():
        click.echo(f"failed: {name}: {reason}", err=True)
    if summary.unsent:
        reason = next(iter(summary.unsent.values()))
        click.echo(
            f"{len(summary.unsent)} trained but not sent, since MLflow said: {reason}\n"
            "They are kept on this disk; the same command sends them.",
            err=True,
        )
    if not summary.complete:
        raise click.exceptions.Exit(1)
    click.echo(f"Fit the laws with: normlaw analyse {parsed.name}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
