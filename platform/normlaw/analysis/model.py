"""The model that a protocol has fitted: asked for errors, its answer checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from normlaw.analysis.running import run
from normlaw_registry import AnalysisProtocol, Catalogue, InputError, InvalidComponentError, NormlawError
from normlaw_registry.curves.columns import floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from normlaw.analysis.options import Options
    from normlaw_registry import Params
    from normlaw_registry.findings import Predict

COLUMNS = ("log_error", "log_error_low", "log_error_high")
"""What the answer of a model holds; natural logs of fractions."""

Ask = Callable[["NDArray[np.float64]", "NDArray[np.float64] | None"], pd.DataFrame]
"""A model whose answers are checked: (train sizes (n,), log norms (n,) or None) -> n rows of `COLUMNS`."""


@dataclass(frozen=True, kw_only=True)
class OwnModel:
    """A protocol's model, which can be fitted again to fewer train sizes."""

    protocol: str
    without: Callable[[Sequence[int]], Ask]
    """(train sizes left out) -> the model of the rest.

    Raises:
        NormlawError: the protocol refuses the rest, fails, or has no model of it.

    """

    @property
    def name(self) -> str:
        """What tables call it, where the others are fitters."""
        return f"protocol {self.protocol}"


def own_model(
    protocol: AnalysisProtocol, params: Params, points: pd.DataFrame, catalogue: Catalogue, options: Options
) -> OwnModel:
    """Return a protocol's model of prepared curves, to be fitted again without some of their train sizes."""

    def without(sizes: Sequence[int]) -> Ask:
        left = points[~points["train_size"].isin(sizes)].reset_index(drop=True)
        findings = run(protocol, params, left, catalogue, options.confidence, options.measured)
        return checked(protocol.name, findings.predict, catalogue)

    return OwnModel(protocol=protocol.name, without=without)


def checked(protocol: str, predict: Predict | None, catalogue: Catalogue) -> Ask:
    """Return a model with its answers checked.

    Raises:
        InputError: the protocol has no model of these curves. The function returned raises
            InvalidComponentError where an answer breaks the contract, and NormlawError where the model fails;
            both name the plugin.

    """
    if predict is None:
        raise InputError(
            f"protocol {protocol!r} fits no model of these curves that could predict: choose a protocol "
            "that does with --protocol (its findings have `predict`)"
        )
    which = f"protocol {protocol!r} of {catalogue.provider(AnalysisProtocol, protocol).provider}"

    def ask(train_sizes: NDArray[np.float64], log_norms: NDArray[np.float64] | None) -> pd.DataFrame:
        try:
            found: Any = predict(train_sizes, log_norms)
        except NormlawError:
            raise
        except Exception as error:  # a plugin's own code may fail in any way
            raise NormlawError(f"{which} failed to predict: {type(error).__name__}: {error}") from error
        lacking = [column for column in COLUMNS if column not in getattr(found, "columns", ())]
        if lacking or len(found) != len(train_sizes):
            raise InvalidComponentError(
                f"{which}: `predict` must return {len(train_sizes)} rows with {', '.join(COLUMNS)}"
            )
        return pd.DataFrame({column: floats(found, column) for column in COLUMNS})

    return ask
