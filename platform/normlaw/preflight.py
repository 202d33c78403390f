"""Check a study's runs before anything is trained: components, data sets, networks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from normlaw.spec import RunSpec
from normlaw.training.data import load_splits
from normlaw_registry import Architecture, Catalogue, Dataset, InputError, NormlawError, validate_params


def check(specs: Iterable[RunSpec], catalogue: Catalogue, folder: Path, *, download: bool = False) -> None:
    """Load every data set and build every network once, before anything is trained.

    Files of data sets that are not there are fetched with `download`, and only here.

    Raises:
        InputError: a train_size is larger than its data set, files are missing, or a network does not fit.

    """
    seen: set[str] = set()
    for spec in sorted(specs, key=lambda spec: -spec.train_size):  # the largest size of each pair comes first
        pair = f"{spec.dataset!r} {spec.architecture!r}"
        if pair in seen or catalogue.get(Dataset, spec.dataset.name).seeded:
            continue
        seen.add(pair)
        task = load_splits(spec, catalogue, folder, download=download).task
        architecture = catalogue.get(Architecture, spec.architecture.name)
        try:
            architecture.build(validate_params(architecture, spec.architecture.params), task)
        except NormlawError:
            raise
        except Exception as error:  # a plugin's own code may fail in any way
            raise InputError(
                f"architecture {spec.architecture.name!r} cannot be built for data set {spec.dataset.name!r} "
                f"(inputs {task.input_shape}): {type(error).__name__}: {error}"
            ) from error
