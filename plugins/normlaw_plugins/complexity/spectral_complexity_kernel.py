"""Bartlett's formula on reshaped kernels."""

from __future__ import annotations

from normlaw_plugins.complexity.bartlett import bartlett
from normlaw_registry import ComplexityMeasure, LinearMap, MeasuredValue, MeasurementContext, Params


def measure(_params: Params, context: MeasurementContext) -> MeasuredValue:
    """Return the log of R, with every A_i the kernel as a matrix (out, in/groups * kh * kw); M_i = 0.

    The reshaped kernel's norm is at most the convolution's, which is at most sqrt(kh * kw) times it: for a
    convolutional network this is no bound, and the ratio moves during training.

    Raises:
        NormlawError: a weight is zero or not finite; names the layer.

    """

    def group_norm(linear_map: LinearMap) -> float:
        return context.entry_norms(linear_map).rows_2_1

    return bartlett(context, context.kernel_norm, group_norm, "kernel_norm")


SPECTRAL_COMPLEXITY_KERNEL = ComplexityMeasure(
    name="spectral_complexity_kernel",
    summary="Bartlett's formula on reshaped kernels: all layers, kernels as matrices (out, in*kh*kw)",
    source="Bartlett, Foster, Telgarsky 2017, arXiv:1706.08498, eq. 1.2, with kernels for operators",
    formula=(
        r"R = \left(\prod_i \rho_i {\left\|A_i\right\|}_\sigma\right) \left(\sum_i "
        r"\left(\frac{{\left\|A_i^T\right\|}_{2,1}}{{\left\|A_i\right\|}_\sigma}\right)^{2/3}\right)^{3/2}"
    ),
    measure=measure,
)
