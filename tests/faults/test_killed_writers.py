"""Imports, theories and analyses killed at any moment: given again, all is as if nothing had been killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from normlaw.tracking import whole_writer
from normlaw_tests.exact_curves import exact_curves
from normlaw_tests.figure_files import ONE_FIGURE  # drawing would be most of what is killed
from normlaw_tests.processes import has_ended

KILLS = {"import": 40, "take": 10, "copy": 10, "theory": 40, "analyse": 40}
"""How often each is killed. What is taken and copied is written by the lines that write what is imported."""
KILLS_A_STORE = 10
"""After as many, the command is let come to its end, and another store is begun."""
CURVES = {"analyse": (2, 24)}
"""Seeds and points of a command's curves, where they are not 4 and 6."""
SETTINGS = ONE_FIGURE | {f"{whole_writer.__name__}.TOGETHER": 6}
"""Runs are written by sixes, so that the sixteen that are imported are written by three transactions."""
TEXTS = {".json", ".csv", ".parquet"}
"""Files that hold the same bytes each time; drawings and pages differ in what they are drawn with."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the CPU time of processes in /proc"),
]


def write_curves(path: Path, seeds: int, points: int) -> None:
    """Write curves whose error falls as norm^-0.5 to an optimum that grows as P, then rises."""
    exact_curves((100, 200, 400, 800), seeds, np.linspace(0, 8, points), 0.002).to_csv(path, index=False)


def content(folder: Path) -> list[tuple[Any, ...]]:
    """Return all that a store has of its runs, without ids and times, and their files."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        runs = store.execute(
            "SELECT run_uuid, name, status, artifact_uri, end_time IS NULL FROM runs"
        ).fetchall()
        found: list[tuple[Any, ...]] = [run[1:3] + run[4:] for run in runs]
        names = {run[0]: run[2] for run in runs}
        for table, chosen in {
            "tags": "key, value",
            "params": "key, value",
            "metrics": "key, step, value, is_nan",
            "latest_metrics": "key, step, value, is_nan",
        }.items():
            for run, *row in store.execute(f"SELECT run_uuid, {chosen} FROM {table}"):
                if row[0] == "mlflow.source.git.commit":
                    continue  # whoever works on this repository may commit while its tests run
                values = [value.replace(run, "ID") if isinstance(value, str) else value for value in row]
                found.append((names[run], table, *values))
        for note in store.execute("SELECT key, value FROM experiment_tags").fetchall():
            text = str(note)
            for run in names:
                text = text.replace(run, "ID")
            found.append(("experiment", text))
    for _, place, name, *_ in runs:
        for path in Path(place).rglob("*"):
            if path.is_file():
                data = path.read_bytes() if path.suffix in TEXTS else b""
                found.append((name, str(path.relative_to(place)), data))
    return sorted(found, key=repr)


def used(pid: int) -> float | None:
    """Return the seconds of CPU that a process has had; None once it has ended."""
    return None if has_ended(pid) else time.clock_gettime(~pid << 3 | 2)  # its clock, by clock_getcpuclockid(3)


def work_of(nursery: Any, folder: Path, arguments: tuple[str, ...]) -> float:
    """Run a command undisturbed; return the seconds of CPU that it takes."""
    pid, last = nursery.launch(folder, *arguments, settings=SETTINGS), 0.0
    while (now := used(pid)) is not None:
        last = now
        time.sleep(0.003)
    assert nursery.wait(pid) == 0, (folder / "out.txt").read_text()
    return last


def killed(nursery: Any, folder: Path, arguments: tuple[str, ...], after: float) -> bool:
    """Run a command and kill it after so many seconds of its own CPU; return whether it had not ended before.

    CPU time, not the clock's: a loaded machine changes no moment.
    """
    pid = nursery.launch(folder, *arguments, settings=SETTINGS)
    while (now := used(pid)) is not None and now < after:
        time.sleep(max((after - now) / 2, 0.001))  # it may have more than one thread
    os.kill(pid, signal.SIGKILL)
    status = nursery.wait(pid)
    assert status in (0, -signal.SIGKILL), (folder / "out.txt").read_text()
    return bool(status)


@pytest.mark.parametrize("verb", list(KILLS))
def test_kills_leave_what_an_undisturbed_command_leaves(
    nursery: Any, empty_database: Path, tmp_path: Path, verb: str
) -> None:
    write_curves(tmp_path / "curves.csv", *CURVES.get(verb, (4, 6)))
    there = str(tmp_path / "there" / "mlflow.db")
    importing = ("import", str(tmp_path / "curves.csv"), "--study", "s")
    arguments = {
        "import": importing,
        "copy": ("import", there, "--experiment", "s", "--study", "s"),  # as a study of normlaw's
        "take": ("import", there, "--experiment", "s", "--study", "s", "--from", "mlflow"),  # as anyone's
        "theory": (
            *("theory", "diagonal_network", "--axis", "delta=0.5,0.7,0.8,0.9"),
            *("--axis", "initial_scale=0.1:10:6", "--study", "s"),
        ),
        "analyse": ("analyse", "s", "--draws", "100"),
    }[verb]
    template = tmp_path / "template"
    template.mkdir()
    shutil.copy(empty_database, template / "mlflow.db")
    if verb == "analyse":
        assert nursery.wait(nursery.launch(template, *importing)) == 0

    def store(name: str) -> Path:
        (tmp_path / name).mkdir()
        shutil.copy(template / "mlflow.db", tmp_path / name)
        return tmp_path / name

    if there in arguments:
        assert nursery.wait(nursery.launch(store("there"), *importing)) == 0

    undisturbed = store("undisturbed")
    work = work_of(nursery, undisturbed, arguments)
    expected = content(undisturbed)
    draw = random.Random(verb)
    kills = stores = 0
    while kills < KILLS[verb]:
        folder = store(str(stores))
        stores += 1
        for _ in range(KILLS_A_STORE):
            if not killed(nursery, folder, arguments, draw.uniform(0, work)):
                break  # it has come to its end
            kills += 1
        else:
            assert nursery.wait(nursery.launch(folder, *arguments, settings=SETTINGS)) == 0, (
                folder / "out.txt"
            ).read_text()
        assert content(folder) == expected
        assert stores <= KILLS[verb], "the command ends before it can be killed"
    assert nursery.wait(nursery.launch(folder, *arguments, settings=SETTINGS)) == 0
    assert content(folder) == expected  # given once more, it changes nothing
