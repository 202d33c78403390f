"""The floor of the loss that a study's data set knows."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw.study.run_options import LossChoice
from normlaw.study.spec import RunSpec
from normlaw_registry import Catalogue, Dataset, InputError, validate_params

OF_THE_DATASET = "dataset"
"""In the place of a number: the floor is the one that the data set gives."""
PLAIN = LossChoice()
"""The loss that the floor is of: the cross-entropy."""


def known_floor(specs: Iterable[RunSpec], catalogue: Catalogue) -> float:
    """Return the least test loss that the data set of all runs knows, in nats.

    Raises:
        InputError: a data set knows none, those of the runs have several, or a run's loss is not the plain
            cross-entropy, which the floor is of.

    """
    floors: dict[float, str] = {}
    known: dict[str, float] = {}
    for spec in specs:
        if spec.loss.name != PLAIN.name or any(spec.loss.params.values()):
            raise InputError(
                "`floor: dataset` is the least cross-entropy, and the loss of the runs is another one: give a "
                "number"
            )
        key = repr(spec.dataset)
        if key not in known:
            known[key] = _floor(spec, catalogue)
            floors.setdefault(known[key], spec.dataset.name)
    if len(floors) > 1:
        told = ", ".join(f"{floor:g} nats ({name})" for floor, name in floors.items())
        raise InputError(
            f"`floor: dataset` is one for all runs, and their data have {told}: make studies of them"
        )
    return next(iter(floors))


def _floor(spec: RunSpec, catalogue: Catalogue) -> float:
    dataset = catalogue.get(Dataset, spec.dataset.name)
    info = None if dataset.info is None else dataset.info(validate_params(dataset, spec.dataset.params))
    if info is None or info.loss_floor is None:
        raise InputError(
            f"data set {spec.dataset.name!r} knows no least loss: give `floor` as a number, or leave it out"
        )
    return info.loss_floor
