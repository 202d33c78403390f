"""`normlaw run` and `normlaw resume`: train what a study lacks, and send it to MLflow meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.study.study import Study
from normlaw.verbs._options import given
from normlaw.verbs.load_study import AnyStudy, load_study
from normlaw_registry import load_catalogue

if TYPE_CHECKING:
    from normlaw.execution.choice import ExecutorName
    from normlaw.launching.launch import Summary


def run(
    study: AnyStudy,
    *,
    scale: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    tracking_uri: str | None = None,
    home: Path | None = None,
    device: str = "auto",
    download: bool = False,
    max_parallel: int | None = None,
    stack: int | None = None,
    checkpoint_seconds: float | None = None,
    offline: bool = False,
    system_load: bool = False,
    executor: ExecutorName = "local",
    scheduler: str | None = None,
    cluster_config: Path | None = None,
    debug: bool = False,
) -> Summary:
    """Train the runs of a study that are not finished yet, and log them to MLflow; `normlaw run`.

    Args:
        study: a study, or what `load_study` takes.
        scale: a variant of it in another size.
        overrides: values that go over the study's, by dotted keys; see `load_study`.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        device: cpu, cuda, cuda:1, ...; auto: a GPU if there is any.
        download: whether files of data sets may be fetched.
        max_parallel: processes at a time; by default one a core, or one a GPU.
        stack: runs, alike but for their seed, that one process trains together; by default many on a GPU, each
            alone on a CPU.
        checkpoint_seconds: least time between two checkpoints of a run; default: 60.
        offline: ask no server; the journals keep all, for `sync`.
        system_load: log the load of this machine to the launch's MLflow run.
        executor: what trains the runs: local (this machine), dask, slurm or pbs.
        scheduler: for dask: tcp://HOST:8786, or the path of a scheduler file.
        cluster_config: YAML file that says what a task or a batch job is.
        debug: whether the tracebacks of failed runs are shown.

    Returns:
        How many runs were trained, how many were there, and which failed and why.

    Raises:
        InputError: the study asks for what cannot be done, or the server does not answer.
        KeyboardInterrupt: passed on after the runs have stopped at their next measuring point; `resume` or the
            same call goes on.

    """
    options = given(locals(), but=("study", "scale", "overrides"))
    return _train(load_study(study, scale=scale, overrides=overrides), options)


def resume(
    study: str,
    *,
    tracking_uri: str | None = None,
    home: Path | None = None,
    device: str = "auto",
    download: bool = False,
    max_parallel: int | None = None,
    stack: int | None = None,
    checkpoint_seconds: float | None = None,
    offline: bool = False,
    system_load: bool = False,
    executor: ExecutorName = "local",
    scheduler: str | None = None,
    cluster_config: Path | None = None,
    debug: bool = False,
) -> Summary:
    """Go on with a study, named as in MLflow, where it was begun; `normlaw resume`.

    Arguments, what is returned and what is raised are those of `run`.
    """
    options = given(locals(), but=("study",))
    from normlaw.study.home import HOME, begun_study

    return _train(begun_study(home or HOME, study), options)


def _train(study: Study, options: Mapping[str, Any]) -> Summary:
    from normlaw.launching.display import Display
    from normlaw.launching.launch import launch

    known = dict(options)
    display = Display(debug=bool(known.pop("debug", False)))
    return launch(study, load_catalogue(), display, **known)
