"""The command line: collects the verbs and turns every expected failure into one clear message."""

from __future__ import annotations

import sys
from typing import Any

import click

from normlaw.commands import analyse, import_curves, plugins, report, run, studies, sync, theory


class Program(click.Group):
    """The group of all verbs; exits with 0 (done), 1 (something failed) or 2 (bad input)."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error that normlaw raised on purpose is shown as its message alone."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            from normlaw_registry import NormlawError

            if not isinstance(error, NormlawError):
                raise
            click.secho("error: ", fg="red", bold=True, nl=False, err=True)
            click.echo(str(error), err=True)
            sys.exit(error.exit_code)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="normlaw")
def main() -> None:
    """Measure the scaling laws that a network's norm reveals in its learning curves."""


for command in (
    run.run,
    run.resume,
    sync.sync,
    analyse.analyse,
    import_curves.import_curves,
    report.report,
    studies.studies,
    theory.theory,
    plugins.plugins,
):
    main.add_command(command)
