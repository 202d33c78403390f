"""LaTeX tables: numbers as printed in papers, words of others escaped, and pages that LaTeX makes of them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pytest

import normlaw
from normlaw.analysis.latex import exponents_latex, limits, settings_latex, with_error
from normlaw_registry import Estimate
from normlaw_tests.two_settings import SETTING, two_settings

EVIL = r"50 % of $x_1 & {all}# ~ ^ \\input{secret}"


@pytest.fixture(scope="module")
def analysis() -> normlaw.Analysis:
    curves = two_settings()
    one = curves[curves[SETTING] == "0.0"]
    found = normlaw.fit(one, norm="first", protocol="released", window=(None, 0.3))
    more = replace(found.gamma_1, definition=EVIL)
    return replace(found, findings=replace(found.findings, further={"one_more": more}))


@pytest.mark.parametrize(
    ("value", "stderr", "shown"),
    [
        (1.62847, 0.0955, r"$1.628 \pm 0.096$"),
        (0.5, 0.00123, r"$0.5000 \pm 0.0012$"),
        (12.3, 131.0, r"$12 \pm 131$"),
        (-0.00001, 0.1, r"$0.00 \pm 0.10$"),
        (0.5, 0.0, r"$0.5000 \pm 0.0000$"),
        (nan, nan, "--"),
        (0.5, inf, r"$0.5000 \pm \infty$"),
    ],
)
def test_an_error_has_two_digits_and_the_value_as_many_decimals(value, stderr, shown) -> None:
    assert with_error(Estimate(value=value, stderr=stderr, low=value, high=value)) == shown


def test_limits_that_are_not_known_are_a_dash() -> None:
    assert limits(Estimate(value=0.5, stderr=0.1, low=-inf, high=1)) == "--"
    assert limits(Estimate(value=0.5, stderr=0.1, low=0.304, high=0.7)) == "$[0.30, 0.70]$"


def test_a_row_an_exponent(analysis) -> None:
    lines = exponents_latex(analysis).splitlines()
    rows = [line for line in lines if line.endswith(r"\\")]
    assert rows[0] == r"exponent & value & 95\% interval & definition \\"
    assert rows[1].startswith(rf"$\gamma_1$ & {with_error(analysis.gamma_1)} & $[")
    assert rows[-1].startswith(r"one\_more & ")
    assert {r"\toprule", r"\midrule", r"\bottomrule"} <= set(lines)


def test_a_row_a_setting(analysis) -> None:
    rows = [line for line in settings_latex({"a_b=1": analysis, "c": analysis}).splitlines() if " & " in line]
    assert rows[0].startswith(r"setting & $\gamma_1$ & $\gamma_2$ & $\gamma_\mathrm{pred}$ & ")
    assert rows[1].startswith(rf"a\_b=1 & {with_error(analysis.gamma_1)} & ")
    assert rows[1].endswith(r" & 12 & -- \\")


@pytest.mark.slow
def test_latex_makes_pages_of_them(analysis, tmp_path: Path) -> None:
    if (
        shutil.which("pdflatex") is None
        or subprocess.run(["kpsewhich", "booktabs.sty"], check=False).returncode != 0
    ):
        pytest.skip("pdflatex with booktabs is not installed (Debian: texlive-latex-recommended)")
    tables = exponents_latex(analysis), settings_latex({EVIL: analysis, "c": analysis})
    page = "\n\n".join(tables)
    head = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    (tmp_path / "page.tex").write_text(f"{head}\n{page}\n\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000
