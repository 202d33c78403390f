"""What launcher and workers must agree on: versions, one thread a worker, one folder."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from distributed import Client

from normlaw.execution.cluster.shared_folder import Sight, sight_of
from normlaw_registry import InputError, NormlawError

ALWAYS = ("normlaw", "torch", "distributed")


class UnfitWorkerError(NormlawError):
    """A worker cannot train this launch's runs as the launcher would."""


@dataclass(frozen=True)
class Errand:
    """What a worker is told of the launch besides the runs."""

    launch: str
    versions: tuple[tuple[str, str], ...]
    """Distribution -> version, as the launcher has them."""
    token_path: Path
    token_text: str


def versions_here(plugins: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the versions that a worker must have: Python's, normlaw's, torch's, Dask's, the plugins'."""
    names = sorted({*ALWAYS, *plugins})
    return (("python", platform.python_version()), *((name, version(name)) for name in names))


def differences(wanted: Iterable[tuple[str, str]], found: Mapping[str, str | None]) -> list[str]:
    """Return how the versions found differ from those wanted, each as a phrase.

    Builds of one version count as equal (torch 2.13.0+cpu and 2.13.0+cu130), as do patches of Python.

    >>> differences([("torch", "2.13.0+cpu"), ("python", "3.11.7")], {"torch": "2.12.1", "python": "3.11.9"})
    ['torch 2.12.1 instead of 2.13.0']
    """
    told = []
    for name, here in wanted:
        there = found.get(name)
        if there is None:
            told.append(f"no {name}")
        elif _comparable(name, there) != _comparable(name, here):
            told.append(f"{name} {_comparable(name, there)} instead of {_comparable(name, here)}")
    return told


def _comparable(name: str, text: str) -> str:
    return ".".join(text.split(".")[:2]) if name == "python" else text.partition("+")[0]


def check_scheduler_and_workers(client: Client, errand: Errand, needs: Mapping[str, float]) -> list[str]:
    """Check all workers that are there, and return what the user should be warned of.

    Raises:
        InputError: a worker has other versions, several threads, or does not see the launcher's folder; no
            worker has what a task needs.

    """
    wanted = dict(errand.versions)
    answers = client.get_versions(packages=[name for name in wanted if name != "python"])
    asked = {"the scheduler": answers["scheduler"]}
    asked.update((f"worker {address}", answer) for address, answer in answers["workers"].items())
    for who, answer in asked.items():
        if different := differences(errand.versions, answer["packages"]):
            raise InputError(
                f"{who} has {', '.join(different)}; install the same versions of everything for the launcher, "
                "the scheduler and the workers"
            )
    workers: dict[str, dict[str, Any]] = client.scheduler_info(n_workers=-1)["workers"]
    for address, worker in workers.items():
        if worker["nthreads"] != 1:
            raise InputError(_threads(address, worker["nthreads"]))
    if not any(
        all(w["resources"].get(name, 0) >= amount for name, amount in needs.items()) for w in workers.values()
    ):
        resources = ",".join(f"{name}={amount:g}" for name, amount in needs.items())
        raise InputError(
            f"none of the {len(workers)} workers offers what a task needs; start them with "
            f"--resources {resources}, or ask for less in --cluster-config"
        )
    warnings: dict[str, None] = {}
    for address, sight in client.run(sight_of, errand.token_path, errand.token_text).items():
        if warning := require_one_folder(address, sight, errand.token_path):
            warnings[warning] = None
    return list(warnings)


def require_fit(address: str, threads: int, errand: Errand) -> None:
    """Check, on a worker, that it may take runs of this launch.

    Raises:
        UnfitWorkerError: says what is different from the launcher.

    """
    if different := differences(errand.versions, _found(name for name, _ in errand.versions)):
        raise UnfitWorkerError(
            f"worker {address} has {', '.join(different)}; install the same versions for launcher and workers"
        )
    if threads != 1:
        raise UnfitWorkerError(_threads(address, threads))
    try:
        require_one_folder(address, sight_of(errand.token_path, errand.token_text), errand.token_path)
    except InputError as error:
        raise UnfitWorkerError(str(error)) from None


def require_one_folder(address: str, sight: Sight, token: Path) -> str | None:
    """Return a warning where locks do not reach from machine to machine.

    Raises:
        InputError: the worker does not see the launcher's folder, or there are no file locks.

    """
    home = token.parents[1]
    match sight:
        case "locked":
            return None
        case "not locked":
            return (
                f"warning: file locks in {home} do not reach from one machine to another (NFS mounted with "
                "local_lock or nolock, Lustre with localflock); nothing else would stop two launches from "
                "training one run at a time"
            )
        case "no locks":
            raise InputError(f"worker {address}: the file system of {home} has no file locks there")
        case "not there":
            raise InputError(
                f"worker {address} does not see {home}: journals and checkpoints are written there, so "
                "that folder must lie on a file system which launcher and workers share, under one path; "
                "set NORMLAW_HOME"
            )


def _threads(address: str, threads: int) -> str:
    return (
        f"worker {address} has {threads} threads; normlaw trains one run in one thread of a process: start "
        "workers with --nthreads 1 (and --nworkers for several on one machine)"
    )


def _found(names: Iterable[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in names:
        if name != "python":
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = None
    return found
