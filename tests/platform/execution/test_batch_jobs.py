"""The jobs of Slurm and PBS: their scripts as text, and jobs run for real by stand-ins for the commands."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from normlaw_tests.processes import python
from normlaw_tests.waiting import wait_until

pytest.importorskip("distributed", reason="needs the extra 'cluster' (Dask)")

from normlaw.execution.cluster import batch
from normlaw.execution.cluster.batch import BatchSite
from normlaw.execution.cluster.configuration import BatchConfiguration, read_configuration
from normlaw.execution.cluster.executor import ClusterExecutor
from normlaw.execution.job import Job, Progress
from normlaw.machine import environment
from normlaw.study.expansion import expand
from normlaw.study.home import journal_path
from normlaw.study.study import Study
from normlaw.tracking.record import read_journal
from normlaw_registry import Catalogue, InputError, NormlawError

SUBMIT = """#!/bin/sh
cp "$1" "$0.$$"  # the script may be gone as soon as this command has ended
setsid sh "$0.$$" > "{log}" 2>&1 &
echo "Submitted batch job $!"
"""
CANCEL = """#!/bin/sh
kill -TERM -- "-$1"
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put sbatch, scancel, qsub and qdel on the path: a job is a process group of this machine."""
    folder = tmp_path / "commands"
    folder.mkdir()
    for names, text in ((("sbatch", "qsub"), SUBMIT), (("scancel", "qdel"), CANCEL)):
        for name in names:
            (folder / name).write_text(text.format(log=tmp_path / "job.log"))
            (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def configured(tmp_path: Path, **keys: Any) -> BatchConfiguration:
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(keys))
    return read_configuration(path, BatchConfiguration)


GPU_JOBS: dict[str, Any] = {
    "jobs": 20,
    "queue": "gpu",
    "account": "learning-curves",
    "walltime": "04:00:00",
    "cores": 8,
    "memory": "32 GB",
    "gpus": 2,
    "job_script_prologue": ["module load python/3.11", "source ~/normlaw/bin/activate"],
    "interface": "lo",
    "scheduler_options": {"dashboard_address": ":0"},
}


def script(system: batch.System, tmp_path: Path, **keys: Any) -> list[str]:
    site = BatchSite(system, configured(tmp_path, **{**GPU_JOBS, **keys}), tmp_path)
    try:
        return site.job_script().splitlines()
    finally:
        site.close()


def worker_command(lines: list[str]) -> list[str]:
    return next(line for line in lines if "dask_worker" in line).split()


def check_worker(lines: list[str], tmp_path: Path) -> None:
    command = worker_command(lines)
    assert command[:3] == [sys.executable, "-m", "distributed.cli.dask_worker"]
    assert command[3].startswith("tls://127.0.0.1:")
    options = dict(pairwise(command))
    assert options["--nthreads"] == "1"
    assert options["--nworkers"] == "2"
    assert options["--memory-limit"] == "14.90GiB"  # half of 32 GB
    assert options["--resources"] == "GPU=1,MEMORY=16000000000"
    assert options["--tls-key"].startswith(f"{tmp_path}/cluster/")
    assert lines.index("export MALLOC_ARENA_MAX=1") < lines.index("module load python/3.11")
    assert lines.index("module load python/3.11") < lines.index("source ~/normlaw/bin/activate")
    assert lines.index("source ~/normlaw/bin/activate") < lines.index(" ".join(command))


@pytest.mark.slow
def test_the_script_of_a_slurm_job(commands: Path, tmp_path: Path) -> None:
    lines = script("slurm", tmp_path)
    assert lines[0] == "#!/usr/bin/env bash"
    assert [line for line in lines if line.startswith("#SBATCH")] == [
        "#SBATCH -J normlaw",
        f"#SBATCH -e {tmp_path}/cluster/normlaw-%J.err",
        f"#SBATCH -o {tmp_path}/cluster/normlaw-%J.out",
        "#SBATCH -p gpu",
        "#SBATCH -A learning-curves",
        "#SBATCH -n 1",
        "#SBATCH --cpus-per-task=8",
        "#SBATCH --mem=30G",
        "#SBATCH -t 04:00:00",
        "#SBATCH --gres=gpu:2",
    ]
    check_worker(lines, tmp_path)


def test_the_script_of_a_pbs_job(commands: Path, tmp_path: Path) -> None:
    lines = script("pbs", tmp_path)
    assert [line for line in lines if line.startswith("#PBS")] == [
        "#PBS -N normlaw",
        "#PBS -q gpu",
        "#PBS -A learning-curves",
        "#PBS -l select=1:ncpus=8:ngpus=2:mem=30GB",
        "#PBS -l walltime=04:00:00",
        f"#PBS -e {tmp_path}/cluster/",
        f"#PBS -o {tmp_path}/cluster/",
    ]
    check_worker(lines, tmp_path)


def test_what_the_user_writes_goes_before_what_normlaw_would(commands: Path, tmp_path: Path) -> None:
    own = ["--gpus-per-node=a100:2", "--exclusive"]
    slurm = script("slurm", tmp_path, job_extra_directives=own, tls=False, python="/opt/python")
    assert [line for line in slurm if "gpu:" in line] == []
    assert "#SBATCH --gpus-per-node=a100:2" in slurm
    assert worker_command(slurm)[0] == "/opt/python"
    assert worker_command(slurm)[3].startswith("tcp://")
    pbs = script("pbs", tmp_path, resource_spec="nodes=1:ppn=8:gpus=2")
    assert "#PBS -l nodes=1:ppn=8:gpus=2" in pbs


def test_without_gpus_each_core_is_a_worker(commands: Path, tmp_path: Path) -> None:
    lines = script("slurm", tmp_path, gpus=0)
    options = dict(pairwise(worker_command(lines)))
    assert options["--nworkers"] == "8"
    assert options["--resources"] == "MEMORY=4000000000"
    assert not any("gres" in line for line in lines)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"walltime": 14400}, "walltime: put it in quotes, as in '04:00:00'"),
        ({"workers": 9}, "`workers`: 9 workers of one thread each need as many cores; a job has 8"),
        ({"cores": None}, "Give `cores` in --cluster-config, or jobqueue.slurm.cores"),
        ({"memory": None}, "Give `memory` in --cluster-config"),
        ({"interface": "nowhere0"}, "the scheduler cannot be started"),
    ],
)
def test_a_wrong_configuration_is_told(commands: Path, tmp_path: Path, keys: dict[str, Any], told: str) -> None:
    wrong = {**GPU_JOBS, **keys}
    given = {key: value for key, value in sorted(wrong.items(), key=lambda i: i[0] not in keys) if value}
    with pytest.raises(InputError) as caught:
        BatchSite("slurm", configured(tmp_path, **given), tmp_path)
    assert told in str(caught.value)


def test_a_machine_without_the_commands_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no command qsub here"):
        BatchSite("pbs", configured(tmp_path, **GPU_JOBS), tmp_path)


@pytest.fixture
def job(job: Job, catalogue: Catalogue) -> Job:
    return replace(job, environment=environment.describe(catalogue), checkpoint_seconds=0.0)


CPU_JOBS = {key: value for key, value in GPU_JOBS.items() if key not in ("gpus", "job_script_prologue")} | {
    "jobs": 1,
    "cores": 1,
    "memory": "4 GB",
    "death_timeout": 300,  # a loaded machine starts workers slowly
}


@pytest.mark.slow
def test_jobs_are_submitted_replaced_and_cancelled(
    commands: Path,
    tmp_path: Path,
    tiny: dict[str, Any],
    catalogue: Catalogue,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "SECONDS_UNTIL_REPLACED", 1.0)
    tiny["vary"] = {"train_size": [32], "seed": [0, 1]}
    specs = expand(Study.model_validate(tiny), catalogue)
    jobs: list[int] = []

    def end_the_first_job(news: Progress) -> None:
        """Do as a batch system does when the time is up."""
        if not jobs:
            workers = list(Path("/proc").glob("[0-9]*/cmdline"))
            jobs.extend(int(p.parent.name) for p in workers if str(tmp_path / "cluster") in p.read_text())
            for group in {os.getpgid(pid) for pid in jobs}:
                os.killpg(group, signal.SIGKILL)

    site = BatchSite("slurm", configured(tmp_path, **CPU_JOBS), tmp_path)
    with ClusterExecutor(site, tmp_path, [], print) as executor:
        outcomes = list(executor.execute([(spec,) for spec in specs], job, end_the_first_job))
    assert jobs
    assert sorted(o.spec_hash for o in outcomes) == sorted(spec.spec_hash for spec in specs)
    for spec in specs:
        record = read_journal(journal_path(tmp_path, "tiny", spec.spec_hash))
        assert record is not None
        assert record.status == "finished"
    wait_until(
        lambda: not any(str(tmp_path / "cluster") in _text(p) for p in Path("/proc").glob("[0-9]*/cmdline"))
    )
    assert [path.name for path in (tmp_path / "cluster").iterdir() if "tls" in path.name] == []


def test_a_new_job_may_wait_in_the_queue(
    commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = tmp_path / "submitted"
    (commands / "sbatch").write_text(f"#!/bin/sh\necho one >> {submitted}\necho Submitted batch job 7\n")
    (commands / "scancel").write_text("#!/bin/sh\n")
    monkeypatch.setattr(batch, "SECONDS_UNTIL_REPLACED", 0.0)
    monkeypatch.setattr(batch, "SECONDS_BETWEEN_LOOKS", 0.0)
    at_work: dict[str, bool] = {}
    monkeypatch.setattr(BatchSite, "_at_work", lambda site, client: dict(at_work))

    def submissions(least: int) -> int:
        wait_until(lambda: submitted.exists() and len(submitted.read_text().split()) >= least)
        return len(submitted.read_text().split())

    site = BatchSite("slurm", configured(tmp_path, **CPU_JOBS), tmp_path)
    try:
        client = site.connect(60)
        site.provide_workers(client, unfinished=2)
        submissions(1)
        at_work["SLURMCluster-0"] = True
        site.provide_workers(client, unfinished=2)
        at_work.clear()  # its time is up
        for _ in range(5):
            time.sleep(0.1)
            site.provide_workers(client, unfinished=2)
        assert submissions(2) == 2
    finally:
        site.close()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def test_jobs_that_are_refused_are_told(
    commands: Path, tmp_path: Path, tiny: dict[str, Any], catalogue: Catalogue, job: Job
) -> None:
    (commands / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: Invalid account' >&2\nexit 1\n")
    specs = expand(Study.model_validate(tiny), catalogue)
    site = BatchSite("slurm", configured(tmp_path, **CPU_JOBS), tmp_path)
    told = "Slurm refuses the jobs: sbatch: error: Invalid account"
    with ClusterExecutor(site, tmp_path, [], print) as executor, pytest.raises(NormlawError, match=told):
        list(executor.execute([(spec,) for spec in specs], job, lambda news: None))


def test_ctrl_c_stays_what_it_was() -> None:
    code = (
        "import signal, normlaw.execution.cluster.batch\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    python("-c", code, check=True)
