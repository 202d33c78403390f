"""What the page takes: of time until it shows, and of the processor while nothing changes.

    python tests/benchmarks/page.py [--followed 360] [--runs 3000]

A study of 360 runs is followed while another process writes into its journals as training does, two runs at a
time, a point a second each; and a store of 3,000 runs is opened. The page is served by a process of its own,
as users serve it, and asked what a browser asks, once a second. With Chromium the times until figures are drawn
are those of the browser.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import pandas as pd
import psutil

from normlaw.study.expansion import expand
from normlaw.study.home import journal_path, keep_study
from normlaw.study.study import Study
from normlaw.tracking.client import connect
from normlaw.tracking.imported import import_curves
from normlaw.tracking.journal import Journal
from normlaw.tracking.launch_file import Launch
from normlaw_registry import load_catalogue

POINTS = 40
REST_SECONDS = 30
NEWS = 20
"""Points whose way to the page is timed."""
ASKS = 1.0
"""Seconds between two questions of a browser."""
READERS: dict[str, HTTPConnection] = {}


def study_of(runs: int) -> Study:
    return Study.model_validate(
        {
            "name": "followed",
            "fixed": {
                "architecture": "perceptron",
                "dataset": "teacher_student",
                "steps": 1000,
                "measures": ["weight_norm", "spectral_complexity_kernel"],
            },
            "vary": {"train_size": [2**i for i in range(5, 17)], "seed": {"count": runs // 12}},
        }
    )


def point(size: int, step: int, draws: np.random.Generator) -> dict[str, float]:
    """Return a measurement as a run's journal has it, of curves that obey the laws."""
    x = step / POINTS * (2 + 0.4 * np.log(size))
    error = float(np.exp(-0.8 * x) * 0.8 + 0.5 * size**-0.4 + 0.003 * draws.uniform())
    return {
        "step": float(step), "epoch": step / 10, "train/error": error / 2, "train/loss": error,
        "test/error": error, "test/loss": 2 * error,
        "log_norm/weight_norm": float(x), "log_norm/spectral_complexity_kernel": float(2 * x),
    }  # fmt: skip


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the page of a folder by a process of its own."""
    command = [sys.executable, "-m", "normlaw", "serve", "--port", "0"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, env=os.environ | quiet
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[2]
        try:
            yield address, psutil.Process(server.pid)
        finally:
            server.terminate()


def get(address: str, path: str, **query: object) -> bytes:
    """Return an answer, by the connection that was open before, as browsers do it."""
    reader = READERS.setdefault(address, HTTPConnection(urlsplit(address).netloc))
    asked = f"/{path}?{urlencode(query)}"
    try:
        reader.request("GET", asked)
        answer = reader.getresponse()
    except RemoteDisconnected:  # it was idle for long
        reader.request("GET", asked)
        answer = reader.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    return content


def news(address: str, have: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(address, "news", study="followed", page="study", have=have))
    return found


def seconds_of(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def at_rest(address: str, process: psutil.Process, seconds: float = REST_SECONDS) -> float:
    """Return the share of a core that the server takes while one reader asks and nothing changes."""
    have = news(address)["version"]
    before, begun = seconds_of(process), time.monotonic()
    while time.monotonic() < begun + seconds:
        have = news(address, have)["version"]
        time.sleep(ASKS)
    return (seconds_of(process) - before) / (time.monotonic() - begun)


def settled(address: str) -> None:
    """Return once the laws are fitted and nothing changes any more."""
    have = ""
    while True:
        now = news(address, have)["version"]
        if now == have and "being fitted" not in get(address, "study", study="followed").decode():
            return
        have = now
        time.sleep(1.0)


def follow(runs: int, folder: Path) -> list[str]:
    """Return lines of a table about a study in training."""
    study, draws = study_of(runs), np.random.default_rng(0)
    home = folder / ".normlaw"
    keep_study(home, study)
    specs = expand(study, load_catalogue())
    connect(f"sqlite:///{folder}/mlflow.db")
    half = len(specs) // 2
    with Launch(home, "followed", {"runs": str(runs)}) as launch:
        for spec in specs[:half]:
            with Journal(journal_path(home, "followed", spec.spec_hash)) as journal:
                journal.start(spec, {"launch": launch.name})
                journal.worker("bench 1")
                for step in range(POINTS):
                    journal.point(point(spec.train_size, step, draws))
                journal.end("finished")
        with served(folder) as (address, process):
            begun, before = time.monotonic(), seconds_of(process)
            get(address, "study", study="followed")
            first, spent = time.monotonic() - begun, seconds_of(process) - before
            settled(address)
            resting = at_rest(address, process)
            delays, have = [], news(address)["version"]
            before = seconds_of(process)
            with contextlib.ExitStack() as held:
                journals = []
                for spec in specs[half : half + 2]:
                    journal = held.enter_context(Journal(journal_path(home, "followed", spec.spec_hash)))
                    journal.start(spec, {"launch": launch.name})
                    journals.append((journal, spec))
                time.sleep(2)
                have = news(address)["version"]
                figure = get(address, "data", study="followed", figure="error_against_norm")
                signature = json.loads(figure)["signature"]
                for step in range(NEWS):
                    for journal, spec in journals:
                        journal.point(point(spec.train_size, step, draws))
                    written = time.monotonic()
                    while (now := news(address, have)["version"]) == have:
                        time.sleep(ASKS)
                    get(address, "data", study="followed", figure="error_against_norm", have=signature)
                    delays.append(time.monotonic() - written)
                    have = now
                    time.sleep(max(0.0, written + 1.3 * ASKS - time.monotonic()))  # not in step with the asking
            busy = seconds_of(process) - before
    drawn = f"a point is drawn after it was measured, the slowest of {NEWS}"
    return [
        f"| {runs} runs, two in training, journals here | opened first | {first:.1f} s | {spent:.2f} s |",
        f"| | {drawn} | {max(delays):.1f} s | {busy / NEWS:.2f} s |",
        f"| | at rest, one reader | | {resting:.1%} of a core |",
    ]


def open_many(runs: int, folder: Path) -> list[str]:
    """Return lines of a table about a large study at MLflow."""
    draws = np.random.default_rng(0)
    frames = []
    for number in range(runs):
        size = 2 ** (5 + number % 12)
        frame = pd.DataFrame([point(size, step, draws) for step in range(POINTS)])
        frames.append(frame.assign(train_size=size, seed=number // 12))
    client = connect(f"sqlite:///{folder}/mlflow.db")
    import_curves(client, "followed", pd.concat(frames, ignore_index=True), "benchmark")
    with served(folder) as (address, process):
        opened, spent = [], []
        for _ in range(4):
            begun, before = time.monotonic(), seconds_of(process)
            get(address, "study", study="followed")
            get(address, "data", study="followed", figure="error_against_norm")
            opened.append(time.monotonic() - begun)
            spent.append(seconds_of(process) - before)
        settled(address)
        browsers = in_a_browser(address)
        resting = at_rest(address, process)
    lines = [
        f"| {runs} runs at MLflow (SQLite) | opened first | {opened[0]:.1f} s | {spent[0]:.2f} s |",
        f"| | opened again, the slowest of 3 | {max(opened[1:]):.1f} s | {max(spent[1:]):.2f} s |",
    ]
    if browsers:
        drawn = f"opened again in Chromium until all is drawn, the slowest of {len(browsers)}"
        lines.append(f"| | {drawn} | {max(browsers):.1f} s | |")
    return [*lines, f"| | at rest, one reader | | {resting:.1%} of a core |"]


def in_a_browser(address: str) -> list[float]:
    """Return how long a browser takes to draw all figures of a study that it has drawn before."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return []
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()  # one reader's, whose browser keeps the scripts that it has
        for _ in range(4):
            page = context.new_page()
            begun = time.monotonic()
            page.goto(f"{address}study?study=followed")
            page.locator("figure[data-figure=error_against_norm]").wait_for()
            page.wait_for_function(
                """() => document.querySelectorAll("figure[data-drawn]").length
                  === document.querySelectorAll("figure[data-figure]").length""",
                timeout=120_000,
            )
            found.append(time.monotonic() - begun)
            page.close()
        browser.close()
    return found[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followed", type=int, default=360)
    parser.add_argument("--runs", type=int, default=3000)
    args = parser.parse_args()
    lines = ["| study | what | time | of the processor |", "|---|---|--:|--:|"]
    for measure, runs in ((follow, args.followed), (open_many, args.runs)):
        with tempfile.TemporaryDirectory() as folder:
            lines += measure(runs, Path(folder))
            print(*lines[-4:], sep="\n", flush=True)
    print(f"{os.getloadavg()[1]:.0f} processes at work on {os.cpu_count()} cores meanwhile")


if __name__ == "__main__":
    main()
