"""Spectral complexity with the norms of the reshaped kernels."""

from __future__ import annotations

from normlaw_plugins.complexity.bartlett import spectral_complexity
from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, Params


def measure(params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return the log of Bartlett's spectral complexity, each kernel taken as a matrix (out, in * kh * kw).

    The norm of a reshaped kernel is at most the norm of the convolution, which is at most sqrt(kh * kw)
    times it: for convolutional networks this is not Bartlett's bound. Reference matrices are zero.
    """
    return spectral_complexity(context, context.kernel_norm, context.entry_norms)


SPECTRAL_COMPLEXITY_KERNEL = ComplexityMeasure(
    name="spectral_complexity_kernel",
    summary="Spectral complexity of the reshaped kernels: all layers, kernels as matrices",
    source="Bartlett, Foster, Telgarsky 2017, eq. 1.2, on kernels of shape (out, in*kh*kw)",
    measure=measure,
)
