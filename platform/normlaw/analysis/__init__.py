"""Curves in, laws out: pure functions of data frames, and the files that hold what they find."""

from __future__ import annotations

from normlaw.analysis.analyse import analyse
from normlaw.analysis.markdown import exponents_table, settings_table
from normlaw.analysis.options import Options, command_line, of_response
from normlaw.analysis.report import About, report
from normlaw.analysis.results import Analysis
from normlaw.analysis.text import render
from normlaw.analysis.unfitted import NotFittedError
from normlaw.analysis.writing import to_json, write, write_json, write_unfitted
from normlaw_registry import EXPONENTS, AnalysisWarning, Estimate

__all__ = [
    "EXPONENTS",
    "About",
    "Analysis",
    "AnalysisWarning",
    "Estimate",
    "NotFittedError",
    "Options",
    "analyse",
    "command_line",
    "exponents_table",
    "of_response",
    "render",
    "report",
    "settings_table",
    "to_json",
    "write",
    "write_json",
    "write_unfitted",
]
