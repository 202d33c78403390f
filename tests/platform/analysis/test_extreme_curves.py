"""Any text as a file of curves, and extreme finite numbers in each column: a result, or one clear message."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import normlaw
from normlaw.analysis import Analysis, figures
from normlaw.analysis.curves_file import OPTIONAL, REQUIRED, read_curves_file
from normlaw.cli.program import main
from normlaw_registry import InputError
from normlaw_tests.figure_files import cheapest
from normlaw_tests.quick import QUICK

EXTREME = (5e-324, -1e160, 1e308, float(2**53), 1e18, -999_999.0)
LONGEST = 3000
"""Characters of a message besides the path: five lines of a value each, or a column's name and those known."""

HEADER = ",".join(REQUIRED)
fields = st.one_of(
    st.text(max_size=12),
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(
        ["", " ", '"', "1e160", "-1e308", "5e-324", "9" * 400, "inf", "nan", "x" * 5000, "1_0", "0x1"]
    ),
)
columns = st.sampled_from([*REQUIRED, *OPTIONAL])
tables = st.builds(
    lambda names, rows, end: end.join(",".join(row) for row in [[*REQUIRED, *names], *rows]),
    st.lists(columns | st.text(max_size=5), max_size=3),
    st.lists(st.lists(fields, min_size=1, max_size=6), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


T = TypeVar("T")


def result_or_refusal(act: Callable[[], T]) -> T | str:
    """Return what it returns, or the message of the InputError that it raises; whatever else fails the test."""
    try:
        return act()
    except InputError as error:
        return str(error)


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")


contents = st.one_of(st.binary(max_size=300), st.text().map(_encoded), tables.map(_encoded))
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(content=contents)
@example(content=b"\x00")
@example(content=f"{HEADER},measure\n1,1,1,{'x' * 10_000}\n".encode())
@example(content=f"{HEADER},{'x' * 10_000}\n1,1,1,1\n".encode())
@example(content=f"{HEADER},{HEADER}\n1,1,1,1,1,1\n".encode())
@example(content=b"\n".join([HEADER.encode(), *(b"1,%d,0.5" % n for n in range(3)), b"1," * 4000]))
def test_any_file_gives_a_frame_or_one_error_of_bounded_length(tmp_path: Path, content: bytes) -> None:
    check_file(tmp_path / "curves.csv", content)


@pytest.mark.slow
@settings(few, max_examples=200)
@given(content=contents)
def test_any_of_many_files_does(tmp_path: Path, content: bytes) -> None:
    check_file(tmp_path / "curves.csv", content)


def check_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = result_or_refusal(lambda: read_curves_file(path))
    if isinstance(read, str):
        assert len(read.replace(str(path), "")) < LONGEST
        return
    frame, norm = read
    assert norm
    assert len(frame)
    assert np.isfinite(frame.select_dtypes("number").to_numpy(dtype=np.float64)).all()


@pytest.fixture(scope="module")
def usual(make_study: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Return curves with every column that a frame may have."""
    curves = make_study(sizes=(100, 200, 400), seeds=2, points=12)
    size = curves["train_size"].astype("float64")
    return curves.assign(
        train_size=size,
        seed=curves["seed"].astype("float64"),
        step=np.arange(len(curves), dtype=np.float64),
        alpha=size / 100,
        validation_error=curves["test_error"],
        mean_log_optimal_norm=np.log(size),
    )


BESIDE = ("seed", "step", "alpha")
"""Columns that are carried along: whatever stands in them, the curves are fitted."""
COLUMNS = (*REQUIRED, *BESIDE, "validation_error", "mean_log_optimal_norm")


def extremes(usual: pd.DataFrame, column: str) -> list[pd.DataFrame]:
    """Return the curves with an extreme number at one point, in one run, and in the whole column.

    Each number is in two of the four places, and in the two others for the columns next to this one.
    """
    run = usual.index[usual["run"] == usual["run"].iloc[57]]
    rising = np.linspace(0, 1, len(usual))
    found = []
    for number, value in enumerate(EXTREME):
        places = (([57], value), (run, value), (usual.index, value), (usual.index, value * rising))
        for index, put in places[(number + COLUMNS.index(column)) % 2 :: 2]:
            frame = usual.copy()
            frame.loc[index, column] = put
            found.append(frame)
    return found


def fits(frames: list[pd.DataFrame], column: str) -> Iterator[Callable[[], Analysis]]:
    """Yield the fits of two frames a number by one protocol each.

    Where all can be fitted, it is one a number, and by the protocol that takes long of one number a column.
    """
    for number, (one, other) in enumerate(zip(frames[::2], frames[1::2], strict=True)):
        first, second = (one, other) if number % 2 else (other, one)
        quick = partial(normlaw.fit, second, protocol="automatic", draws=100)
        if column not in BESIDE:
            yield from (partial(normlaw.fit, first), quick)
        else:
            yield partial(normlaw.fit, first) if number == 1 + 2 * BESIDE.index(column) else quick


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
def test_a_frame_of_extreme_numbers_gives_laws_or_one_error(usual: pd.DataFrame, column: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fit in fits(extremes(usual, column), column):
            found = result_or_refusal(fit)
            if isinstance(found, str):
                assert "\n" not in found
                assert "protocol" not in found  # it is the curves that are wrong
                assert len(found) < 300
            else:
                told = (*found.warnings, *found.findings.reasons)
                assert all(np.isfinite(one.value) or told for one in found.estimates().values())


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("train_size", 1e18, r"train_size must lie in \[1, 2\^53\], got 1e\+18"),
        ("train_size", 5e-324, r"train_size must lie in \[1, 2\^53\], got 5e-324"),
        ("log_norm", 1e160, r"log_norm must lie within \+-1,000,000, got 1e\+160"),
        ("mean_log_optimal_norm", -1e308, r"mean_log_optimal_norm must lie within \+-1,000,000, got -1e\+308"),
        ("log_norm", 0.0, "at least 4 distinct norms each"),
    ],
)
def test_what_is_wrong_is_named(usual: pd.DataFrame, column: str, value: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        normlaw.fit(usual.assign(**{column: value}))


def test_norms_that_a_fit_cannot_tell_apart_are_one(usual: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="at least 4 distinct norms each, got 0"):
        normlaw.fit(usual.assign(log_norm=1e-300 * usual["log_norm"]))


@pytest.mark.slow
@pytest.mark.parametrize("column", [c for c in COLUMNS if c != "validation_error"])  # a file has none
def test_a_file_of_extreme_numbers_ends_in_a_report_or_one_error(
    usual: pd.DataFrame, column: str, tmp_path: Path
) -> None:
    path = tmp_path / "extreme.csv"
    values: tuple[float, ...] = (5e-324, -1e308, 999_999.0)
    if column in BESIDE:
        values = (values[BESIDE.index(column)],)
    for value in values:
        quick = column in BESIDE or value < 1  # above in the protocol that takes long; no axis is longer for it
        frame = usual.drop(columns=["run", "validation_error"])
        frame.loc[usual["run"] == usual["run"].iloc[57], column] = value
        frame.to_csv(path, index=False)
        with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
            warnings.simplefilter("error")
            if quick:
                patch.setattr(figures, "drawn_of", cheapest)
            asked = ["analyse", "--curves", str(path), "--reports", str(tmp_path)]
            done = CliRunner().invoke(main, [*asked, *(QUICK if quick else ())])
        assert done.exit_code in (0, 2), done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert "Traceback" not in done.output
