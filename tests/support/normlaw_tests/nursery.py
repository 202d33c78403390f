"""A process that has imported everything, and forks a command line of normlaw from itself on request.

Importing torch and MLflow takes seconds, and forty killed launches would import them forty times; here they
are imported once. Each launch is a process of its own with workers of its own, and real signals reach them.

Reads a line of JSON a launch, {"arguments": [...], "cwd": ..., "out": ..., "env": {...}, "settings": {...}},
and answers with its process id; {"wait": pid} is answered with the exit status. Settings name variables of
modules, as in "normlaw.tracking.sender.LONGEST_PAUSE", and give them a value: how long the program waits, say.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from typing import Any

import mlflow.store.db.utils
import mlflow.store.tracking.sqlalchemy_store
import mlflow.tracking
import pyarrow.parquet
import sklearn.datasets
import torch
import torch._dynamo

import normlaw.analysis.figures.style
import normlaw.comparison_job
import normlaw.execution.recorder
import normlaw.execution.worker
import normlaw.import_job
import normlaw.launch
import normlaw.report_job
import normlaw.sync_job
import normlaw.theory_job
import normlaw.tracking.theory_log
import normlaw.training.loop
from normlaw.cli import main
from normlaw_registry import load_catalogue

IMPORTED = (mlflow, pyarrow, sklearn, torch, normlaw)


def launch(order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    os.setsid()
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    for name, value in order["settings"].items():
        module, _, variable = name.rpartition(".")
        assert hasattr(sys.modules[module], variable), name
        setattr(sys.modules[module], variable, value)
    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    fork = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda method=None: fork  # type: ignore[assignment]
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


def serve() -> None:
    load_catalogue()
    torch.set_num_threads(1)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
        else:
            print(launch(order), flush=True)


if __name__ == "__main__":
    serve()
