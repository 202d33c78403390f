"""`normlaw run` and `normlaw resume`: train what a study lacks, and send it to MLflow meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from normlaw.study.study import Study
from normlaw.verbs.load_study import AnyStudy, load_study
from normlaw_registry import load_catalogue

if TYPE_CHECKING:
    from normlaw.launching.launch import Summary


def run(study: AnyStudy, *, scale: str | None = None, **options: Any) -> Summary:
    """Train the runs of a study that are not finished yet, and log them to MLflow; `normlaw run`.

    Args:
        study: a study, or what `load_study` takes.
        scale: a variant of it in another size.
        options: as the options of `normlaw run`, with the same names and defaults: tracking_uri, home (folder
            of the journals), device, download, max_parallel, offline, ..., and debug, which
            shows the tracebacks of failed runs (see `normlaw.launching.launch.launch`). What is None is at its
            default.

    Returns:
        How many runs were trained, how many were there, and which failed and why.

    Raises:
        InputError: the study asks for what cannot be done, or the server does not answer.
        KeyboardInterrupt: passed on after the runs have stopped at their next measuring point; `resume` or the
            same call goes on.

    """
    return _train(load_study(study, scale=scale), options)


def resume(study: str, **options: Any) -> Summary:
    """Go on with a study, named as in MLflow, where it was begun; `normlaw resume`. Options as `run`."""
    from normlaw.study.home import HOME, begun_study

    return _train(begun_study(options.get("home", HOME), study), options)


def _train(study: Study, options: dict[str, Any]) -> Summary:
    from normlaw.launching.display import Display
    from normlaw.launching.launch import launch

    given = {name: value for name, value in options.items() if value is not None}
    display = Display(debug=bool(given.pop("debug", False)))
    return launch(study, load_catalogue(), display, **given)
