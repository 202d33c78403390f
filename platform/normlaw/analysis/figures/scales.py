"""Logarithmic axes of one kind: ticks at round decimal numbers, written as decimals or powers of ten.

Errors stand on matplotlib's logarithmic axis. Norms stand on an axis that holds log10 of the norm, since they
may exceed what a float can hold; ticks and labels are the same on both.
"""

from __future__ import annotations

from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING

from matplotlib.ticker import Formatter, Locator, MaxNLocator, NullFormatter, NullLocator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MANTISSAS: tuple[tuple[float, ...], ...] = (
    (1,),
    (1, 3),
    (1, 2, 5),
    (1, 1.5, 2, 3, 5, 7),
    (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
)
"""The numbers within a decade that bear a label, coarse to fine."""
FEWEST, MOST = 3, 7
"""Labels on an axis."""
PLAIN, BESIDE_POWERS = (-4, 6), (-1, 2)
"""Powers of ten from the first on and below the second are decimals; and so beside others that are none."""


def decimal(log: float, plain: tuple[int, int] = PLAIN) -> str:
    """Return the number whose log10 is given, as an axis shows it.

    >>> decimal(0.0), decimal(-0.6989700043360187), decimal(4.0), decimal(43.0), decimal(-7.0)
    ('1', '0.2', '10,000', '10⁴³', '10⁻⁷')
    >>> decimal(150.3010299956639812)
    '2·10¹⁵⁰'
    """
    exponent = floor(log + 1e-9)
    if plain[0] <= exponent < plain[1]:
        return f"{float(f'{10**log:.6g}'):,.10g}"
    mantissa = f"{10 ** (log - exponent):.4g}"
    power = "10" + str(exponent).translate(SUPERSCRIPT)
    return power if mantissa == "1" else f"{mantissa}·{power}"


def decimals(logs: Sequence[float]) -> list[str]:
    """Return the numbers of one axis, whose log10 are given: one that needs a power has them throughout.

    >>> decimals([4.0, 5.0]), decimals([4.0, 5.0, 6.0]), decimals([-10.0, 0.0, 10.0])
    (['10,000', '100,000'], ['10⁴', '10⁵', '10⁶'], ['10⁻¹⁰', '1', '10¹⁰'])
    """
    powers = any(not PLAIN[0] <= floor(log + 1e-9) < PLAIN[1] for log in logs)
    return [decimal(log, BESIDE_POWERS if powers else PLAIN) for log in logs]


def decades(low: float, high: float, most: int = MOST) -> list[float]:
    """Return log10 of the round numbers to label between two limits, which are log10 too."""
    for step in (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1):
        ticks = [float(step * n) for n in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
        if len(ticks) > most:
            return _thinned(ticks, most)
        if len(ticks) >= max(FEWEST, most - 3):
            return ticks
    best = ticks
    for mantissas in MANTISSAS:
        within = (n + log10(m) for n in range(floor(low), ceil(high) + 1) for m in mantissas)
        ticks = [tick for tick in within if low - 1e-9 <= tick <= high + 1e-9]
        if len(ticks) > most:
            break
        best = ticks
        if len(ticks) >= max(FEWEST, most - 2):
            return ticks
    return best if len(best) >= FEWEST else _even(low, high, most)


def _thinned(ticks: list[float], most: int) -> list[float]:
    step = ceil(len(ticks) / most)
    return ticks[::step]


def _even(low: float, high: float, most: int) -> list[float]:
    """Return ticks of a range too short for round numbers of a decade: equal steps of the number itself."""
    base = floor(low)
    values = MaxNLocator(nbins=most - 2, steps=[1, 2, 5, 10]).tick_values(
        10 ** (low - base), 10 ** (high - base)
    )
    logs = [base + log10(value) for value in values if value > 0]
    return [log for log in logs if low - 1e-9 <= log <= high + 1e-9]


class DecimalLocator(Locator):
    """Ticks at round decimal numbers.

    Args:
        of_logs: the axis holds log10 of the numbers, and not the numbers.
        most: labels at most.

    """

    def __init__(self, *, of_logs: bool, most: int = MOST) -> None:
        self.of_logs, self.most = of_logs, most

    def __call__(self) -> list[float]:
        """Return the places of the ticks in the current view."""
        assert self.axis is not None
        low, high = sorted(self.axis.get_view_interval())
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Return the places of the ticks between two places of the axis."""
        if self.of_logs:
            return decades(vmin, vmax, self.most)
        if not 0 < vmin <= vmax or not isfinite(vmax):
            return []
        return [10**log for log in decades(log10(vmin), log10(vmax), self.most)]


class DecimalFormatter(Formatter):
    """Labels as `decimals` writes them.

    Args:
        of_logs: the axis holds log10 of the numbers, and not the numbers.

    """

    def __init__(self, *, of_logs: bool) -> None:
        self.of_logs = of_logs

    def __call__(self, x: float, pos: int | None = None) -> str:  # as matplotlib calls it
        """Return the label of one place by itself."""
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all places of an axis."""
        return decimals([value if self.of_logs else log10(value) for value in values])


def set_decimal(axis: Axis, *, of_logs: bool, most: int = MOST) -> None:
    """Give an axis decimal ticks and labels."""
    axis.set_major_locator(DecimalLocator(of_logs=of_logs, most=most))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(DecimalFormatter(of_logs=of_logs))
    axis.set_minor_formatter(NullFormatter())


def set_log_norm(axes: Axes, label: str, which: str = "x", most: int = MOST) -> None:
    """Label an axis that holds log10 of a norm."""
    set_decimal(getattr(axes, f"{which}axis"), of_logs=True, most=most)
    axes.set(**{f"{which}label": label})


def set_log(axes: Axes, label: str, which: str = "y", most: int = MOST) -> None:
    """Make an axis logarithmic."""
    axes.set(**{f"{which}scale": "log", f"{which}label": label})
    set_decimal(getattr(axes, f"{which}axis"), of_logs=False, most=most)
