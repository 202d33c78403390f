"""Several studies with each other, and with the published values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from normlaw.analysis.figures import style
from normlaw.analysis.report import data_uri, page
from normlaw.analysis.text import VERDICTS

if TYPE_CHECKING:
    from normlaw.analysis.figures.drawing import Drawing

PUBLISHED: dict[str, tuple[float, float, float]] = {
    "cnn_mnist": (0.60, 0.55, 0.09),
    "cnn_cifar10": (0.28, 0.25, 0.07),
    "cnn_cifar100": (0.16, 0.16, 0.03),
    "resnet_mnist": (0.57, 0.69, 0.08),
    "resnet_cifar10": (0.54, 0.56, 0.04),
    "resnet_cifar100": (0.31, 0.37, 0.03),
    "vit_mnist": (0.47, 0.54, 0.03),
    "vit_cifar10": (0.23, 0.21, 0.03),
    "vit_cifar100": (0.14, 0.12, 0.04),
}
"""gamma_pred, gamma_meas and sigma (the error of gamma_pred) of the paper's table, by the name of the study."""

CAPTION = (
    "gamma_pred against gamma_meas. On the dashed line the early law and the optimal norm explain the endpoint "
    "law. Filled: here; open: published."
)
NUMBERS = ("gamma_1", "gamma_2", "gamma_pred", "gamma_meas")


def comparison_rows(found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row a study: those of the paper's table first, analysed or not, then the others.

    Args:
        found: results by study, with the keys of `Analysis.to_dict` (those missing are left blank).

    """
    rows = []
    for study in [*PUBLISHED, *(name for name in found if published_name(name) is None)]:
        names = [name for name in found if published_name(name) == study] if study in PUBLISHED else [study]
        rows += [_row(name, found.get(name)) for name in names or [study]]
    return rows


def published_name(study: str) -> str | None:
    """Return the setting of the paper that a study repeats, in full or at another scale, or None.

    >>> published_name("cnn_cifar10"), published_name("cnn_cifar10 small"), published_name("quickstart")
    ('cnn_cifar10', 'cnn_cifar10', None)
    """
    matches = [name for name in PUBLISHED if study == name or study.startswith((f"{name} ", f"{name}_"))]
    return matches[0] if matches else None


def _row(study: str, found: Mapping[str, Any] | None) -> dict[str, Any]:
    published = PUBLISHED.get(published_name(study) or "", (None, None, None))
    row: dict[str, Any] = {"study": study, "setting": published_name(study), "norm": "", "verdict": ""}
    row |= {"interval": "", "z": None, "warnings": ""}
    row |= dict(zip(("published_pred", "published_meas", "published_sigma"), published, strict=True))
    for name in NUMBERS:
        row[name] = None if found is None else float(found[name])
        row[f"{name}_stderr"] = None if found is None else float(found.get(f"{name}_stderr", np.nan))
    if found is None:
        return row
    if "gamma_pred_ci" in found:
        low, high = found["gamma_pred_ci"]
        row["interval"] = f"{low:.3f} to {high:.3f}"
    row["norm"] = str(found.get("norm") or "")
    row["verdict"] = VERDICTS.get(str(found.get("verdict")), "")
    row["warnings"] = ", ".join(str(w["code"]) for w in found.get("warnings", []))
    if published[0] is not None and published[2] is not None:
        row["z"] = in_joint_errors(row["gamma_pred"], row["gamma_pred_stderr"], published[0], published[2])
    return row


def in_joint_errors(one: float, stderr: float, other: float, its_stderr: float) -> float | None:
    """Return the difference of two values in units of their joint error; None where that is not known.

    >>> in_joint_errors(0.9, 0.3, 0.4, 0.4)
    1.0
    """
    joint = float(np.hypot(stderr, its_stderr))
    return float((one - other) / joint) if joint > 0 and np.isfinite(joint) else None


def pairs(rows: Sequence[Mapping[str, Any]], exponent: str) -> list[list[float | None]]:
    """Return z of each study against each other one, a row a study; None on the diagonal."""
    error = f"{exponent}_stderr"
    return [
        [None if a is b else in_joint_errors(a[exponent], a[error], b[exponent], b[error]) for b in rows]
        for a in rows
    ]


def comparison_page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page that compares studies; everything from outside is escaped."""
    from normlaw.analysis.interactive.compared import compared
    from normlaw.analysis.interactive.embedding import Motion, item_of

    rows = comparison_rows(found)
    ours = [row for row in rows if row["gamma_1"] is not None]
    drawing = comparison_figure(rows)
    return page(
        "comparison.html.jinja",
        ours=ours,
        published=[row for row in ours if row["setting"]],
        missing=[row["study"] for row in rows if row["gamma_1"] is None],
        pairs={name: pairs(ours, name) for name in ("gamma_pred", "gamma_meas")} if len(ours) > 1 else {},
        figure=data_uri(style.printed(drawing)),
        caption=CAPTION,
        motion=Motion({"comparison": item_of(compared(drawing, comparison_points(rows))[0], "comparison")}),
    )


@dataclass(frozen=True)
class Point:
    """A pair of exponents that is drawn."""

    study: str
    """Of a published one the setting of the paper."""
    published: bool
    """Whether it is the paper's, else one of an analysis."""
    measured: float
    predicted: float
    measured_error: float
    """NaN where it is not known."""
    predicted_error: float
    colour: str
    marker: str
    """As matplotlib calls it."""
    alone: bool
    """Whether the study has no other point."""


def comparison_points(rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Return what is drawn of a comparison; studies are told apart by marker and colour."""
    styles = style.category_styles(range(len(rows)))
    found = []
    for i, row in enumerate(rows):
        both = row["published_pred"] is not None and row["gamma_1"] is not None
        if row["published_pred"] is not None:
            numbers = row["published_meas"], row["published_pred"], np.nan, row["published_sigma"]
            found.append(Point(row["setting"], True, *numbers, *styles[i], not both))
        if row["gamma_1"] is not None:
            errors = row["gamma_meas_stderr"], row["gamma_pred_stderr"]
            numbers = row["gamma_meas"], row["gamma_pred"], *errors
            found.append(Point(row["study"], False, *numbers, *styles[i], not both))
    return found


def diagonal(points: Sequence[Point]) -> float:
    """Return how far the line is drawn on which both exponents are equal, from 0 on."""
    return 1.1 * _highest(points)


def _highest(points: Sequence[Point]) -> float:
    return max([0.1, *(value for one in points for value in (one.measured, one.predicted))])


def comparison_figure(rows: Sequence[Mapping[str, Any]]) -> Drawing:
    """Return gamma_pred against gamma_meas."""
    figure, axes = style.new_figure(6.4, 5.0)
    points = comparison_points(rows)
    for one in points:
        axes.errorbar(
            one.measured,
            one.predicted,
            xerr=None if np.isnan(one.measured_error) else one.measured_error,
            yerr=one.predicted_error,
            marker=one.marker,
            color=one.colour,
            markerfacecolor="white" if one.published else one.colour,
            linestyle="none",
            capsize=2,
            label=style.plain(one.study) if one.alone or not one.published else None,
        )
    highest = _highest(points)
    lowest = min([0.0, *(value for one in points for value in (one.measured, one.predicted))])
    axes.set_ylim(1.2 * lowest - 0.05, 1.2 * highest)  # an error bar may be longer
    axes.plot([0, diagonal(points)], [0, diagonal(points)], color=style.QUIET, linestyle="--", linewidth=1)
    axes.set_xlabel(r"measured exponent $γ_\mathrm{meas}$")
    axes.set_ylabel(r"predicted exponent $γ_\mathrm{pred}$")
    axes.legend(fontsize="x-small", ncols=2)
    return figure
