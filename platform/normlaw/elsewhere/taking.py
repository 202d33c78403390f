"""What is taken of runs that another program logged, and under which of normlaw's names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from normlaw.analysis.columns import METRIC, NAME, PREFIX, RESPONSES
from normlaw.elsewhere.quantity import Quantity, quantity
from normlaw.study.spec import RunSpec
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

WHOLE = ("train_size", "seed")
NUMBERS = ("epoch", "alpha")
NORM = re.compile(PREFIX + NAME)
KNOWN = ("names", "step", *WHOLE, *RESPONSES, "log_norm/MEASURE", "train/error", "train/loss", "epoch")


@dataclass(frozen=True)
class Taking:
    """Which parameters and metrics are taken, by normlaw's names.

    Attributes:
        numbers: metrics, such as test/error and log_norm/weight_norm. Those that nobody names are looked for
            under normlaw's own names.
        params: train_size, seed, and what else tells runs apart: the parameter that holds it, or a number.
        names: how the runs are called, `P{train_size}_seed{seed}`: parts in braces are parameters too.
        step: the column of a table that holds the steps; None: `step`, if there is one.

    """

    numbers: Mapping[str, Quantity]
    params: Mapping[str, str]
    names: re.Pattern[str] | None = None
    step: str | None = None

    def metric_of(self, column: str) -> Quantity:
        """Return what a column is taken from: what was said, else the metric of its own name."""
        return self.numbers.get(column) or Quantity(column, column, lambda values: values)

    def param_of(self, column: str) -> str:
        """Return the parameter, or the number, that a column is taken from."""
        return self.params.get(column, column)


def is_metric(name: str) -> bool:
    """Return whether a name is one of normlaw's for a number of a measuring point."""
    return name in NUMBERS or any(form.fullmatch(name) for form in (METRIC, NORM))


def taking(said: Mapping[str, str], where: str = "--take") -> Taking:
    """Return what a mapping from normlaw's names to another program's says.

    Args:
        said: such as {"train_size": "n", "test/error": "1 - val_acc", "log_norm/weight_norm": "log(norm)"};
            the key `names` is a template of the runs' names.
        where: what messages call it.

    Raises:
        InputError: a key is none of normlaw's names, or a value names nothing.

    """
    numbers: dict[str, Quantity] = {}
    params: dict[str, str] = {}
    names = step = None
    for key, value in said.items():
        if key == "names":
            names = template(value, where)
        elif key == "step":
            step = quantity(value, f"{where} {key}").text
        elif is_metric(key):
            numbers[key] = quantity(value, f"{where} {key}")
        elif key in WHOLE or key.partition(".")[0] in RunSpec.model_fields:
            params[key] = quantity(value, f"{where} {key}").text
        else:
            known = list(dict.fromkeys([*KNOWN, *RunSpec.model_fields]))
            raise InputError(f"{where}: {brief(key)} is no name of normlaw's: {suggestion(key, known)}")
    return Taking(numbers, params, names, step)


def read_taking(path: Path) -> dict[str, str]:
    """Return what a YAML file says, a line `normlaw's name: the other's` each.

    Raises:
        InputError: the file cannot be read, or a value is neither a text nor a number; says the line.

    """
    source = YamlSource.read(path)
    for key, value in source.data.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InputError(f"{source.where((key,))}: write the name that the other program gives it")
    return {str(key): str(value) for key, value in source.data.items()}


def template(text: str, where: str) -> re.Pattern[str]:
    """Return a pattern for names of the form of a template.

    >>> template("P{train_size}_seed{seed}", "").fullmatch("P100_seed3").groupdict()
    {'train_size': '100', 'seed': '3'}

    Raises:
        InputError: no part is in braces, or two are called the same or by no plain word.

    """
    parts = re.split(r"\{([^{}]*)\}", text)
    fields = parts[1::2]
    wrong = [name for name in fields if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,50}", name)]
    if not fields or wrong or len(set(fields)) < len(fields) or len(fields) > 10:
        raise InputError(
            f"{where}: {brief(text)} is no template of names: write one like P{{train_size}}_seed{{seed}}"
        )
    pattern = "".join(
        re.escape(part) if at % 2 == 0 else f"(?P<{part}>[^/]+?)" for at, part in enumerate(parts)
    )
    return re.compile(pattern)
