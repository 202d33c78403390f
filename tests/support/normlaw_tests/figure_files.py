"""Which files figures are drawn as while tests run: PNG takes most of the time of drawing.

Tests in which figures are not the point draw them as SVG alone, which reports and pages show, and write reports
in which they do not move.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from normlaw.analysis import Analysis, figures
from normlaw.analysis.figures import style
from normlaw.analysis.figures.drawing import Drawing
from normlaw.analysis.interactive import IN_MOTION, motion

if TYPE_CHECKING:
    from normlaw.analysis.figures import Draw
    from normlaw.analysis.figures.style import Size

ALL = style.FORMATS
SVG: dict[style.Use, style.Formats] = dict.fromkeys(ALL, (style.SVG,))
IN_LAUNCHES: dict[str, object] = {f"{style.__name__}.FORMATS": SVG, f"{motion.__name__}.IN_MOTION": ()}
"""The same for a launch from the nursery, as its settings."""


def optimal_norm(analysis: Analysis, size: Size = style.PAGE) -> Drawing:
    """Return axes without a mark: most of a figure's time goes into its labels."""
    figure = Drawing(1.0, 1.0)
    figure.add_subplot().set_axis_off()
    return figure


def cheapest(analysis: Analysis) -> list[Draw]:
    """Return one figure that is drawn in no time, in the place of `figures.drawn_of`."""
    return [optimal_norm]


ONE_FIGURE = {f"{figures.__name__}.drawn_of": {"object": f"{__name__}.cheapest"}}
"""Settings of a launch from the nursery that draws one figure."""


@contextmanager
def _drawn_as(formats: dict[style.Use, style.Formats]) -> Iterator[None]:
    before, style.FORMATS = style.FORMATS, formats
    try:
        yield
    finally:
        style.FORMATS = before


def svg_alone() -> AbstractContextManager[None]:
    """Draw figures as SVG alone while the block lasts."""
    return _drawn_as(SVG)


def still() -> AbstractContextManager[object]:
    """Write reports whose figures do not move, while the block lasts."""
    return patch.object(motion, "IN_MOTION", ())


def moving() -> AbstractContextManager[object]:
    """Write reports as users have them, while the block lasts."""
    return patch.object(motion, "IN_MOTION", IN_MOTION)


def all_files() -> AbstractContextManager[None]:
    """Draw figures as all the files that users have of them, while the block lasts."""
    return _drawn_as(ALL)
