"""Complexity measures, one definition a file."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.complexity.distance_from_initialisation import DISTANCE_FROM_INITIALISATION
from normlaw_plugins.complexity.effective_parameters import (
    EFFECTIVE_PARAMETERS_TEST,
    EFFECTIVE_PARAMETERS_TRAIN,
)
from normlaw_plugins.complexity.fisher_rao_norm import FISHER_RAO_NORM
from normlaw_plugins.complexity.frobenius_norm import FROBENIUS_NORM
from normlaw_plugins.complexity.group_norm_2_1 import GROUP_NORM_2_1
from normlaw_plugins.complexity.l1_norm import L1_NORM
from normlaw_plugins.complexity.logit_scale import LOGIT_SCALE
from normlaw_plugins.complexity.normalised_margin import NORMALISED_MARGIN
from normlaw_plugins.complexity.path_norm import PATH_NORM
from normlaw_plugins.complexity.ranks import EFFECTIVE_RANK, SINGULAR_VALUES, STABLE_RANK
from normlaw_plugins.complexity.rms_inf_norms import OUTPUT_LAYER_NORM, RMS_INF_NORMS
from normlaw_plugins.complexity.spectral_complexity import SPECTRAL_COMPLEXITY
from normlaw_plugins.complexity.spectral_complexity_kernel import SPECTRAL_COMPLEXITY_KERNEL
from normlaw_plugins.complexity.spectral_complexity_released import SPECTRAL_COMPLEXITY_RELEASED
from normlaw_plugins.complexity.spectral_norm_product import SPECTRAL_NORM_PRODUCT
from normlaw_plugins.complexity.spectral_norms import RMS_RMS_NORMS, SPECTRAL_NORMS
from normlaw_plugins.complexity.weight_norm import WEIGHT_NORM
from normlaw_registry import ComplexityMeasure, hookimpl


@hookimpl
def normlaw_complexity_measures() -> Iterable[ComplexityMeasure]:
    """Return the built-in complexity measures."""
    return (
        DISTANCE_FROM_INITIALISATION,
        EFFECTIVE_PARAMETERS_TEST,
        EFFECTIVE_PARAMETERS_TRAIN,
        EFFECTIVE_RANK,
        FISHER_RAO_NORM,
        FROBENIUS_NORM,
        GROUP_NORM_2_1,
        L1_NORM,
        LOGIT_SCALE,
        NORMALISED_MARGIN,
        OUTPUT_LAYER_NORM,
        PATH_NORM,
        RMS_INF_NORMS,
        RMS_RMS_NORMS,
        SINGULAR_VALUES,
        SPECTRAL_COMPLEXITY,
        SPECTRAL_COMPLEXITY_KERNEL,
        SPECTRAL_COMPLEXITY_RELEASED,
        SPECTRAL_NORM_PRODUCT,
        SPECTRAL_NORMS,
        STABLE_RANK,
        WEIGHT_NORM,
    )
