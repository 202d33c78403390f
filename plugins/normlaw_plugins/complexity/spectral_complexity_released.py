"""What the code released with the paper computes under the name of spectral complexity."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum
from typing import Literal

from pydantic import Field

from normlaw_plugins.complexity.logs import exactness_of_product, log_of, log_sum_exp
from normlaw_registry import ComplexityMeasure, InputError, LinearMap, MeasuredValue, MeasurementContext, Params


class ReleasedParams(Params):
    """Parameters of `spectral_complexity_released`."""

    code: Literal["auto", "cnn", "resnet", "vit"] = Field(
        default="auto",
        description="whose code; auto: vit if there is attention, resnet for convolutions with one linear "
        "layer, else cnn",
    )


def measure(params: ReleasedParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of what the released code computes; all norms are of reshaped kernels, all rho_i are 1.

    cnn: prod_i ||A_i||_sigma (sum_i (c_i / ||A_i||_sigma)^(2/3))^(3/2), where c_i is not ||A_i^T||_{2,1} but
    the sum of ||A_j||_{2,1} (the columns of A_j, not of its transpose) over the later layers j > i.
    resnet: the same formula on the first convolution and the last linear layer alone, which is
    ||A_last||_sigma ||A_last||_{2,1}.
    vit: the printed formula on all matrices as if in sequence; query, key, value and output taken apart.

    Raises:
        InputError: the network has not the layers that this code expects.
        NormlawError: a weight is zero or not finite; names the layer.

    """
    maps = context.linear_maps
    code = _code_for(maps) if params.code == "auto" else params.code
    if code == "resnet":
        if len(maps) < 2 or maps[len(maps) - 1].operation != "dense":
            raise InputError(
                "spectral_complexity_released: the ResNet code needs a first layer and a last linear layer; "
                "this network does not end in a linear layer (choose `code: cnn` or `code: vit`)"
            )
        maps = [maps[0], maps[len(maps) - 1]]
    norms = []
    own = []
    names = []
    for linear_map in maps:
        norms.append(context.kernel_norm(linear_map))
        entries = context.entry_norms(linear_map)
        own.append(entries.rows_2_1 if code == "vit" else entries.columns_2_1)
        names.append(linear_map.name)
    groups = own if code == "vit" else [fsum(own[i + 1 :]) for i in range(len(own))]
    if len(groups) == 1 and code != "vit":
        raise InputError(
            "spectral_complexity_released: for a network of one layer the CNN code gives zero, which has no "
            "log (choose `code: vit`, the printed formula)"
        )
    terms = [
        2 / 3 * (log_of(group, linear_map, "(2,1) norm") - norm.log_value)
        for group, norm, linear_map in zip(groups, norms, maps, strict=True)
        if code == "vit" or linear_map.name != names[-1]  # the last layer has no later ones: its term is zero
    ]
    exactness, tolerance = exactness_of_product(norms)
    layers = {
        name: {"kernel_norm": exp(norm.log_value), "group_norm_2_1": group}
        for name, norm, group in zip(names, norms, groups, strict=True)
    }
    return MeasuredValue(
        log_value=fsum(norm.log_value for norm in norms) + 1.5 * log_sum_exp(terms),
        exactness=exactness,
        tolerance=tolerance,
        layers=layers,
    )


def _code_for(maps: Sequence[LinearMap]) -> Literal["cnn", "resnet", "vit"]:
    names = [linear_map.name for linear_map in maps]
    kinds = [linear_map.operation for linear_map in maps]
    if any(name.endswith(".query") for name in names):
        return "vit"
    if kinds[0] != "dense" and kinds.count("dense") == 1 and kinds[-1] == "dense":
        return "resnet"
    return "cnn"


SPECTRAL_COMPLEXITY_RELEASED = ComplexityMeasure(
    name="spectral_complexity_released",
    summary="What the paper's released code computes for its CNN, ResNet and ViT",
    source="code released with D'Amico, Bocchi, Negri 2025, arXiv:2505.13230",
    formula=(
        r"R = \left(\prod_i {\left\|A_i\right\|}_\sigma\right) \left(\sum_i "
        r"\left(\frac{c_i}{{\left\|A_i\right\|}_\sigma}\right)^{2/3}\right)^{3/2}"
    ),
    params=ReleasedParams,
    measure=measure,
)
