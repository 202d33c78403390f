"""`normlaw run` and `normlaw resume`: train a study's runs and log them to MLflow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from normlaw.base.terminal import words
from normlaw.cli import complete
from normlaw.cli.debugging import debug_asked_for, show_redacted
from normlaw.cli.saying import say
from normlaw.cli.source_options import set_option, tracking_uri_option

if TYPE_CHECKING:
    from normlaw.launching.launch import Summary
    from normlaw.study.study import Study

Arguments = dict[str, Any]

_OPTIONS = (
    tracking_uri_option,
    click.option("--offline", is_flag=True, help="Ask no server; `normlaw sync` sends the runs later."),
    click.option(
        "--system-metrics",
        "system_load",
        is_flag=True,
        help="Log the load of CPU, memory, disk, network and GPUs to the launch's MLflow run.",
    ),
    click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1; auto: a GPU if any."),
    click.option("--download", is_flag=True, help="Fetch the data set's files if they are not there."),
    click.option(
        "--max-parallel", type=click.IntRange(min=1), help="Processes; default: one a core, or a GPU."
    ),
    click.option(
        "--executor",
        type=click.Choice(["local", "dask", "slurm", "pbs"]),
        default="local",
        show_default=True,
        help="What trains: this machine, Dask workers that are there, or batch jobs with workers.",
    ),
    click.option("--scheduler", help="For dask: tcp://HOST:8786, or the file of --scheduler-file."),
    click.option(
        "--cluster-config",
        type=click.Path(dir_okay=False, path_type=Path),
        help="For dask, slurm and pbs: a YAML file that says what a task or a job is.",
    ),
    click.option(
        "--stack",
        type=click.IntRange(min=1),
        help="Runs, alike but for their seed, that one process trains together; default: many on a GPU, 1 on a "
        "CPU. A stacked run's curve is its own to rounding, not to the last bit.",
    ),
    click.option(
        "--checkpoint-seconds",
        type=float,
        help="Least time between two checkpoints of a run, which are taken at measuring points; default: 60.",
    ),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("study", shell_complete=complete.study)
@click.option(
    "--scale",
    shell_complete=complete.scale,
    help="A variant of the study in another size, such as 'small'.",
)
@set_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Only try out each combination of network, data set and norms once, and list the runs and their cost.",
)
@_with_options
def run(study: str, scale: str | None, settings: tuple[str, ...], dry_run: bool, **options: Any) -> None:
    """Train the runs of STUDY that are not finished yet, and log them to MLflow.

    STUDY is the name of a shipped study (see `normlaw studies`) or the path of a YAML file. A run that is
    finished is never trained again, one that was stopped goes on from its last checkpoint: give the same
    command once more, or `normlaw resume`. With --set the runs are those of other settings, in the same study:

    \b
    normlaw run quickstart --set batch_size=8 --set train_size=[60,120,240]
    """
    with words.working(f"{study}: reading the study", logged=False):
        from normlaw.study.overrides import parse_overrides
        from normlaw.verbs.load_study import loaded

        # before torch and MLflow are imported: a typing error is told at once
        chosen = loaded(study, scale, parse_overrides(settings, "--set"), "--set")
    if dry_run:
        rehearse(chosen, options["device"])
    else:
        from normlaw.verbs.run import run as call

        train(chosen.name, partial(call, chosen), options)


@click.command()
@click.argument("study", shell_complete=complete.begun)
@_with_options
def resume(study: str, **options: Any) -> None:
    """Go on with STUDY, named as in MLflow, where it was begun: its file is not needed any more.

    The same as giving the command that began it once more.
    """
    from normlaw.verbs.run import resume as call

    train(study, partial(call, study), options)


def rehearse(study: Study, device: str) -> None:
    """Show what a launch would do; exits with 2 when something cannot be trained."""
    from normlaw.launching.preflight import refusal
    from normlaw.verbs.rehearse import rehearse as call

    with words.working(f"{study.name}: trying out what it combines"):
        found = call(study, device=device)
    width = max(len(row.name) for row in found.rows)
    lines = [f"{'run':<{width}}  {'steps':>9}  {'seconds':>9}"]
    for row in found.rows:
        seconds = "?" if row.seconds is None else f"{row.seconds:,.1f}"
        lines.append(
            f"{row.name:<{width}}  {row.steps:>9,}  {seconds:>9}" + ("  trained" if row.trained else "")
        )
    say("\n".join(lines))
    steps = sum(row.steps for row in found.rows)
    cost = "" if found.seconds is None else f"; about {_span(found.seconds)} with one run on each core"
    combined = "1 combination" if found.combinations == 1 else f"{found.combinations} combinations"
    say(f"{study.name}: {len(found.rows)} runs, {steps:,} steps{cost}")
    if found.problems:
        raise refusal(found.problems)
    say(f"{combined} of network, data set and norms tried out: all can be trained")


def _span(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> _span(9.4), _span(600), _span(36_000)
    ('9 seconds', '10 minutes', '10 hours')
    """
    for unit, length in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} seconds"


def train(study: str, call: Callable[..., Summary], options: Arguments) -> None:
    """Train what a study lacks and tell what became of it; exits with 1 when something is left to do.

    Args:
        study: its name.
        call: the verb, which takes the options.
        options: as the command line has them.

    """
    from normlaw.__main__ import OWN_PROCESS
    from normlaw.execution import nest
    from normlaw.execution.interrupts import interruptible
    from normlaw.study.home import HOME, begun_studies

    nest.wanted = click.get_current_context().find_object(str) == OWN_PROCESS
    go_on = f"go on with: normlaw resume {study}"
    with interruptible(f"Stopped at once. What has been measured is kept; {go_on}") as interrupts:
        try:
            beginning = "getting ready" if options.get("offline") else "loading MLflow"
            with words.working(f"{study}: {beginning}"):
                summary = call(**options, debug=debug_asked_for())
        except BaseException as error:
            if interrupts.number is None:
                raise
            # code that the interruption met half-way may fail in any way: it has stopped all the same
            if debug_asked_for() and not isinstance(error, KeyboardInterrupt):
                show_redacted(type(error), error, error.__traceback__)
            interrupts.require_last_word()
            begun = study in begun_studies(HOME)
            say(f"Stopped. What is finished is kept; {go_on}" if begun else "Stopped.", err=True)
            interrupts.said.set()
            raise click.exceptions.Exit(interrupts.exit_code) from None
    parts = [f"{summary.trained} trained", f"{summary.already_there} already there"]
    if summary.elsewhere:
        parts.append(f"{summary.elsewhere} trained by another process")
    say(f"{study}: {', '.join(parts)}, {len(summary.failed)} failed")
    if summary.unsent:
        reason = next(iter(summary.unsent.values()))
        say(
            f"{len(summary.unsent)} not sent to MLflow: {reason}\n"
            f"They are kept on this disk; send them with: normlaw sync {study}",
            err=True,
        )
    if not summary.complete:
        raise click.exceptions.Exit(1)
    if options["offline"]:
        say(f"Nothing was sent; send it with: normlaw sync {study}")
    say(f"Fit the laws with: normlaw analyse {study}")
