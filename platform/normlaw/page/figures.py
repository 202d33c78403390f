"""Each figure of a study's page by its name: drawn once for all that is asked of it, in print and in motion."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from normlaw.analysis import Options, analyse
from normlaw.analysis.columns import PREFIX
from normlaw.analysis.figures import drawn_of, style
from normlaw.analysis.figures.captions import caption
from normlaw.analysis.interactive import IN_MOTION, MOVED
from normlaw.analysis.interactive.moved import CAPTION, fitted_gammas, moved_by, moved_curves
from normlaw.analysis.rescaling import Rescaled
from normlaw.page.curves import Curves
from normlaw.page.drawings import live_curves
from normlaw.page.fits import Fits, Fitted
from normlaw.page.points import (
    Setting,
    abscissas,
    averaged,
    chosen_setting,
    points_in,
    points_of,
    responses,
    settings_of,
    single_runs,
)
from normlaw.page.view import View
from normlaw.page.watching import WatchedStudy
from normlaw_registry import Catalogue, InputError
from normlaw_registry.curves import mean_curves
from normlaw_registry.errors import suggestion

if TYPE_CHECKING:
    from normlaw.analysis import Analysis
    from normlaw.analysis.figures.drawing import Drawing

LIVE, *OF_A_FIT = IN_MOTION
PREPARED = 16
"""Views that are remembered."""
drawing_lock = threading.Lock()
"""matplotlib's settings are those of the process: one figure at a time."""


@dataclass(frozen=True)
class Shown:
    """All that a view shows of a study at one moment."""

    view: View
    curves: Curves
    settings: tuple[Setting, ...]
    setting: Setting
    own: pd.DataFrame
    """All that is measured of the setting."""
    x: str
    points: pd.DataFrame
    options: Options
    fitted: Fitted

    @property
    def across(self) -> dict[str, str]:
        """What the curves can stand against, by column, and what the horizontal axis is called then."""
        return abscissas(self.own, exact=self.setting.exact)

    @property
    def analysis(self) -> Analysis | None:
        """The laws, in the norm and response that are shown."""
        return self.fitted.analysis

    @property
    def gammas(self) -> tuple[float, float, float]:
        """gamma_0, gamma_1, gamma_2 of the collapse: as the reader has moved them, else as fitted, else 0."""
        fitted = (0.0, 0.0, 0.0) if self.analysis is None else fitted_gammas(self.analysis)
        chosen = (None, self.view.gamma_1, self.view.gamma_2)
        gamma_0, gamma_1, gamma_2 = (f if c is None else c for f, c in zip(fitted, chosen, strict=True))
        return gamma_0, gamma_1, gamma_2

    def moved(self) -> Rescaled:
        """Return the mean curves as the sliders move them."""
        gamma_0, gamma_1, gamma_2 = self.gammas
        return moved_by(mean_curves(averaged(self.points)), gamma_1, gamma_2, gamma_0)

    def names(self) -> list[str]:
        """Return the figures that can be drawn, in order."""
        if self.points.empty:
            return []
        return [LIVE, MOVED, *(name for name in OF_A_FIT if name in self.fitted.figures)]

    def draw(self, name: str) -> Drawing:
        """Return a figure.

        Raises:
            InputError: there is none of that name now.

        """
        if name not in (known := self.names()):
            raise InputError(f"no figure {name!r} here: {suggestion(name, known)}")
        from matplotlib import style as matplotlib_style

        with drawing_lock, matplotlib_style.context(style.PAGE.style):
            if name == LIVE:
                singles = single_runs(self.points, every=self.view.single)
                return live_curves(
                    averaged(self.points), singles, self.options.measured, self.across[self.x], self.analysis
                )
            if name == MOVED:
                return moved_curves(self.moved(), self.options.measured)
            assert self.analysis is not None
            (draw,) = (draw for draw in drawn_of(self.analysis) if draw.__name__ == name)
            return draw(self.analysis, style.PAGE)

    def caption(self, name: str) -> str:
        """Return what is to be seen in a figure."""
        if name == LIVE:
            more = "" if self.analysis is None else " Envelope and departures are those of the latest fit."
            return (
                "The mean curve of each train size over its finished runs, with the band that they fill; thin "
                f"lines are single runs, those in training among them.{more}"
            )
        if name == MOVED:
            return CAPTION
        return "" if self.analysis is None else caption(name, self.analysis)


@dataclass(frozen=True)
class Prepared:
    """What a view shows of curves, worked out once as long as neither changes."""

    curves: Curves
    settings: tuple[Setting, ...]
    setting: Setting
    own: pd.DataFrame
    x: str
    response: str
    points: pd.DataFrame
    finished: pd.DataFrame
    """The points of finished runs, as an analysis takes them."""
    runs: tuple[str, ...]
    """The finished runs."""


class Figures:
    """What views show, and the laws that are fitted for them.

    Args:
        fits: fits the laws.
        catalogue: where protocols come from.

    """

    def __init__(self, fits: Fits, catalogue: Catalogue) -> None:
        self._fits, self._catalogue = fits, catalogue
        self._prepared: dict[Hashable, Prepared] = {}

    def shown(self, watched: WatchedStudy, view: View) -> Shown:
        """Return what a view shows now, and have the laws fitted where finished runs have come.

        Raises:
            InputError: the view names what the study does not have.

        """
        norm, curves, store = watched.look().norm, watched.curves(), watched.follower.store
        options = Options(response=view.response or None, protocol=view.protocol or None)
        if store is not None:
            options = options.within(store.choices)
        found = self._prepare(watched.name, curves, view, norm, options.response)
        floor = options.floor if options.measured.quantity == found.response else None
        options = replace(options, response=found.response, floor=floor)
        fitted = Fitted()
        if found.x.startswith(PREFIX) and len(found.points):
            fitted = self._fitted(watched.name, found, view, options)
        settings, points = found.settings, found.points
        return Shown(view, curves, settings, found.setting, found.own, found.x, points, options, fitted)

    def _prepare(
        self, study: str, curves: Curves, view: View, norm: str | None, response: str | None
    ) -> Prepared:
        which = (study, replace(view, gamma_1=None, gamma_2=None), norm, response)
        known = self._prepared.get(which)
        if known is None or known.curves is not curves:
            while len(self._prepared) >= PREPARED:
                self._prepared.pop(next(iter(self._prepared)), None)
            known = self._prepared[which] = _prepared(curves, view, norm, response)
        return known

    def _fitted(self, study: str, found: Prepared, view: View, options: Options) -> Fitted:
        """Return the laws of the finished runs, as far as they are fitted."""
        if not found.runs:
            return Fitted(missing="no run is finished yet")

        def fit() -> Analysis:
            return analyse(found.finished, self._catalogue, options, unit=found.setting.unit)

        asked = (study, found.setting.name, found.x, found.response, options.protocol, view.sizes, view.seeds)
        return self._fits.fitted(asked, found.runs, len(found.runs), fit)


def _prepared(curves: Curves, view: View, norm: str | None, response: str | None) -> Prepared:
    settings = settings_of(curves)
    none = pd.DataFrame()
    if not settings:
        return Prepared(curves, (), Setting("", ()), none, "", "test_error", none, none, ())
    setting = chosen_setting(settings, view)
    own = points_in(curves, setting)
    across = _measured([view.x, f"{PREFIX}{norm}"], list(abscissas(own)), list(abscissas(curves.points)))
    x = across or f"{PREFIX}{norm}"
    quantity = _measured([response or ""], responses(own), responses(curves.points)) or "test_error"
    points = points_of(own, setting, view, x, quantity)
    finished = points[points["status"] == "FINISHED"]
    taken = finished[["run", "train_size", "seed", "log_norm"]].assign(**{quantity: finished["test_error"]})
    runs = tuple(sorted(map(str, finished["run"].unique())))
    return Prepared(curves, tuple(settings), setting, own, x, quantity, points, taken, runs)


def _measured(wanted: Sequence[str], here: Sequence[str], anywhere: Sequence[str]) -> str:
    """Return the first of what is wanted that a setting has, else the first that it has; empty: it has none.

    What no setting has is returned as it is wanted by the reader, the first, so that an error can name it.
    """
    if wanted[0] and wanted[0] not in anywhere:
        return wanted[0]
    return next((name for name in (*wanted, *here) if name in here), "")


def as_files(drawing: Drawing, ending: str) -> tuple[bytes, str]:
    """Return a figure as a file of the kind svg, png or csv, and the type that browsers know it by.

    Raises:
        InputError: there is no such kind.

    """
    if ending == "csv":
        return drawing.numbers().to_csv(index=False).encode(), "text/csv; charset=utf-8"
    kinds: dict[str, Any] = {"svg": "image/svg+xml", "png": "image/png"}
    if ending not in kinds:
        raise InputError(f"a figure is svg, png or csv, not {ending!r}")
    with drawing_lock:
        return style.file_of(drawing, ending), kinds[ending]
