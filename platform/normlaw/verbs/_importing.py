"""The ways of `normlaw import` that are no table: what others logged, other stores, and archives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from normlaw.base.redaction import redacted
from normlaw.elsewhere.collected import Curves
from normlaw.elsewhere.curve import Curve
from normlaw.elsewhere.lightning import lightning_runs
from normlaw.elsewhere.logged import LoggedRun
from normlaw.elsewhere.sources import store_uri
from normlaw.elsewhere.table import table_runs
from normlaw.elsewhere.taking import Taking, read_taking, taking
from normlaw.elsewhere.tensorboard import tensorboard_runs
from normlaw.tracking.archive_origin import opened_archive
from normlaw.tracking.client import connect
from normlaw.tracking.copied import copy_study
from normlaw.tracking.logged_runs import LoggedRuns, experiment_called, is_normlaws
from normlaw.tracking.origin import StoreOrigin
from normlaw.tracking.taken import import_taken
from normlaw_registry import InputError

Counted = tuple[int, int, list[str]]
"""Curves logged, curves that were there, and notes."""


def taking_of(take: Mapping[str, str] | Path | str | None, *, of_table: bool = False) -> Taking | None:
    """Return what is to be taken, from a mapping or a YAML file; None where nothing is said.

    Raises:
        InputError: a name is none of normlaw's, the file cannot be read, or steps are to be taken of what logs
            them with every number.

    """
    if not take:
        return None
    if isinstance(take, Mapping):
        found = taking({str(name): str(value) for name, value in take.items()})
    else:
        found = taking(read_taking(Path(take)), str(take))
    if found.step is not None and not of_table:
        raise InputError("`step` is taken of tables alone: elsewhere every number is logged with its step")
    return found


def folders(path: Path, kind: str, study: str, take: Taking | None, tracking_uri: str | None) -> Counted:
    """Import the runs of a folder that another program logged to."""
    if not path.is_dir():
        raise InputError(f"{path} is no folder, and {kind} logs to one")
    runs = tensorboard_runs(path) if kind == "tensorboard" else lightning_runs(path)
    return _logged(runs, take, str(path), path.resolve().name, study, tracking_uri)


def table(path: Path, study: str, take: Taking, tracking_uri: str | None) -> Counted:
    """Import the runs of a table whose columns are called otherwise than normlaw calls them."""
    return _logged(table_runs(path, take), take, str(path), path.name, study, tracking_uri)


def server(
    source: str, kind: str, study: str, experiment: str, take: Taking | None, tracking_uri: str | None
) -> Counted:
    """Import the runs of an experiment: normlaw's own as they are, unless other numbers are to be taken."""
    uri = store_uri(source)
    there = connect(uri, "read")
    found = experiment_called(there, experiment, redacted(uri))
    if kind == "server":
        kind = "store" if take is None and is_normlaws(there, found) else "mlflow"
    if kind == "mlflow":
        runs = LoggedRuns(there, found, take or taking({}))
        where = f"experiment {experiment!r} at {redacted(uri)}"
        logged, known, notes = _logged(runs, take, where, f"MLflow {experiment}", study, tracking_uri)
        return logged, known, [*notes, *runs.notes]
    if take is not None:
        raise InputError("runs of normlaw's own are copied as they are, and nothing is taken of them")
    client = connect(tracking_uri)
    if client.tracking_uri == there.tracking_uri and experiment == study:
        raise InputError(f"{redacted(uri)} is where study {study!r} is: nothing to import")
    return (*copy_study(client, study, StoreOrigin(there, found)), [])


def archive(path: Path, study: str, tracking_uri: str | None) -> Counted:
    """Import an archive's runs as they were."""
    with opened_archive(path) as origin:
        return (*copy_study(connect(tracking_uri), study, origin), [])


def _logged(
    runs: Iterable[LoggedRun],
    take: Taking | None,
    where: str,
    source: str,
    study: str,
    tracking_uri: str | None,
) -> Counted:
    curves = Curves(runs, take or taking({}), where)
    begun = _begun(curves)  # a source that cannot be used makes no study
    logged, known, older = import_taken(connect(tracking_uri), study, begun, source)
    if older:
        curves.notes.append(f"{older} curves imported before gave way to newer ones of the same runs")
    return logged, known, curves.notes


def _begun(curves: Iterable[Curve]) -> Iterator[Curve]:
    """Return the curves after the first has been made."""
    waiting = iter(curves)
    return chain([next(waiting)], waiting)
