"""What a user may choose about an analysis."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import inf
from typing import TYPE_CHECKING, Any

from normlaw.study.collapse_choice import TRAIN_SIZE, checked_abscissa
from normlaw.study.protocol_choice import OwnChoices, parse_fitter, written, written_fitter
from normlaw_registry import InputError, Response
from normlaw_registry.errors import brief

if TYPE_CHECKING:
    import pandas as pd

MAX_SIZE = 2**53
"""Above it a float64 does not tell neighbouring whole numbers apart."""

FLAGS = ("offsets", "draws", "bootstrap_seed", "window", "first_index", "gamma2_first_index")
"""The fields that are parameters of the protocol, under names of their own since before it had any."""

Fitters = Sequence[str | tuple[str, Mapping[str, Any]]] | Mapping[str, Mapping[str, Any]]
"""Fitters by name, as `NAME:KEY=VALUE,KEY=VALUE`, or with parameters."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Choices with their defaults.

    Raises:
        InputError: a value makes no sense.

    """

    protocol: str | None = None
    """Name of the protocol; None: the study's, else the one that is taken by default."""
    protocol_params: Mapping[str, Any] = field(default_factory=dict)
    """The protocol's parameters; those left out have their defaults."""
    confidence: float = 0.95
    """Level of the confidence limits."""
    response: str | None = None
    """What falls with the norm: test_error or test_loss; None: the study's, else test_error."""
    floor: float | None = None
    """What is known to be the least that the response can be; laws are fitted to the excess. None: the study's,
    else 0."""
    from_norm: float | None = None
    """Norms below are left out, as of a start that training has not forgotten yet; None: the study's."""
    from_train_size: int | None = None
    """Train sizes below are left out, as where a law of large P does not hold yet; None: the study's."""
    hold_out: int = 0
    """Number of the largest train sizes that the endpoint laws are scored on; 0 for none."""
    predict_at: Sequence[int] = ()
    """Train sizes at which every endpoint law predicts the least error."""
    compare_norms: bool = False
    """Whether to say in which norm, or in which other clock (steps, epochs, loss), curves are one curve."""
    collapse: str | None = None
    """Abscissa of normalised curves compared with the noise floor of their seeds: compute, steps, norm or
    departure; None: as the study says, else none."""
    collapse_over: str | None = None
    """The parameter that holds the sizes of that comparison; None: the study's, else train_size."""
    fitters: Fitters = ()
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
        if self.response is not None or (self.floor is not None and not 0 <= self.floor < inf):
            _ = self.measured  # a floor alone may be that of the study's response
        if self.from_norm is not None and not 0 < self.from_norm < inf:
            raise InputError(f"from_norm must be a positive number, got {self.from_norm:g}")
        if self.from_train_size is not None and not 0 < self.from_train_size <= MAX_SIZE:
            raise InputError(f"from_train_size lies between 1 and 2^53, got {brief(self.from_train_size)}")
        if self.collapse is not None:
            checked_abscissa(self.collapse)
        named = [name for name, _ in self.named_fitters()]
        if twice := {name for name in named if named.count(name) > 1}:
            raise InputError(f"the fitter {min(twice)!r} is named twice: it could be shown once only")

    @property
    def measured(self) -> Response:
        """What is analysed."""
        return Response(quantity=self.response or "test_error", floor=self.floor or 0.0)  # type: ignore[arg-type]

    @property
    def plain(self) -> bool:
        """Whether all test errors are analysed, as they were measured."""
        return self.measured == Response() and self.from_norm is None and self.from_train_size is None

    @property
    def sizes_elsewhere(self) -> bool:
        """Whether the sizes that are compared are no train sizes, but widths or the like."""
        return self.collapse is not None and self.collapse_over not in (None, TRAIN_SIZE)

    def flags(self) -> dict[str, Any]:
        """Return the parameters of the protocol that are given under names of their own."""
        values = {name: getattr(self, name) for name in FLAGS}
        return {name: value for name, value in values.items() if value is not None and value is not False}

    def within(self, study: OwnChoices | None, own_norm: bool = True) -> Options:
        """Return the choices with a study's own where none are made here.

        Args:
            study: what the study says. Choices made here go before it; where another protocol is named here,
                the parameters of the study's play no part, and where another response is, its floor.
            own_norm: whether the laws are read in the study's own norm: only there its `from_norm` says
                anything.

        """
        if study is None:
            return self
        chosen = self
        if study.protocol is not None and self.protocol in (None, study.protocol):
            own = {name: value for name, value in study.params.items() if name not in self.flags()}
            chosen = replace(chosen, protocol=study.protocol, protocol_params={**own, **self.protocol_params})
        if self.response in (None, study.response or "test_error"):
            floor = study.floor if self.floor is None else self.floor
            chosen = replace(chosen, response=study.response, floor=floor)
        if self.from_norm is None and own_norm:
            chosen = replace(chosen, from_norm=study.from_norm)
        if self.from_train_size is None:
            chosen = replace(chosen, from_train_size=study.from_train_size)
        if self.collapse is None:
            chosen = replace(chosen, collapse=study.collapse)
        if self.collapse_over is None:
            chosen = replace(chosen, collapse_over=study.collapse_over)
        return chosen

    def named_fitters(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the fitters named, each with its parameters."""
        if isinstance(self.fitters, Mapping):
            return list(self.fitters.items())
        given = [self.fitters] if isinstance(self.fitters, str) else self.fitters
        return [parse_fitter(item) if isinstance(item, str) else (item[0], item[1]) for item in given]


def for_curves(options: Options, curves: pd.DataFrame) -> Options:
    """Return the options for curves that may have no errors, as those of a regression: the loss is analysed."""
    lossy = "test_error" not in curves.columns and "test_loss" in curves.columns
    return replace(options, response="test_loss") if options.response is None and lossy else options


def of_response(options: Options) -> str:
    """Return what a title says about the response where it is not the test error."""
    return "" if options.measured == Response() else f", {options.measured.described}"


def command_line(source: Sequence[str], norm: str, options: Options, verb: str = "analyse") -> str:
    """Return the command that repeats an analysis: only what differs from the defaults.

    >>> command_line(["--curves", "my curves.csv"], "norm", Options(window=(None, 0.3), protocol="released"))
    "normlaw analyse --curves 'my curves.csv' --norm norm --protocol released --window none 0.3"
    """
    return shlex.join(["normlaw", verb, *source, *(["--norm", norm] if norm else []), *_words(options)])


def other_choices(norm: str, options: Options, own: Options, *, by_default: bool) -> str:
    """Return what the name of an analysis says about choices, besides the response, that are not the study's.

    Args:
        norm: the norm, where it is not the study's own; else empty.
        options: what was chosen.
        own: what the study chooses.
        by_default: whether the protocol is the one that is taken where none is named.

    >>> other_choices("l1_norm", Options(from_train_size=60), Options(), by_default=True)
    ' in l1_norm (--from-train-size 60)'
    >>> other_choices("", Options(protocol="envelope"), Options(), by_default=True)
    ''

    """
    told = {"response", "floor"}
    if own.protocol is None and by_default:
        told.add("protocol")
    names = {choice.name for choice in fields(Options)} - told
    names = {name for name in names if getattr(options, name) != getattr(own, name)}
    words = _words(Options(**{name: getattr(options, name) for name in names}))
    return (f" in {norm}" if norm else "") + (f" ({shlex.join(words)})" if words else "")


def _words(options: Options) -> list[str]:
    """Return the words of a command that choose what differs from the defaults."""
    words: list[str] = []
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
    return words
