"""What is told when launcher, scheduler and workers do not fit together, or are not there."""

from __future__ import annotations

import dataclasses
import gc
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster' (Dask)")

from distributed.utils import LoopRunner  # noqa: E402

from normlaw.execution.choice import ExecutorChoice  # noqa: E402
from normlaw.execution.cluster.configuration import (  # noqa: E402
    BatchConfiguration,
    DaskConfiguration,
    read_configuration,
)
from normlaw.execution.cluster.executor import ClusterExecutor  # noqa: E402
from normlaw.execution.cluster.fitness import (  # noqa: E402
    Errand,
    UnfitWorkerError,
    check_scheduler_and_workers,
    require_fit,
    require_one_folder,
    versions_here,
)
from normlaw.execution.cluster.shared_folder import Token, sight_of  # noqa: E402
from normlaw.execution.cluster.sites import DaskSite, quiet_client  # noqa: E402
from normlaw_registry import InputError  # noqa: E402


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    """Start a scheduler in this process, without workers."""
    with distributed.LocalCluster(
        n_workers=0, processes=False, threads_per_worker=1, protocol="tcp://", dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.fixture
def errand(tmp_path: Path) -> Iterator[Errand]:
    with Token(tmp_path) as token:
        yield Errand("normlaw-test", versions_here([]), token.path, token.text)


def opened(address: str, home: Path, **configuration: object) -> None:
    site = DaskSite(address, DaskConfiguration.model_validate(configuration))
    with ClusterExecutor(site, home, [], print):
        pytest.fail("nothing was wrong")


def test_an_unreachable_scheduler_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("normlaw.execution.cluster.connection.SECONDS_TO_CONNECT", 1.0)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 .*dask scheduler"):
        opened("tcp://127.0.0.1:9", tmp_path)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at .*gone.json"):
        opened(str(tmp_path / "gone.json"), tmp_path)
    assert not tmp_path.exists() or not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tcp://localhost:port", "nonsense://localhost:8786"])
def test_of_a_client_that_did_not_connect_nothing_waits_for_garbage_collection(address: str) -> None:
    """Python may collect garbage while another client starts, which holds the lock that closing one takes."""
    gc.freeze()  # of what was there before, nothing is looked for
    told: list[BaseException] = []
    try:
        quiet_client(address, 0.2)
    except (OSError, InputError) as error:
        told.append(error)
    assert told

    def collect() -> None:
        told.clear()
        gc.collect()

    collecting = threading.Thread(target=collect, daemon=True)
    with LoopRunner._lock:
        collecting.start()
        collecting.join(30)
        assert not collecting.is_alive()


@pytest.mark.parametrize("address", ["localhost:8786", "tcp://localhost:port", "nonsense://localhost:8786"])
def test_what_is_no_address_is_told(address: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"--scheduler {address}: "):
        opened(address, tmp_path)


def test_a_file_that_is_no_scheduler_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "scheduler.json").write_text("[]")
    with pytest.raises(InputError, match="no scheduler file of Dask's"):
        opened(str(tmp_path / "scheduler.json"), tmp_path)


def test_a_scheduler_without_workers_is_told(scheduler: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no worker has come .* within 0.3 seconds.*--nthreads 1"):
        opened(scheduler.scheduler_address, tmp_path, worker_seconds=0.3)


def test_workers_are_checked(scheduler: Any, errand: Errand) -> None:
    with distributed.Client(scheduler, set_as_default=False) as client:
        scheduler.scale(1)
        client.wait_for_workers(1)
        assert check_scheduler_and_workers(client, errand, {}) == []
        with pytest.raises(InputError, match=r"none of the 1 workers .* --resources GPU=1"):
            check_scheduler_and_workers(client, errand, {"GPU": 1.0})
        older = (("python", "3.11.1"), ("torch", "2.0.1+cu118"), ("surely_no_plugin", "1.0"))
        told = r"torch [0-9.]+ instead of 2.0.1, no surely_no_plugin; install the same"
        with pytest.raises(InputError, match=told):
            check_scheduler_and_workers(client, dataclasses.replace(errand, versions=older), {})
        scheduler.scale(0)


def test_a_worker_that_comes_later_is_checked(errand: Errand) -> None:
    require_fit("tcp://w:1", 1, errand)
    with pytest.raises(UnfitWorkerError, match=r"worker tcp://w:1 has 8 threads.*--nthreads 1"):
        require_fit("tcp://w:1", 8, errand)
    with pytest.raises(UnfitWorkerError, match=r"worker tcp://w:1 has torch .* instead of 1.0"):
        require_fit("tcp://w:1", 1, dataclasses.replace(errand, versions=(("torch", "1.0"),)))


def test_a_folder_that_is_not_shared_is_told(tmp_path: Path) -> None:
    with Token(tmp_path) as token:
        assert sight_of(token.path, token.text, 0) == "locked"
        assert sight_of(token.path, "of another folder at the same path", 0) == "not there"
        assert sight_of(tmp_path / "elsewhere" / token.path.name, token.text, 0) == "not there"
        with pytest.raises(InputError, match=f"worker w does not see {tmp_path}: .*NORMLAW_HOME"):
            require_one_folder("w", "not there", token.path)
        with pytest.raises(InputError, match="has no file locks there"):
            require_one_folder("w", "no locks", token.path)
    unlocked = tmp_path / "unlocked"
    unlocked.write_text("text")
    assert sight_of(unlocked, "text", 0) == "not locked"
    assert "warning: file locks" in str(require_one_folder("w", "not locked", token.path))
    assert not token.path.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gpu: 1", "cluster.yaml:1: gpu: unknown key, did you mean gpus?"),
        ("memory: plenty", "cluster.yaml:1: memory: 'plenty' is no amount of memory"),
        ("\nworker_seconds: soon", "cluster.yaml:2: worker_seconds: "),
        ("queue: gpu", "cluster.yaml:1: queue: unknown key"),
    ],
)
def test_a_wrong_configuration_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_configuration(path, DaskConfiguration)
    assert told in str(caught.value)


def test_what_a_task_takes(tmp_path: Path) -> None:
    assert read_configuration(None, DaskConfiguration).needs == {}
    path = tmp_path / "cluster.yaml"
    path.write_text("gpus: 1\nmemory: 8 GB\n")
    assert read_configuration(path, DaskConfiguration).needs == {"GPU": 1.0, "MEMORY": 8e9}
    with pytest.raises(InputError, match="give --cluster-config FILE, a YAML file with at least `jobs`"):
        read_configuration(None, BatchConfiguration)


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (ExecutorChoice("local", scheduler="tcp://a:1"), "--scheduler belongs to --executor dask"),
        (ExecutorChoice("slurm", scheduler="tcp://a:1"), "--scheduler belongs to --executor dask"),
        (ExecutorChoice("local", configuration=Path("c.yaml")), "--cluster-config belongs to"),
        (ExecutorChoice("dask"), "--executor dask: give --scheduler"),
        (ExecutorChoice("dask", "tcp://a:1", Path("no.yaml")), "no.yaml: cannot be read"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    choice: ExecutorChoice, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    with pytest.raises(InputError, match=told):
        choice.open(tmp_path, [], print)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["distributed", "dask_jobqueue"])
def test_a_missing_extra_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"needs Dask \({name} .*pip install 'normlaw\[cluster\]'"):
        ExecutorChoice("dask", "tcp://a:1").open(tmp_path, [], print)
