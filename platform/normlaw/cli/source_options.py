"""The options that commands share: the server, where curves come from, and how laws are fitted to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from normlaw.cli import complete

FILES = (".csv", ".parquet", ".zip")
"""How a file of curves is called."""
tracking_uri_option = click.option(
    "--tracking-uri", help="MLflow server; default MLFLOW_TRACKING_URI, else ./mlflow.db."
)
"""Which MLflow server, for every command that asks one."""
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=complete.setting,
    help="A setting that goes over the study's, the key dotted as under `vary`; repeatable.",
)
"""What changes a study, for every command that takes one to be run."""


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare STUDY, --curves, --norm and --tracking-uri."""
    for declare in reversed(
        (
            click.argument("study", required=False, shell_complete=complete.study),
            click.option(
                "--curves",
                type=click.Path(path_type=Path),
                help="Take the curves of this CSV or Parquet file or archive; needs no server.",
            ),
            click.option(
                "--norm",
                shell_complete=complete.norm,
                help="Complexity measure to read the laws in; default: the study's own.",
            ),
            tracking_uri_option,
        )
    ):
        command = declare(command)
    return command


def report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare --reports and --figures."""
    for declare in reversed(
        (
            click.option(
                "--reports",
                type=click.Path(file_okay=False, path_type=Path),
                default=Path("reports"),
                show_default=True,
                help="Folder for tables and figures, besides MLflow.",
            ),
            click.option(
                "--figures",
                type=click.Choice(["page", "paper"]),
                default="page",
                show_default=True,
                help="page: across a page, as SVG and PNG; paper: as PDF too, and as wide as a column of "
                "print.",
            ),
        )
    ):
        command = declare(command)
    return command


def protocol_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare --protocol, --set (as `settings`) and --confidence."""
    for declare in reversed(
        (
            click.option(
                "--protocol",
                shell_complete=complete.component("AnalysisProtocol"),
                help="How the laws are fitted; default: the study's own, else what `normlaw plugins` marks.",
            ),
            click.option(
                "--set",
                "settings",
                multiple=True,
                metavar="KEY=VALUE",
                help="A parameter of the protocol; repeatable.",
            ),
            click.option(
                "--confidence", default=0.95, show_default=True, help="Level of all confidence intervals."
            ),
        )
    ):
        command = declare(command)
    return command


def the_source(study: str | None, curves: Path | None) -> str | Path:
    """Return the study's name or the file.

    Raises:
        click.UsageError: none or both are given, or the study's name is a file's.

    """
    if study is not None and curves is None:
        if Path(study).suffix in FILES and Path(study).is_file():
            raise click.UsageError(f"{study} is a file of curves, and no study: give it with --curves")
        return study
    if curves is not None and study is None:
        return curves
    raise click.UsageError("name either a STUDY or a file with --curves")


def heading(source: str, setting: Mapping[str, str], norm: str) -> str:
    """Return the line above what was found of one setting of a source."""
    from normlaw.analysis.curves_file import DEFAULT_MEASURE

    parts = ", ".join(f"{key} = {value}" for key, value in setting.items())
    return f"{source}{': ' + parts if parts else ''}" + (f", norm {norm}" if norm != DEFAULT_MEASURE else "")
