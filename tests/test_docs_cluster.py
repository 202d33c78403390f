"""The configurations of docs/cluster.md are read, and the job scripts are those that it shows."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs the extra 'cluster' (Dask)")

from click.testing import CliRunner

from normlaw.cli.program import main
from normlaw.execution.cluster.batch import BatchSite, System
from normlaw.execution.cluster.configuration import (
    BatchConfiguration,
    DaskConfiguration,
    read_configuration,
)
from normlaw.study.named import shipped_studies

PAGE = (Path(__file__).parents[1] / "docs" / "cluster.md").read_text()


def block(marker: str) -> str:
    found = re.search(rf"<!-- {marker} -->\n```\w+\n(.+?)```", PAGE, re.DOTALL)
    assert found, marker
    return found[1]


@pytest.mark.parametrize("system", ["slurm", "pbs"])
def test_the_job_scripts_are_those_that_are_shown(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sbatch", "qsub"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    path = tmp_path / "cluster.yaml"
    path.write_text(block(f"example: {system}") + 'scheduler_options: {dashboard_address: ":0"}\n')
    site = BatchSite(system, read_configuration(path, BatchConfiguration), tmp_path)
    try:
        script = site.job_script()
    finally:
        site.close()
    for pattern, shown in (
        (re.escape(sys.executable), "/home/ada/normlaw/bin/python"),
        (re.escape(str(tmp_path)) + r"/cluster/\.dask-jobqueue\S+", "..."),
        (re.escape(str(tmp_path)), "/scratch/ada/normlaw"),
        (r"tls://[\d.]+:\d+", "tls://10.0.0.1:8786"),
        ("dummy-name", "normlaw-0"),
    ):
        script = re.sub(pattern, shown, script)
    assert script.strip() == block(f"output: {system}").strip()


def test_what_a_task_needs_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(block("example: dask"))
    configuration = read_configuration(path, DaskConfiguration)
    assert configuration.needs == {"GPU": 1.0, "MEMORY": 8e9}
    assert configuration.worker_seconds == 300


def test_every_key_is_listed() -> None:
    table = PAGE.partition("## All keys of a job")[2].partition("## What")[0]
    listed = {key for row in re.findall(r"^\| (`.+?) \|", table, re.M) for key in re.findall(r"`(\w+)`", row)}
    assert listed == set(BatchConfiguration.model_fields)


def test_its_commands_have_these_options_and_studies() -> None:
    for marker in ("command: run", "command: slurm"):
        command = shlex.split(block(marker).splitlines()[-1])
        assert command[2] in shipped_studies()
        said = CliRunner().invoke(main, ["run", "--help"]).output
        assert all(word in said for word in command if word.startswith("--"))
