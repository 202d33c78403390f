"""What a protocol foretells of further runs, its answer checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from normlaw.analysis.planning.design import TARGET
from normlaw_registry import (
    AnalysisProtocol,
    Catalogue,
    Estimate,
    InputError,
    InvalidComponentError,
    NormlawError,
    PlannedRuns,
)

if TYPE_CHECKING:
    from normlaw_registry.findings import Foresee


def checked(protocol: str, foresee: Foresee | None, catalogue: Catalogue) -> Foresee:
    """Return what a protocol foretells with its answers checked.

    Raises:
        InputError: the protocol foretells nothing of these curves, or has no interval of the exponent. The
            function returned raises InvalidComponentError where an answer breaks the contract, and NormlawError
            where it fails; both name the plugin.

    """
    if foresee is None:
        raise InputError(
            f"protocol {protocol!r} cannot foretell what further runs of these curves would bring: choose a "
            "protocol that does with --protocol (its findings have `foresee`)"
        )
    which = f"protocol {protocol!r} of {catalogue.provider(AnalysisProtocol, protocol).provider}"

    def ask(planned: Sequence[PlannedRuns], afresh: bool) -> Mapping[str, Estimate]:
        try:
            found = foresee(planned, afresh)
        except NormlawError:
            raise
        except Exception as error:  # a plugin's own code may fail in any way
            raise NormlawError(f"{which} failed to foretell: {type(error).__name__}: {error}") from error
        target = found.get(TARGET) if isinstance(found, Mapping) else None
        if not isinstance(target, Estimate):
            raise InvalidComponentError(f"{which}: `foresee` must return estimates by name, with {TARGET}")
        if not (isfinite(target.low) and isfinite(target.high) and target.low < target.high):
            raise InputError(
                f"{which} gives {TARGET} no interval that further runs could narrow: `normlaw analyse` says "
                "what these curves lack"
            )
        return found

    ask((), False)
    return ask
