"""What Dask costs a task: finished runs handed out and taken back by two workers, nothing trained.

Prints milliseconds a task for a function that returns at once and for normlaw's task, and their ratio.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter

from distributed import Client, LocalCluster

from normlaw.execution.cluster.configuration import DaskConfiguration
from normlaw.execution.cluster.executor import ClusterExecutor
from normlaw.execution.cluster.sites import DaskSite
from normlaw.execution.job import Job
from normlaw.machine import environment
from normlaw.study.expansion import expand
from normlaw.study.home import journal_path
from normlaw.study.study import Study
from normlaw.tracking.journal import Journal
from normlaw_registry import load_catalogue

RUNS = 300
STUDY = {
    "name": "finished",
    "fixed": {
        "architecture": "cnn",
        "dataset": "digits",
        "train_size": 100,
        "epochs": 1,
        "measures": ["weight_norm"],
    },
    "vary": {"seed": {"count": RUNS}},
}


def plain(address: str) -> float:
    """Return the seconds of as many tasks that do nothing, handed to Dask all at once."""
    with Client(address, set_as_default=False) as client:
        begun = perf_counter()
        client.gather(client.map(abs, range(RUNS), pure=False))
        return perf_counter() - begun


def through_normlaw(address: str, home: Path) -> float:
    """Return the seconds of as many runs that turn out to be finished, window and journals included."""
    catalogue = load_catalogue()
    specs = expand(Study.model_validate(STUDY), catalogue)
    described = environment.describe(catalogue)
    for spec in specs:
        with Journal(journal_path(home, "finished", spec.spec_hash)) as journal:
            journal.start(spec, described)
            journal.end("finished")
    job = Job("finished", "weight_norm", home, home / "data", "cpu", described, 1)
    with ClusterExecutor(DaskSite(address, DaskConfiguration()), home, [], print) as executor:
        list(executor.execute([(spec,) for spec in specs[:4]], job, lambda news: None))  # torch is imported
        begun = perf_counter()
        assert sum(1 for _ in executor.execute([(spec,) for spec in specs], job, lambda news: None)) == RUNS
        return perf_counter() - begun


def main() -> None:
    """Measure, and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        bare = plain(cluster.scheduler_address)
        ours = through_normlaw(cluster.scheduler_address, Path(folder))
    print(
        f"Dask alone {1e3 * bare / RUNS:.1f} ms a task, normlaw {1e3 * ours / RUNS:.1f} ms: {ours / bare:.1f}"
    )


if __name__ == "__main__":
    main()
