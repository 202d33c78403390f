"""What every component has: a name, one line of summary, a source and typed parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Generic, Literal, get_args

from pydantic import ConfigDict
from typing_extensions import TypeVar

from normlaw_registry.errors import InvalidComponentError
from normlaw_registry.numbers import Numbers

Dtype = Literal["float32", "bfloat16"]
"""A precision of training."""

NAME_RULE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Params(Numbers):
    """Base of a component's parameters: frozen; an unknown key, or a boolean for a number, is an error.

    Every field needs a default or must be given in the study; units belong in the field's description.

    A parameter at its default is no part of a run's identity, so that a new one with a default changes no run
    there is. Do not change a default afterwards; if you must, say in `identity_defaults` what it was.
    """

    identity_defaults: ClassVar[Mapping[str, Any]] = {}
    """Fields whose default was changed, with the first default that they had: runs are told apart as before."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


P = TypeVar("P", bound=Params, default=Any)
"""A component's parameters: the model that it declares is what its functions are given."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Component(Generic[P]):
    """Base of all components. Two are equal only when they are one object.

    It is generic in its parameters: a type checker compares what its functions take with the model declared as
    `params`. Declare a component at the top of a module for it: within a function that returns
    `Iterable[Fitter]` a checker compares nothing.

    Raises:
        InvalidComponentError: the name is not lower-case words joined by underscores, the summary is
            empty or longer than one line, `params` is not a subclass of `Params`, `devices` or `dtypes` is
            no tuple of names, or a field that the kind declares as a function is none.

    """

    kind: ClassVar[str] = "component"
    """What a study calls it; set by each subclass, never by a plugin."""
    functions: ClassVar[tuple[str, ...]] = ()
    """The fields that hold a function; those with a default may be left at it."""

    name: str
    """Unique among the components of its kind; a study refers to it by this name."""
    summary: str
    """One line: what it is."""
    source: str = ""
    """Where the definition comes from: paper and equation."""
    formula: str = ""
    """The definition in TeX, shown where the component is explained; empty where words are enough."""
    params: type[P] = Params  # type: ignore[assignment]  # only where P is left open
    """The model of its parameters; `Params` itself when it has none."""
    devices: tuple[str, ...] | None = None
    """The types of device that it works on, as torch names them: ("cpu", "cuda"). None: on every one, which is
    what plain torch code does. Fitters and theories run on the CPU alone and need not say so."""
    dtypes: tuple[Dtype, ...] | None = None
    """The precisions of training that it works in; None: in every one. Weights are float32 in all of them: in
    "bfloat16", matrix products and convolutions are carried out in it under `torch.autocast`."""

    def __post_init__(self) -> None:
        """Refuse what no study could name or no reader could understand."""
        if not isinstance(self.name, str) or not NAME_RULE.fullmatch(self.name):
            raise InvalidComponentError(
                f"{self.kind} name {self.name!r}: write lower-case words joined by underscores, as in 'my_norm'"
            )
        if not isinstance(self.summary, str) or not self.summary.strip() or "\n" in self.summary:
            raise InvalidComponentError(f"{self.kind} {self.name!r}: `summary` must be one non-empty line")
        if not (isinstance(self.params, type) and issubclass(self.params, Params)):
            raise InvalidComponentError(
                f"{self.kind} {self.name!r}: `params` must be a subclass of normlaw_registry.Params, "
                f"got {self.params!r}"
            )
        self._check_declared("devices", None)
        self._check_declared("dtypes", get_args(Dtype))
        for field in fields(self):
            value = getattr(self, field.name)
            left_out = field.default is not MISSING and value is field.default
            if field.name in self.functions and not left_out and not callable(value):
                raise InvalidComponentError(
                    f"{self.kind} {self.name!r}: `{field.name}` must be a function, got {value!r}"
                )

    def _check_declared(self, name: str, known: tuple[str, ...] | None) -> None:
        """Refuse a declaration that nothing could be checked against."""
        value = getattr(self, name)
        if value is None:
            return
        if not isinstance(value, tuple) or not value or not all(isinstance(one, str) for one in value):
            raise InvalidComponentError(
                f"{self.kind} {self.name!r}: `{name}` must be None or a non-empty tuple of names, got {value!r}"
            )
        for one in value:
            if known is not None and one not in known:
                raise InvalidComponentError(
                    f"{self.kind} {self.name!r}: `{name}`: {one!r} is none of {', '.join(known)}"
                )
            if known is None and not one.isalpha():
                raise InvalidComponentError(
                    f"{self.kind} {self.name!r}: `{name}` holds types of device such as 'cuda', got {one!r}"
                )
