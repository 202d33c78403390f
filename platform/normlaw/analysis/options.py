"""What a user may choose about an analysis."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from normlaw.protocol_choice import parse_fitter, written, written_fitter
from normlaw_registry import InputError
from normlaw_registry.errors import brief

MAX_SIZE = 2**53
"""Above it a float64 does not tell neighbouring whole numbers apart."""

FLAGS = ("offsets", "draws", "bootstrap_seed", "window", "first_index", "gamma2_first_index")
"""The fields that are parameters of the protocol, under names of their own since before it had any."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices with their defaults.

    Raises:
        InputError: a value makes no sense.

    """

    protocol: str | None = None
    """Name of the protocol; None: the study's, else `DEFAULT_PROTOCOL`."""
    protocol_params: Mapping[str, Any] = field(default_factory=dict)
    """The protocol's parameters; those left out have their defaults."""
    confidence: float = 0.95
    """Level of the confidence limits."""
    hold_out: int = 0
    """Number of the largest train sizes that the endpoint laws are scored on; 0 for none."""
    predict_at: tuple[int, ...] = ()
    """Train sizes at which every endpoint law predicts the least error."""
    compare_norms: bool = False
    """Whether to say in which norm, or in which other clock (steps, epochs, loss), curves are one curve."""
    fitters: Sequence[str | tuple[str, Mapping[str, Any]]] | Mapping[str, Mapping[str, Any]] = ()
    """Fitters that fit their laws too, one's own among them: names, `NAME:KEY=VALUE,KEY=VALUE`, or names with
    parameters."""
    offsets: bool = False
    """Parameter of the protocol: fit the offsets q1 and q2 too, and compare with none."""
    draws: int | None = None
    """Parameter of the protocol: number of bootstrap draws."""
    bootstrap_seed: int | None = None
    """Parameter of the protocol: seed of the bootstrap."""
    window: tuple[float | None, float | None] | None = None
    """Parameter of the protocol: limits of lambda/lambda_opt in the early fit; None leaves that side open."""
    first_index: int | None = None
    """Parameter of the protocol: index of the first train size in the early fit."""
    gamma2_first_index: int | None = None
    """Parameter of the protocol: index of the first train size in the fit of the optimal norm."""

    def __post_init__(self) -> None:
        """Refuse what no protocol could use."""
        if not 0.5 <= self.confidence <= 1 - 1e-9:
            raise InputError(f"confidence must lie in [0.5, 1), 1e-9 below 1 at most, got {self.confidence:g}")
        if self.hold_out < 0:
            raise InputError(f"hold_out must not be negative, got {brief(self.hold_out)}")
        for size in self.predict_at:
            if not 0 < size <= MAX_SIZE:
                raise InputError(f"predict_at: a train size lies between 1 and 2^53, got {brief(size)}")
        named = [name for name, _ in self.named_fitters()]
        if twice := {name for name in named if named.count(name) > 1}:
            raise InputError(f"the fitter {min(twice)!r} is named twice: it could be shown once only")

    def flags(self) -> dict[str, Any]:
        """Return the parameters of the protocol that are given under names of their own."""
        values = {name: getattr(self, name) for name in FLAGS}
        return {name: value for name, value in values.items() if value is not None and value is not False}

    def within(self, study: tuple[str, Mapping[str, Any]] | None) -> Options:
        """Return the choices with a study's own protocol where none is named.

        Args:
            study: the protocol that the study names, and its parameters. Parameters given here go before it;
                where another protocol is named here, the study's plays no part.

        """
        if study is None or self.protocol not in (None, study[0]):
            return self
        own = {name: value for name, value in study[1].items() if name not in self.flags()}
        return replace(self, protocol=study[0], protocol_params={**own, **self.protocol_params})

    def named_fitters(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the fitters named, each with its parameters."""
        if isinstance(self.fitters, Mapping):
            return list(self.fitters.items())
        given = [self.fitters] if isinstance(self.fitters, str) else self.fitters
        return [parse_fitter(item) if isinstance(item, str) else (item[0], item[1]) for item in given]


def command_line(source: Sequence[str], norm: str, options: Options) -> str:
    """Return the command that repeats an analysis: only what differs from the defaults.

    >>> command_line(["--curves", "my curves.csv"], "norm", Options(window=(None, 0.3), protocol="released"))
    "normlaw analyse --curves 'my curves.csv' --norm norm --protocol released --window none 0.3"
    """
    words = ["normlaw", "analyse", *source, "--norm", norm]
    for choice in fields(Options):
        value = getattr(options, choice.name)
        flag = "--" + choice.name.replace("_", "-")
        if value == choice.default or (not value and choice.name not in FLAGS):
            continue
        if choice.name == "window":
            words += [flag, *("none" if limit is None else f"{limit!r}" for limit in value)]
        elif choice.name == "protocol_params":
            words += [word for item in written(value) for word in ("--set", item)]
        elif choice.name == "fitters":
            words += [
                w
                for name, params in options.named_fitters()
                for w in ("--fitter", written_fitter(name, params))
            ]
        elif choice.name == "predict_at":
            words += [word for item in value for word in (flag, str(item))]
        else:
            words += [flag] if value is True else [flag, str(value)]
    return shlex.join(words)
