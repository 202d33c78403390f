"""Effective parameters: how much a trained network's answers depend on its training labels."""

from __future__ import annotations

from functools import partial
from math import log

from normlaw_plugins.callbacks.telescoping import TELESCOPING, Telescope, TelescopingParams
from normlaw_registry import ComplexityMeasure, MeasuredValue, MeasurementContext, UndefinedNormError


def measure(part: str, _params: TelescopingParams, context: MeasurementContext) -> MeasuredValue:
    """Return the log of the effective parameters, as `telescoping` carries them along with the training.

    An estimate: to first order in each step. `callback/telescoping/error_train` and `error_test` say how far
    the network's outputs are from those that it describes.

    Raises:
        UndefinedNormError: no step has been taken, so that no answer depends on any label.

    """
    follower = context.follower
    assert isinstance(follower, Telescope)
    rows = follower.train_rows if part == "train" else follower.test_rows
    value = follower.smoother.effective_parameters(rows)
    if value <= 0:
        raise UndefinedNormError("no answer of the network depends on a label yet")
    return MeasuredValue(log_value=log(value), exactness="estimate")


EFFECTIVE_PARAMETERS_TRAIN = ComplexityMeasure(
    name="effective_parameters_train",
    summary="Effective parameters on the training examples, of small networks under a squared loss",
    formula=r"p_{train} = \sum_{i=1}^{n} \left\|S(x_i)\right\|^2, \quad f(x) \approx S(x)\, y + c(x)",
    source="arXiv 2411.00247",
    params=TelescopingParams,
    measure=partial(measure, "train"),
    callback=TELESCOPING,
    dtypes=("float32",),
)

EFFECTIVE_PARAMETERS_TEST = ComplexityMeasure(
    name="effective_parameters_test",
    summary="Effective parameters on test examples, of small networks under a squared loss",
    formula=(
        r"p_{test} = \frac{n}{m} \sum_{j=1}^{m} \left\|S(x_j)\right\|^2, \quad f(x) \approx S(x)\, y + c(x)"
    ),
    source="arXiv 2411.00247",
    params=TelescopingParams,
    measure=partial(measure, "test"),
    callback=TELESCOPING,
    dtypes=("float32",),
)
