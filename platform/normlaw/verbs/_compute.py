"""The compute that training has spent up to each point of a study's curves, as a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normlaw.study.spec import RunSpec
from normlaw.tracking.archive_origin import ArchiveOrigin
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import StudyRun
from normlaw_registry import Catalogue

if TYPE_CHECKING:
    import pandas as pd

COMPUTE = "compute"


def with_compute(
    curves: pd.DataFrame, store: StudyStore | ArchiveOrigin, runs: Sequence[StudyRun], catalogue: Catalogue
) -> pd.DataFrame:
    """Return curves with the column `compute`: floating-point operations of training up to each point.

    Examples seen times the operations of one, forward and backward. Where it is not known of some run, as of
    one that was imported, the frame is returned as it is.

    Args:
        curves: as `store.curves` returns them.
        store: whose runs they are.
        runs: the runs.
        catalogue: where networks and data sets are found.

    """
    from normlaw.training.flops import flops_per_example

    known: dict[tuple[tuple[str, str], ...], float | None] = {}
    each: dict[str, float] = {}
    for run in runs:
        of = tuple(sorted((k, v) for k, v in run.params.items() if k.startswith(("architecture", "dataset"))))
        if of not in known:
            written = store.specification(run) if run.kind == "training" else None
            spec = None if written is None else RunSpec.model_validate(written)
            known[of] = None if spec is None else flops_per_example(spec, catalogue)
        if (flops := known[of]) is None:
            return curves
        each[run.spec_hash] = flops * run.train_size
    return curves.assign(compute=curves["epoch"] * curves["run"].map(each))
