"""`normlaw measure`: the norms of saved weights, so that a series of checkpoints becomes an abscissa."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.base.redaction import first_line
from normlaw.training.abscissas import abscissas
from normlaw_registry import InputError, load_catalogue
from normlaw_registry.errors import brief

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from normlaw.observing.beginning import Measures
    from normlaw_registry import LayerRule, MeasuredValue


@dataclass(frozen=True)
class Measured:
    """The norms of one file of weights."""

    step: int
    path: Path
    norms: Mapping[str, MeasuredValue]
    """By the measure's name; one that is not defined there is left out."""
    unplaced: tuple[str, ...]
    """Names in the file that the model has no place for."""


def measure(
    model: nn.Module,
    batch: Any,
    weights: Sequence[Path | str],
    *,
    measures: Measures,
    layer_rules: Mapping[type[nn.Module], LayerRule] | None = None,
) -> pd.DataFrame:
    """Return the norms of saved weights, in the order of training; `normlaw measure`.

    Columns: step, weights (the file), and log_norm/<measure> (natural log) for each measure. The same weights
    give the same bits as `normlaw.observe` gives in training. Of norms that compare with the initial weights,
    these are those of the first file.

    Args:
        model: takes the weights, one file's after the other; it is changed.
        batch: what it is called with; see `observe`.
        weights: files of torch or of safetensors, or folders that transformers has written. The step is the
            number by which their names differ; where they differ otherwise, they are numbered as given.
        measures: the norms, by name.
        layer_rules: for layer types that normlaw has no rule for.

    Raises:
        InputError: a file cannot be read, or is of another model; a layer has no rule, a measure is unknown.

    """
    import pandas as pd

    return pd.DataFrame(
        {
            "step": found.step,
            "weights": str(found.path),
            **{f"log_norm/{name}": log_norm for name, log_norm in abscissas(found.norms).items()},
        }
        for found in measured(model, batch, weights, measures=measures, layer_rules=layer_rules)
    )


def measured(
    model: nn.Module,
    batch: Any,
    weights: Sequence[Path | str],
    *,
    measures: Measures,
    layer_rules: Mapping[type[nn.Module], LayerRule] | None = None,
) -> Iterator[Measured]:
    """Yield the norms of each file as soon as they are taken; arguments and errors as `measure` has them."""
    from normlaw.observing.beginning import chosen_measures
    from normlaw.observing.network import observed
    from normlaw.observing.norms import Norms
    from normlaw.observing.weights import in_order, put_into, read_weights

    catalogue = load_catalogue()
    chosen = chosen_measures(measures, catalogue)
    norms: Norms | None = None
    for step, path in in_order([Path(file) for file in weights]):
        unplaced = put_into(model, read_weights(path), path)
        norms = norms or Norms(chosen, observed(model, batch), catalogue, layer_rules)
        yield Measured(step, path, norms.take(), tuple(unplaced))


def curves(
    found: Iterable[Measured],
    *,
    errors: Path | None = None,
    train_size: int | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda said: None,
) -> pd.DataFrame:
    """Return norms as a table, a row a norm: step, measure, log_norm and weights (the file).

    With errors it is one that `normlaw analyse --curves` reads: train_size and seed come first, test_error or
    test_loss last, and the file's name is left out.

    Args:
        found: the norms.
        errors: CSV file with a row for each step.
        train_size: number of training examples; needed with `errors`.
        seed: of the training.
        tell: is told of each file as it is done.

    Raises:
        InputError: the errors cannot be read, or a step has none.

    """
    import pandas as pd

    if errors is not None and train_size is None:
        raise InputError("`train_size` is needed with errors: a curve belongs to a number of training examples")
    known = None if errors is None else _errors(errors)
    rows: list[dict[str, Any]] = []
    for one in found:
        extra = f"; no place in the model for {brief(list(one.unplaced))}" if one.unplaced else ""
        tell(f"{one.path}: step {one.step}{extra}")
        for name, log_norm in abscissas(one.norms).items():
            row: dict[str, Any] = {"step": one.step, "measure": name, "log_norm": log_norm}
            if train_size is not None:
                row = {"train_size": train_size, "seed": seed, **row}
            if known is None:
                rows.append({**row, "weights": str(one.path)})
            elif one.step in known:
                rows.append({**row, **known[one.step]})
            else:
                raise InputError(f"{errors}: has no step {one.step}, of which there are weights: {one.path}")
    return pd.DataFrame(rows)


def _errors(path: Path) -> dict[int, dict[str, float]]:
    """Return what is given for each step."""
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as CSV: {error}") from None
    responses = [name for name in ("test_error", "test_loss") if name in table.columns]
    if "step" not in table.columns or not responses:
        raise InputError(
            f"{path}: needs the columns step and test_error or test_loss, has {list(table.columns)}"
        )
    if table["step"].duplicated().any():
        raise InputError(f"{path}: a step stands twice: {table['step'][table['step'].duplicated()].iloc[0]}")
    return {
        int(step): dict(zip(responses, values, strict=True))
        for step, *values in table[["step", *responses]].itertuples(index=False)
    }


def made(target: str) -> tuple[nn.Module, Any]:
    """Return the model and the batch that a function makes, named 'MODULE:FUNCTION' or 'FILE.py:FUNCTION'.

    Raises:
        InputError: there is no such function, it fails, or it returns something else.

    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise InputError(f"{target!r} names no function: write MODULE:FUNCTION, or FILE.py:FUNCTION")
    found: Callable[[], Any] | None = getattr(_module(place), name, None)
    if not callable(found):
        raise InputError(f"{place} has no function {name!r}")
    try:
        pair = found()
    except Exception as error:
        raise InputError(
            f"{target}() failed, which is called without arguments: {type(error).__name__}: {first_line(error)}"
        ) from error
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InputError(
            f"{target} must return two things, the model and a batch that it can be called with; it returned "
            f"{type(pair).__name__}"
        )
    return pair[0], pair[1]


def _module(place: str) -> Any:
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(place).stem, place)
        if spec is None or spec.loader is None or not Path(place).is_file():
            raise InputError(f"{place}: there is no such file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(place)
    except ImportError as error:
        raise InputError(f"{place} cannot be imported: {error}") from None
