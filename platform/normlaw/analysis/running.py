"""Run a protocol: its failures named, its findings made whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from normlaw.training.threads import one_blas_thread
from normlaw_registry import (
    AnalysisProtocol,
    Catalogue,
    Findings,
    InvalidComponentError,
    NormlawError,
    Params,
    Response,
)
from normlaw_registry.curves import mean_curves, run_optima, size_optima
from normlaw_registry.findings import flaws
from normlaw_registry.host.fitting import context_for

if TYPE_CHECKING:
    import pandas as pd


def run(
    protocol: AnalysisProtocol,
    params: Params,
    points: pd.DataFrame,
    catalogue: Catalogue,
    confidence: float,
    response: Response,
) -> Findings:
    """Return a protocol's findings; the frames that it does not give are those of `normlaw_registry.curves`.

    It computes in one thread. Matrices of an analysis are small: more threads wait for each other longer than
    they compute, and on a busy machine several times as long.

    Raises:
        InputError: it refuses the curves.
        InvalidComponentError: what it hands back breaks the contract; names the plugin.
        NormlawError: it failed in a way of its own; names the plugin.

    """
    provider = catalogue.provider(AnalysisProtocol, protocol.name).provider
    try:
        with one_blas_thread():
            findings = protocol.analyse(
                points.copy(), params, context_for(protocol, catalogue, confidence, response)
            )
    except NormlawError:
        raise
    except Exception as error:  # a plugin's own code may fail in any way
        raise NormlawError(
            f"protocol {protocol.name!r} of {provider} failed: {type(error).__name__}: {error}"
        ) from error
    if found := list(flaws(findings)):
        raise InvalidComponentError(f"protocol {protocol.name!r} of {provider}: {'; '.join(found)}")
    return complete(findings, points)


def complete(findings: Findings, points: pd.DataFrame) -> Findings:
    """Return the findings with the frames filled in that the protocol left out."""
    optima = run_optima(points) if findings.optima is None else findings.optima
    frames: Mapping[str, Any] = {
        "optima": optima,
        "size_optima": size_optima(optima) if findings.size_optima is None else findings.size_optima,
        "mean_curves": mean_curves(points) if findings.mean_curves is None else findings.mean_curves,
    }
    return replace(findings, **frames)
