"""A process that has imported everything, and forks a command line of normlaw from itself on request.

Importing torch and MLflow takes seconds, and forty killed launches would import them forty times; here they
are imported once, or have been already by what this process was forked from. Each launch is a process of its
own with workers of its own, and real signals reach them.

Reads a line of JSON a launch, {"arguments": [...], "cwd": ..., "out": ..., "env": {...}, "settings": {...}},
and answers with its process id; {"wait": pid} is answered with the exit status. Settings name variables of
modules, as in "normlaw.tracking.sender.LONGEST_PAUSE", and give them a value: how long the program waits, say,
or {"object": "module.name"}, which is something that a module has. "err" is the file for standard error, if not
"out". "terminal" is the terminal that the launch is at, if it is at one, in the place of both. Its workers are
forked too, unless "spawn" is true. A new SQLite store begins as a copy of the one that this process is given.
Folders of PYTHONPATH in "env" are searched for plugins; NORMLAW_HOME comes too late there, as it is read when
normlaw is imported.
"""

# ruff: noqa: E402 - no import is to be searched for garbage: all of it is kept

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import sys
from importlib import import_module
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

gc.disable()

import alembic.command
import click.shell_completion
import git
import IPython
import jinja2
import matplotlib.backends.backend_svg
import matplotlib.style
import mlflow.protos.internal_pb2
import mlflow.store.db.utils
import mlflow.store.tracking.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_workspace_store
import mlflow.tracking
import pyarrow.parquet
import sklearn.datasets
import sqlalchemy.dialects.sqlite
import sqlalchemy.orm
import statsmodels.api
import torch
import torch._dynamo

import normlaw.analysis.figures.drawing
import normlaw.execution.process
import normlaw.execution.recorder
import normlaw.execution.worker
import normlaw.launching.launch
import normlaw.tracking.theory_log
import normlaw.training.loop
import normlaw.verbs.against_theory
import normlaw.verbs.analyse
import normlaw.verbs.import_curves
import normlaw.verbs.predict
import normlaw.verbs.report
import normlaw.verbs.run
import normlaw.verbs.sync
import normlaw.verbs.theory
from normlaw.analysis.report import templates
from normlaw.cli.program import main
from normlaw_registry import load_catalogue

# What MLflow asks about the program (git, IPython) and imports for a database, and what analyses import, too.
IMPORTED = (
    alembic,
    click,
    git,
    IPython,
    jinja2,
    matplotlib,
    mlflow,
    pyarrow,
    sklearn,
    sqlalchemy,
    statsmodels,
    torch,
)


def launch(order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    os.setsid()
    tracker: Any = resource_tracker
    tracker._resource_tracker._fd = None  # one of its own, as if nothing had been begun yet
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    for name, value in order["settings"].items():
        module, _, variable = name.rpartition(".")
        assert hasattr(import_module(module), variable), name
        setattr(sys.modules[module], variable, _value(value))
    for path in reversed([*filter(None, order["env"].get("PYTHONPATH", "").split(os.pathsep))]):
        if path not in sys.path:
            sys.path.insert(0, path)
            load_catalogue.cache_clear()
    out = order["terminal"] or order["out"]  # the first terminal that a session's leader opens is its own
    for number, name in enumerate((order["terminal"] or os.devnull, out, order["err"] or out)):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND), number)
    if not order["spawn"]:
        normlaw.execution.process.CONTEXT = multiprocessing.get_context("fork")
    try:
        main(order["arguments"], standalone_mode=True)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001  # as Python itself ends with any
        import traceback

        traceback.print_exc()
        status = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _value(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"object"}:
        module, _, name = value["object"].rpartition(".")
        return getattr(import_module(module), name)
    return value


def serve(empty_database: Path) -> None:
    from normlaw_tests import forkable, stores  # found only now, where this file is run as a program

    load_catalogue()
    torch.set_num_threads(1)
    pages = templates()
    for name in pages.list_templates():
        pages.get_template(name)
    with stores.copied(lambda: empty_database):
        mlflow.store.db.utils._get_latest_schema_revision()  # type: ignore[no-untyped-call]  # for all launches
        sqlalchemy.orm.configure_mappers()  # as the first store of a process does
        forkable.make_ready()
        print("ready", flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            if "wait" in order:
                _, status = os.waitpid(order["wait"], 0)
                print(os.waitstatus_to_exitcode(status), flush=True)
            else:
                print(launch(order), flush=True)


if __name__ == "__main__":
    sys.path[0] = os.path.dirname(sys.path[0])  # where normlaw_tests is
    serve(Path(sys.argv[1]))
