from __future__ import annotations

import pytest

from normlaw.study.run_options import Stopping
from normlaw.training.stopping import reason_to_stop

POINT = {"step": 5.0, "train/error": 0.02, "log_norm/weight_norm": 3.0}


@pytest.mark.parametrize(
    ("rules", "stops"),
    [
        ({}, False),
        ({"train_error": 0.0}, False),
        ({"train_error": 0.02}, True),
        ({"log_norm": {"weight_norm": 3.0}}, True),
        ({"log_norm": {"weight_norm": 3.01}}, False),
        ({"train_error": 0.0, "log_norm": {"weight_norm": 2.0}}, True),
    ],
)
def test_any_rule_that_holds_ends_the_run(rules, stops):
    assert (reason_to_stop(Stopping(**rules), POINT) is not None) == stops
