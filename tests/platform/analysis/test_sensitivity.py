from __future__ import annotations

import pytest

from normlaw.analysis import Options, analyse
from normlaw_registry.curves import weight_range


def test_the_choices_average_to_the_reported_exponents(make_study, catalogue) -> None:
    analysis = analyse(make_study(), catalogue, Options(protocol="automatic", draws=100))
    table = analysis.tables()["sensitivity"]
    assert table["weight"].sum() == pytest.approx(1.0)
    for name in ("gamma_1", "gamma_pred"):
        value = analysis.estimates()[name].value
        # up to the first train sizes of gamma_2 whose weight is below a thousandth
        assert (table[name] * table["weight"]).sum() == pytest.approx(value, rel=5e-3)
        low, high = weight_range(table, name)
        assert low <= value <= high
