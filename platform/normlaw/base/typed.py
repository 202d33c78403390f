"""The base of everything typed in a study."""

from __future__ import annotations

from pydantic import ConfigDict

from normlaw_registry.numbers import Numbers


class Model(Numbers):
    """Base of everything typed in a study: frozen; no unknown keys, infinities or booleans as numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
