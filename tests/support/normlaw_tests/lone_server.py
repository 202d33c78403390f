"""`mlflow server` in one process.

MLflow's command looks at its options, makes the database's tables, and then begins uvicorn as a process of its
own, which imports MLflow once more: half of the seconds that a server takes to start. Here uvicorn takes over
the process of the command, with the arguments and the environment that MLflow gives it. If it has several
workers, they are forked from it.
"""

# ruff: noqa: E402 - no import is to be searched for garbage: all of it is kept

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

gc.disable()

import mlflow.server
import mlflow.server.fastapi_app
import uvicorn._subprocess
from mlflow.cli import cli
from sqlalchemy.engine import Engine


def take_over(command: Sequence[str], *, extra_env: Mapping[str, str], **_: Any) -> NoReturn:
    """Become the Python program `python -m NAME ...` with more environment variables."""
    python, switch, name, *arguments = command
    assert (python, switch) == (sys.executable, "-m")
    os.environ.update(extra_env)
    sys.argv = [name, *arguments]
    for engine in [one for one in gc.get_objects() if type(one) is Engine]:
        engine.dispose()  # two workers must not speak to a database by one connection
    uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]
    gc.freeze()
    gc.enable()
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    raise SystemExit(0)


def serve(arguments: Sequence[str]) -> None:
    """Run `mlflow server` with these arguments in this process, to its end."""
    assert hasattr(mlflow.server, "_exec_cmd")
    mlflow.server._exec_cmd = take_over
    cli(["server", *arguments])


if __name__ == "__main__":
    serve(sys.argv[1:])
