"""A component whose parameters stand beside its name: `{name: sgd, learning_rate: 0.1, momentum: 0.9}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from normlaw.base.typed import Model
from normlaw_registry import Catalogue, Component, InputError, validate_params
from normlaw_registry.errors import suggestion


class UnknownKeyError(InputError):
    """Neither a key of the run nor a parameter of the component.

    Attributes:
        key: the key.

    """

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


class BesideName(Model):
    """Base of what names a component and holds its parameters, with or without keys of the run's own."""

    kind: ClassVar[type[Component]]
    """Which kind of component it names."""
    former: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """By name: the keys that mean nothing to it and that earlier versions wrote out, with their values."""

    name: str
    params: dict[str, Any] = Field(
        default_factory=dict, description="its own parameters that are not at default; they may stand beside it"
    )

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, value: Any) -> Any:
        """Take a bare name, and parameters that stand beside it."""
        if isinstance(value, str):
            return {"name": value}
        if not isinstance(value, Mapping):
            return value
        own = {key: each for key, each in value.items() if key in cls.model_fields}
        beside = {key: each for key, each in value.items() if key not in cls.model_fields}
        name = own.get("name", cls.model_fields["name"].default)
        former = cls.former.get(name, {}) if isinstance(name, str) else {}
        beside = {k: each for k, each in beside.items() if k not in former or _plain(each) != former[k]}
        inside = own.get("params", {})
        if not beside or not isinstance(inside, Mapping):
            return own
        if twice := sorted(map(str, beside.keys() & inside.keys())):
            raise ValueError(f"{', '.join(twice)}: stands under `params` too; keep one of the two")
        return {**own, "params": {**inside, **beside}}

    @model_serializer(mode="wrap")
    def _beside(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        tree: dict[str, Any] = serialise(self)
        params: dict[str, Any] = tree.pop("params", {})
        return tree | params

    def resolved(self, catalogue: Catalogue) -> Self:
        """Return the same choice with every parameter of the component written out.

        Raises:
            UnknownKeyError: a key is none of a run's and none of the component's.
            InputError: there is no such component, or a parameter is missing or not allowed.

        """
        component = catalogue.get(self.kind, self.name)
        known = [*(key for key in type(self).model_fields if key != "params"), *component.params.model_fields]
        for key in self.params:
            if key not in known:
                text = f"unknown key, {suggestion(str(key), known)} ({component.kind} {self.name!r})"
                raise UnknownKeyError(str(key), text)
        params = validate_params(component, self.params)
        return self.model_copy(update={"params": params.model_dump(mode="json")})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
