"""Protocols: rules that turn curves into exponents, one a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from normlaw_registry import InputError
from normlaw_registry.errors import suggestion

if TYPE_CHECKING:
    import pandas as pd

    from normlaw.analysis.options import Options
    from normlaw.analysis.results import Findings
    from normlaw_registry import Catalogue

    Protocol = Callable[[pd.DataFrame, Catalogue, Options], Findings]

PROTOCOLS = ("automatic", "released")


def get_protocol(name: str) -> Protocol:
    """Return the protocol of that name.

    Raises:
        InputError: there is none.

    """
    if name == "automatic":
        from normlaw.analysis.protocols.automatic import automatic

        return automatic
    if name == "released":
        from normlaw.analysis.protocols.released import released

        return released
    raise InputError(f"unknown protocol {name!r}: {suggestion(name, PROTOCOLS)}")
