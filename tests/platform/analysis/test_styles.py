"""The matplotlib styles: what normlaw's own figures look like, for figures beside them."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex

import normlaw
from normlaw.analysis.figures.style import CATEGORIES, COLUMN, PAGE, Size
from normlaw_tests.two_settings import SETTING, two_settings


@pytest.mark.parametrize("size", [PAGE, COLUMN])
def test_a_style_is_what_figures_are_drawn_in(size: Size) -> None:
    from matplotlib import pyplot as plt

    with plt.style.context(size.style):
        assert tuple(mpl.rcParams["figure.figsize"]) == (size.width, size.height)
        assert mpl.rcParams["font.size"] == size.font
        colours = [to_hex(entry["color"]) for entry in mpl.rcParams["axes.prop_cycle"]]
        assert tuple(colours) == CATEGORIES
        page = mpl.RcParams(mpl.rcParamsDefault)["lines.markersize"]
        assert mpl.rcParams["lines.markersize"] == pytest.approx(page * size.mark)


def test_figures_come_in_both_widths() -> None:
    curves = two_settings()
    one = curves[curves[SETTING] == "0.0"]
    analysis = normlaw.fit(one, norm="first", protocol="released", window=(None, 0.3))
    assert normlaw.plot(analysis, "endpoint_law").get_figwidth() == PAGE.width
    assert normlaw.plot(analysis, "endpoint_law", width="column").get_figwidth() == COLUMN.width
    with pytest.raises(normlaw.InputError, match="not 'poster'"):
        normlaw.plot(analysis, width="poster")  # type: ignore[arg-type]
