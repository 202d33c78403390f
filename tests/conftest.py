from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # as a run trains; two test processes would fight for two cores

import pytest  # noqa: E402
import yaml  # noqa: E402
from filelock import FileLock  # noqa: E402

from normlaw.execution import process  # noqa: E402
from normlaw_tests import forked, processes, servers, stores  # noqa: E402
from normlaw_tests.servers import MlflowApi, MlflowServer, free_port  # noqa: E402

if TYPE_CHECKING:  # what draws figures is not for the process that gives the others their tests
    from normlaw_tests.launches import Nursery

pytest_plugins = ["normlaw_registry.testing.fixtures"]

CHROMIUM = next(
    filter(
        None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))
    ),
    None,
)
"""The first of these that is installed; the shell draws the same pages and has no windows to care for."""


def pytest_configure() -> None:
    """Let nothing that this process begins outlive it."""
    processes.guard()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what is imported and collected, which is much and kept, and then rarely."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000)
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Spare all processes that run tests but one the seconds that their imports take."""
    if sys.platform == "linux":  # a fork of what has imported everything is safe there
        from normlaw_tests import testers

        testers.fork()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Look for garbage once, as pytest does then five times over; end what testers were forked from."""
    gc.collect()
    gc.freeze()
    if (testers := sys.modules.get("normlaw_tests.testers")) is not None:
        testers.end()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Have `-n auto` run one process more than there are processors: some wait for a server or a worker."""
    found = yield
    return found + ("PYTEST_XDIST_AUTO_NUM_WORKERS" not in os.environ)


LONGEST = (
    "plugins/protocols/test_envelope.py",
    "test_site.py",
    "platform/execution/test_dask.py",
    "test_tutorial.py",
    "test_readme.py",
    "faults/test_killed_writers.py",
    "test_compose_services.py",
    "platform/page/test_in_a_browser.py",
    "platform/training/test_compute.py",
    "platform/verbs/test_api.py",
    "faults/test_launches.py",
    "faults/test_interrupts.py",
    "faults/test_killed.py",
    "platform/analysis/test_extreme_curves.py",
    "platform/tracking/test_mlflow_pages.py",
    "platform/training/test_memory_format.py",
    "platform/test_end_to_end.py",
    "test_notebook.py",
    "platform/analysis/test_honesty.py",
    "test_docs_sequences.py",
)
"""Files whose tests take half a minute and more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process is left alone with one at the end."""
    rank = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    missing = [str(path) for path in rank if not path.is_file()]
    assert not missing, f"LONGEST names what is not there: {missing}"
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, rank.get(item.path, len(rank))))  # else the order stays


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail the last test of a file if a process that the file began is still there."""
    yield
    left = processes.left_behind()
    assert not left, f"left behind: {left}"


@pytest.fixture(scope="session", autouse=True)
def _workers_are_forked() -> Iterator[None]:
    """Spare processes that train, begun in this process, the seconds that their imports take."""
    with forked.workers():
        yield


@pytest.fixture(scope="module")
def spawned_workers() -> Iterator[None]:
    """Have the workers that the tests of a file begin import everything themselves, as a user's do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "CONTEXT", multiprocessing.get_context("spawn"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _figures_are_one_file() -> Iterator[None]:
    """Draw figures as SVG alone and in print alone, unless a test wants all files, or figures in motion."""
    from normlaw_tests import figure_files

    with figure_files.svg_alone(), figure_files.still():
        yield


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw one figure an analysis, where figures are not the point: they take most of its time."""
    from normlaw.analysis import figures
    from normlaw_tests import figure_files

    monkeypatch.setattr(figures, "drawn_of", figure_files.cheapest)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this test run have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def _empty_database(shared_folder: Path, pytestconfig: pytest.Config) -> Callable[[], Path]:
    """Return what makes an SQLite file with MLflow's empty tables, once for each version of MLflow."""

    def made_once() -> Path:
        kept = getattr(pytestconfig, "cache", None)
        folder = kept.mkdir("normlaw") if kept else shared_folder
        path = Path(folder, f"mlflow-{version('mlflow')}.db")
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                servers.make_empty_database(path)
        return path

    return made_once


@pytest.fixture(scope="session")
def empty_database(_empty_database: Callable[[], Path]) -> Path:
    """Return an SQLite file with MLflow's empty tables: making them takes seconds, copying them nothing."""
    return _empty_database()


@pytest.fixture(scope="session", autouse=True)
def _stores_are_copied(_empty_database: Callable[[], Path]) -> Iterator[None]:
    """Spare each SQLite store that a test has made in this process the seconds that its tables take."""
    with stores.copied(_empty_database):
        yield


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[MlflowServer]:
    """Start a server with an SQLite store and served artifacts; it ends with the test session."""
    folder = tmp_path_factory.mktemp("mlflow-server")
    shutil.copy(empty_database, folder / servers.DATABASE)
    with servers.mlflow_server(folder, free_port(), lasting=True) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_process() -> Callable[[Path, int], AbstractContextManager[MlflowServer]]:
    """Return a function that runs a server of the test's own in a folder, at a port; see servers.py."""
    return servers.mlflow_server


@pytest.fixture(scope="session")
def mlflow_api() -> type[MlflowApi]:
    """Return what asks a server, at an address, without MLflow's client."""
    return MlflowApi


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Return a function that writes a study to a file."""

    def write(study: dict[str, Any]) -> Path:
        path = tmp_path / f"{study['name']}.yaml"
        path.write_text(yaml.safe_dump(study, sort_keys=False))
        return path

    return write


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium, headless; tests that need it are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium-headless-shell)")
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra `test` brings playwright")
    with playwright.sync_playwright() as driver:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has none
        # without a GPU, as there is none, and with scripts interpreted: to compile them for speed takes longer
        arguments = [*sandbox, "--disable-gpu", "--js-flags=--no-opt --no-maglev --single-threaded"]
        started = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


class _Nurseries:
    """Has one nursery at a time, and another one when a test was interrupted while it spoke to the last."""

    def __init__(self, empty_database: Path) -> None:
        self.empty_database = empty_database
        self.current: Nursery | None = None

    def take(self) -> Nursery:
        from normlaw_tests.launches import Nursery

        if self.current is None or self.current.interrupted:
            self.close()
            self.current = Nursery(self.empty_database)
        return self.current

    def close(self) -> None:
        if self.current is not None:
            self.current.close()


@pytest.fixture(scope="session")
def _nurseries(empty_database: Path) -> Iterator[_Nurseries]:
    made = _Nurseries(empty_database)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lasting_nursery(_nurseries: _Nurseries) -> Nursery:
    """Return the same for a fixture of a file's tests; it takes launches that are waited for there."""
    return _nurseries.take()


@pytest.fixture
def nursery(_nurseries: _Nurseries) -> Iterator[Nursery]:
    """Return what launches normlaw as a process of its own, without the seconds that its imports take."""
    taken = _nurseries.take()
    yield taken
    taken.kill_all()
