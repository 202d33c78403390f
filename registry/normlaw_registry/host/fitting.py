"""The host's side of fitters: a plugin's failure names the plugin; protocols get those that they declared."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from normlaw_registry.errors import (
    DuplicateComponentError,
    InputError,
    NormlawError,
    UnknownComponentError,
)
from normlaw_registry.fit_result import FitResult
from normlaw_registry.fitter import Fitter
from normlaw_registry.host.catalogue import Catalogue, validate_params
from normlaw_registry.protocol import AnalysisContext, AnalysisProtocol
from normlaw_registry.response import Response

if TYPE_CHECKING:
    import pandas as pd


def fit_guarded(
    fitter: Fitter, points: pd.DataFrame, catalogue: Catalogue, params: Mapping[str, Any] | None = None
) -> FitResult:
    """Fit; a plugin's own failure becomes a `NormlawError` that names the plugin.

    Raises:
        InputError: a parameter is wrong, or there are too few points.
        NormlawError: the fitter failed in a way of its own.

    """
    checked = validate_params(fitter, params or {})
    try:
        return fitter.fit(points, checked)
    except NormlawError:
        raise
    except Exception as error:  # a plugin's own code may fail in any way
        provider = catalogue.provider(Fitter, fitter.name).provider
        raise NormlawError(
            f"fitter {fitter.name!r} of {provider} failed: {type(error).__name__}: {error}"
        ) from error


def default_protocol(catalogue: Catalogue) -> AnalysisProtocol:
    """Return the protocol that is taken where nobody names one: the one that says so of itself.

    Raises:
        InputError: none of those installed says so, or several do; names them.

    """
    installed = [catalogue.get(AnalysisProtocol, name) for name in catalogue.names(AnalysisProtocol)]
    ready = [protocol for protocol in installed if protocol.by_default]
    if len(ready) == 1:
        return ready[0]
    names = ", ".join(repr(protocol.name) for protocol in ready or installed) or "none"
    why = "more than one protocol is to be taken by default" if ready else "no protocol is taken by default"
    raise InputError(f"{why}; name the one that is meant with --protocol: {names}")


def context_for(
    protocol: AnalysisProtocol,
    catalogue: Catalogue,
    confidence: float = 0.95,
    response: Response | None = None,
) -> AnalysisContext:
    """Return what a protocol is handed: confidence level, response (default: test error), fitters declared.

    Raises:
        UnknownComponentError: a fitter that it declared is not installed.
        DuplicateComponentError: two plugins claim the name of one.

    """
    bound = {}
    for name in protocol.fitters:
        try:
            fitter = catalogue.get(Fitter, name)
        except (UnknownComponentError, DuplicateComponentError) as error:
            raise type(error)(f"protocol {protocol.name!r} needs the fitter {name!r}: {error}") from None
        bound[name] = partial(_fit, fitter, catalogue)
    return AnalysisContext(confidence=confidence, response=response or Response(), fitters=bound)


def _fit(fitter: Fitter, catalogue: Catalogue, points: pd.DataFrame, params: Mapping[str, Any]) -> FitResult:
    return fit_guarded(fitter, points.reset_index(drop=True), catalogue, params)


def summary_at(fit: FitResult, confidence: float) -> str:
    """Return a fit's own table, its limits at this level where the fitter's `summary` takes `alpha`."""
    if "alpha" in inspect.signature(fit.summary).parameters:
        summary: Any = fit.summary
        return str(summary(alpha=alpha_of(confidence)))
    return fit.summary()


def dict_at(fit: FitResult, confidence: float) -> dict[str, Any]:
    """Return all that JSON keeps of a fit, with the confidence limits of this level as `conf_int`."""
    limits = fit.conf_int(alpha_of(confidence)).to_numpy(dtype="float64")
    names = map(str, fit.params.index)
    pairs = {name: [float(low), float(high)] for name, (low, high) in zip(names, limits, strict=True)}
    return {**fit.to_dict(), "conf_int": pairs}


def alpha_of(confidence: float) -> float:
    """Return 1 - confidence without the rounding error: 0.05 for 0.95."""
    return round(1 - confidence, 12)
