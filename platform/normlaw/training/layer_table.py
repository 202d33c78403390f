"""What each layer contributes to the measures, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping

from normlaw_registry import MeasuredValue

Row = dict[str, str | int | float]


def layer_rows(values: Mapping[str, MeasuredValue], step: int) -> list[Row]:
    """Return one row for each measure and layer, in forward order.

    Args:
        values: of one measuring point, by the measure's name, as `Measurer.measure` returns them.
        step: the optimizer step of the point.

    Returns:
        Rows with the columns `step`, `measure`, `layer`, `depth` (place among the measure's layers, from 0)
        and the measure's own quantities: `operator_norm` and `group_norm_2_1` for `spectral_complexity`.
        A measure that names no layers has no rows.

    """
    return [
        {"step": step, "measure": measure, "layer": layer, "depth": depth, **quantities}
        for measure, value in values.items()
        for depth, (layer, quantities) in enumerate(value.layers.items())
    ]
