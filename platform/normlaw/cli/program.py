"""The command line: collects the verbs and turns every expected failure into one clear message."""

from __future__ import annotations

import signal
import sys
from typing import Any, NoReturn

import click

from normlaw.cli.debugging import debug_asked_for, show_redacted, with_debug_option
from normlaw.cli.listing import Lazy
from normlaw.cli.saying import say, say_error, say_misuse

EXIT_CODES = (
    "Exit codes: 0 done; 1 something failed, or is left to do; 2 the input was bad; 130 stopped by Ctrl-C; "
    "143 stopped by SIGTERM; 141 whoever read the output was gone."
)


class Program(Lazy):
    """The group of all verbs; exits as `EXIT_CODES` says."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line; see click."""
        sys.excepthook = show_redacted
        return super().main(*args, **extra)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the command line; see click. `--help` prints here."""
        try:
            return super().make_context(*args, **extra)
        except click.ClickException as error:
            _refuse(error)
        except BrokenPipeError:
            _leave_quietly()

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error that is no bug is shown as its message alone."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except click.ClickException as error:
            _refuse(error)
        except KeyboardInterrupt:
            say("Stopped.", err=True)
            sys.exit(128 + signal.SIGINT)
        except (Exception, SystemExit) as error:
            if isinstance(error, BrokenPipeError) and _reader_is_gone():
                _leave_quietly()
            expected = _expected(error)
            if expected is None:
                raise
            if debug_asked_for(ctx):
                show_redacted(type(error), error, error.__traceback__)
            message, code = expected
            say_error(message)
            sys.exit(code)


def _expected(error: BaseException) -> tuple[str, int] | None:
    """Return what is said of an error that is no bug, and the exit code; None of a bug."""
    from normlaw.base.failures import reason
    from normlaw.base.redaction import first_line
    from normlaw_registry import NormlawError

    if isinstance(error, NormlawError):
        return reason(error), error.exit_code
    if _is_mlflows(error):
        return f"MLflow: {first_line(error)}", 1
    if isinstance(error, OSError):
        return first_line(error), 1
    if isinstance(error, SystemExit):  # not ours: all that normlaw exits with is click's
        return f"some code ended the program: {reason(error)}", 1
    return None


def _refuse(error: click.ClickException) -> NoReturn:
    """Say what is wrong with a command line, and end."""
    if type(error).__name__ == "NoArgsIsHelpError":  # of click from 8.2 on: no misuse, it shows the help
        error.show()
    else:
        say_misuse(error)
    sys.exit(error.exit_code)


def _reader_is_gone() -> bool:
    """Return whether whoever read standard output has closed it, as `head` does; a server may go away too."""
    import select

    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):  # no file behind it: captured by a test
        return False
    return bool(poll.poll(0))


def _leave_quietly() -> NoReturn:
    """End as a program does that SIGPIPE kills, with the status that a shell shows of it."""
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())  # else what is still in the buffer fails once more at the end
    sys.exit(141)


def _is_mlflows(error: BaseException) -> bool:
    """Return whether MLflow raised it: its server went away, or refuses. Does not import MLflow."""
    return type(error).__module__ == "mlflow.exceptions"


def _built_ins_alone(ctx: click.Context, _option: click.Parameter, asked: Any) -> None:
    """Leave other plugins out, in the processes that are started too."""
    import os

    if asked:
        before = os.environ.get("NORMLAW_PLUGINS")
        os.environ["NORMLAW_PLUGINS"] = ""
        if before is None:
            ctx.call_on_close(lambda: os.environ.pop("NORMLAW_PLUGINS", None))
        else:
            ctx.call_on_close(lambda: os.environ.update(NORMLAW_PLUGINS=before))


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(package_name="normlaw")
@click.option(
    "--no-plugins",
    is_flag=True,
    expose_value=False,
    callback=_built_ins_alone,
    help="Load the built-in components alone, as with NORMLAW_PLUGINS set to nothing.",
)
def main() -> None:
    """Measure the scaling laws that a network's norm reveals in its learning curves."""


main.places = {
    "run": "normlaw.cli.run:run",
    "resume": "normlaw.cli.run:resume",
    "sync": "normlaw.cli.sync:sync",
    "status": "normlaw.cli.status:status",
    "serve": "normlaw.cli.serve:serve",
    "analyse": "normlaw.cli.analyse:analyse",
    "predict": "normlaw.cli.predict:predict",
    "plan": "normlaw.cli.plan:plan",
    "import": "normlaw.cli.import_curves:import_curves",
    "measure": "normlaw.cli.measure:measure",
    "report": "normlaw.cli.report:report",
    "compare": "normlaw.cli.compare:compare",
    "cause": "normlaw.cli.cause:cause",
    "clean": "normlaw.cli.clean:clean",
    "export": "normlaw.cli.export:export",
    "archive": "normlaw.cli.archive:archive",
    "studies": "normlaw.cli.studies:studies",
    "theory": "normlaw.cli.theory:theory",
    "plugins": "normlaw.cli.plugins:plugins",
    "doctor": "normlaw.cli.doctor:doctor",
}
main.prepare = with_debug_option
with_debug_option(main, below=False)
