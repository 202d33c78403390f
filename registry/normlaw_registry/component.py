"""What every component has: a name, one line of summary, a source and typed parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from normlaw_registry.errors import InvalidComponentError

NAME_RULE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Params(BaseModel):
    """Base of a component's parameters: frozen, and a key that it does not know is an error.

    Every field needs a default or must be given in the study; units belong in the field's description.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True)
class Component:
    """Base of all components.

    Raises:
        InvalidComponentError: the name is not lower-case words joined by underscores, the summary is
            empty or longer than one line, or `params` is not a subclass of `Params`.

    """

    kind: ClassVar[str] = "component"
    """What a study calls it; set by each subclass, never by a plugin."""

    name: str
    """Unique among the components of its kind; a study refers to it by this name."""
    summary: str
    """One line: what it is."""
    source: str = ""
    """Where the definition comes from: paper and equation."""
    params: type[Params] = Params
    """The model of its parameters; `Params` itself when it has none."""

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
