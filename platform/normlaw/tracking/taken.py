"""Log the curves that were taken of what another program has logged, as runs of kind `imported`.

What a run was when it was imported before, it no longer is when it has gone on, or when other numbers are taken
of it: the newer curve takes the older one's place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from mlflow import MlflowClient
from mlflow.entities import Run

from normlaw.elsewhere.curve import Curve
from normlaw.tracking import keys
from normlaw.tracking.experiment import opened
from normlaw.tracking.imported import sized
from normlaw.tracking.reader import search_runs
from normlaw.tracking.whole_run import WholeRun
from normlaw.tracking.whole_writer import WholeRunWriter
from normlaw.tracking.writer import MAX_NAME_LENGTH

NEWER = "the run was imported again, after it had gone on or with other numbers"


def import_taken(
    client: MlflowClient, study: str, curves: Iterable[Curve], source: str
) -> tuple[int, int, int]:
    """Log each curve as one finished run of the study's experiment, made on first use.

    Args:
        client: of the tracking server.
        study: name of the experiment.
        curves: one at least; they are taken one after the other.
        source: where they come from, kept as a parameter.

    Returns:
        How many curves were logged, how many were already there, and how many gave way to newer ones.

    """
    waiting = iter(curves)
    first = next(waiting)
    norm = next(name for name in first.values if name.startswith(keys.log_norm("")))
    tags = {keys.NORM: norm.removeprefix(keys.log_norm("")), keys.NOTE: "Learning curves measured elsewhere."}
    experiment = opened(client, study, tags)
    before: defaultdict[str, list[Run]] = defaultdict(list)
    for run in search_runs(client, experiment, "imported"):
        if run.info.status == "FINISHED" and (origin := run.data.tags.get(keys.ORIGIN)):
            before[origin].append(run)
    now: dict[str, str] = {}

    def runs() -> Iterator[WholeRun]:
        for curve in chain([first], waiting):
            now[curve.origin] = curve.identity
            yield _run(curve, source)

    written = WholeRunWriter(client, experiment, "imported").write(runs())
    older = [
        run
        for origin, identity in now.items()
        for run in before[origin]
        if run.data.tags.get(keys.SPEC_HASH) != identity
    ]
    for run in older:
        client.set_tag(run.info.run_id, keys.SUPERSEDED, NEWER)
        client.set_terminated(run.info.run_id, "KILLED")
    return written.logged, written.there, len(older)


def _run(curve: Curve, source: str) -> WholeRun:
    about = [
        f"imported P={curve.train_size} seed={curve.seed}",
        *(f"{k}={v}" for k, v in curve.settings.items()),
    ]
    steps = curve.steps.tolist()
    return WholeRun(
        kind="imported",
        identity=curve.identity,
        name=" ".join([*about, curve.name])[:MAX_NAME_LENGTH],
        params={
            **curve.settings,
            "train_size": str(curve.train_size),
            "seed": str(curve.seed),
            "source": source,
        },
        values=[
            *sized(curve.settings, curve.train_size),
            *(
                (name, step, value)
                for name, numbers in curve.values.items()
                for step, value in zip(steps, numbers.tolist(), strict=True)
            ),
        ],
        write_files=partial(_write, curve),
        more_tags={keys.ORIGIN: curve.origin},
    )


def _write(curve: Curve, folder: Path) -> None:
    count = len(curve.steps)
    table = pa.table(
        {
            "train_size": pa.array([curve.train_size] * count, pa.int64()),
            "seed": pa.array([curve.seed] * count, pa.int64()),
            "step": curve.steps,
            **{name: pa.array(values, from_pandas=True) for name, values in curve.values.items()},
        }
    )
    pq.write_table(table, folder / keys.CURVE)
