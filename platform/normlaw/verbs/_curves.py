"""Curves that a user hands to a verb, a frame or a CSV file, as an analysis takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from normlaw.analysis import Options
from normlaw.analysis.columns import PREFIX
from normlaw.analysis.curves import restricted
from normlaw.analysis.curves_file import DEFAULT_MEASURE, read_curves_file, read_every_measure
from normlaw.analysis.frame_file import read_frame
from normlaw.archiving.container import is_container
from normlaw.tracking import keys
from normlaw.tracking.archive_origin import ArchiveOrigin, opened_archive
from normlaw.tracking.settings import by_setting
from normlaw.tracking.store import StudyStore
from normlaw.tracking.study_run import Kind, unit_of
from normlaw.tracking.tidy import tidy
from normlaw_registry import InputError
from normlaw_registry.dataset import EXAMPLES

SETTINGS = "normlaw.settings"
"""Attribute of a frame of curves: the columns in which its runs differ besides train_size and seed."""


@dataclass(frozen=True)
class GivenCurves:
    """Curves of one setting."""

    points: pd.DataFrame
    """Columns train_size, log_norm, test_error or test_loss, ..."""
    norm: str
    """The measure that `log_norm` holds."""
    options: Options
    whole: pd.DataFrame | None
    """All measures, where abscissas are compared."""
    unit: str = EXAMPLES
    """What train sizes count."""


def given_curves(curves: pd.DataFrame | Path | str, norm: str | None, options: Options) -> GivenCurves:
    """Return curves as an analysis takes them.

    Args:
        curves: a frame as `normlaw.curves` returns it, or with the columns that an analysis takes; or the path
            of a CSV or Parquet file, or of an archive.
        norm: the measure to take; default: the study's own, else the first.
        options: choices, which go before those of the study that a frame is of.

    Raises:
        InputError: the file or frame cannot be used, the curves differ in more than train_size and seed, or
            the norm was not measured.

    """
    whole: pd.DataFrame | None
    unit = EXAMPLES
    if isinstance(curves, str | Path) and is_container(Path(curves)):
        with opened_archive(Path(curves)) as archived:
            curves = curves_of(archived, ("training", "imported"))
    elif isinstance(curves, str | Path):
        found = read_frame(Path(curves))
        if found is not None:
            curves = _of_file(found, norm, Path(curves))
    if isinstance(curves, str | Path):
        points, chosen = read_curves_file(Path(curves), norm, options.measured)
        whole = (
            read_every_measure(Path(curves), options.measured)
            if options.compare_norms or options.collapse
            else None
        )
    else:
        points, chosen = _of_one_norm(curves, norm)
        own = keys.read_analysis_tag({keys.ANALYSIS: str(curves.attrs.get(keys.ANALYSIS) or "")})
        options = options.within(own, norm in (None, curves.attrs.get(keys.NORM)))
        whole = curves
        unit = str(curves.attrs.get(keys.UNIT) or EXAMPLES)
    whole = None if whole is None else restricted(whole, options, chosen)
    return GivenCurves(points, chosen, options, whole, unit)


def curves_of(store: StudyStore | ArchiveOrigin, kinds: Sequence[Kind]) -> pd.DataFrame:
    """Return the learning curves that a store or an archive has finished, as `normlaw.curves` does.

    Raises:
        InputError: there are none of these kinds.

    """
    measured = store.finished(*kinds)
    if not measured:
        raise InputError(f"study {store.name!r} has no finished runs of kind {' or '.join(kinds)}")
    frame = store.curves(measured)
    settings = {run.spec_hash: setting for setting, group in by_setting(measured) for run in group}
    names = list(next(iter(settings.values())))
    for name in names:
        frame[name] = frame["run"].map({spec_hash: setting[name] for spec_hash, setting in settings.items()})
    first = ["run", "train_size", "seed", *names, "step"]
    frame = frame[first + [column for column in frame.columns if column not in first]]
    frame.attrs[SETTINGS] = names
    frame.attrs[keys.NORM] = store.norm
    frame.attrs[keys.ANALYSIS] = store.choices_text
    frame.attrs[keys.UNIT] = unit_of(measured)
    return frame


def _of_file(found: tuple[pd.DataFrame, list[str]], norm: str | None, path: Path) -> pd.DataFrame:
    """Return the curves of a file as a frame, once it is clear which of them are meant."""
    frame, settings = found
    for name in settings:
        if (count := frame[name].nunique()) > 1:
            raise InputError(
                f"{path}: the curves belong to {count} values of {name!r}, and laws are fitted to one: keep "
                "one in the file, or let `normlaw import` log them all and analyse the study"
            )
    measures = [column.removeprefix(PREFIX) for column in frame.columns if column.startswith(PREFIX)]
    if norm is None and len(measures) > 1:
        raise InputError(f"{path} holds several measures ({', '.join(measures)}): choose one with --norm")
    return frame


def _of_one_norm(curves: pd.DataFrame, norm: str | None) -> tuple[pd.DataFrame, str]:
    if "log_norm" in curves.columns:
        return curves, norm or DEFAULT_MEASURE
    for name in curves.attrs.get(SETTINGS, ()):
        values = list(curves[name].unique())
        if len(values) > 1:
            raise InputError(
                f"the curves belong to {len(values)} values of {name!r} ({', '.join(map(str, values))}), and "
                f"laws are fitted to one: choose it by curves[curves[{name!r}] == ...]"
            )
    return tidy(curves, norm or curves.attrs.get(keys.NORM))
