"""Which variable does the error follow where the norm is changed and nothing else: cause, or clock."""

from normlaw.analysis.cause.finding import find_cause
from normlaw.analysis.cause.responses import Change
from normlaw.analysis.cause.result import Cause
from normlaw.analysis.cause.writing import write_cause

__all__ = ["Cause", "Change", "find_cause", "write_cause"]
