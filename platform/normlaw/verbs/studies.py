"""`normlaw studies`: the studies that come with normlaw, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from normlaw.study.expansion import expand
from normlaw.study.named import find_study, shipped_studies
from normlaw.study.study import at_scale
from normlaw.training.shared_steps import shared_steps
from normlaw_registry import load_catalogue

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.study.spec import RunSpec


def studies(*names: str, time: bool = False) -> pd.DataFrame:
    """Return studies (none named: the shipped ones) and their scales; `normlaw studies`.

    Args:
        names: shipped studies, or paths of YAML files.
        time: whether to add the column hours, from a timing of some seconds a study on this machine.

    Returns:
        Columns name, scale, runs, steps (optimiser steps, all runs together; those that arms share with their
        trunk once), description, and hours (with one
        run on each core; missing where it is not known).

    Raises:
        InputError: there is no such study, or it is wrong.

    """
    import pandas as pd

    return pd.DataFrame(list(rows(names, time=time)))


def rows(names: Sequence[str], *, time: bool = False) -> Iterator[dict[str, Any]]:
    """Yield each row of `studies`, in JSON's own types, as soon as it is known."""
    catalogue = load_catalogue()
    for name in names or tuple(shipped_studies()):
        whole = find_study(name)
        for scale in (None, *whole.scales):
            study = whole if scale is None else at_scale(whole, scale)
            specs = expand(study, catalogue)
            hashes = {spec.spec_hash for spec in specs}
            steps = sum(spec.total_steps - shared_steps(spec, hashes) for spec in specs)
            row: dict[str, Any] = {"name": name, "scale": scale, "runs": len(specs), "steps": steps}
            row["description"] = study.description
            if time:
                row["hours"] = _hours(specs)
            yield row


def _hours(specs: Sequence[RunSpec]) -> float | None:
    from normlaw.execution.devices import available_cores
    from normlaw.training.cost import study_seconds

    seconds = study_seconds(specs, load_catalogue())
    return None if seconds is None else seconds / 3600 / min(available_cores(), len(specs))
