"""What is found of a study's arms: shares, responses, and which variable the error follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from normlaw.analysis.cause.verdict import Verdict
from normlaw_registry import AnalysisWarning, Response

if TYPE_CHECKING:
    import pandas as pd

VERDICTS: Mapping[Verdict, str] = {
    "one_variable": "the error follows {first}",
    "several_variables": "the error follows {first}, and {others} besides",
    "no_variable": "the error follows none of these variables across arms",
    "cannot_tell": "these runs cannot tell whether the error follows {all}",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Cause:
    """Which variable the error follows where arms leave one state with one thing changed."""

    norm: str
    response: Response
    confidence: float
    verdict: Verdict
    named: tuple[str, ...]
    """The variables that the verdict names, the one that explains most first."""
    reason: AnalysisWarning
    settable: tuple[Verdict, tuple[str, ...], AnalysisWarning]
    """The same without the training loss, which is an outcome itself: no one sets it."""
    shares: pd.DataFrame
    """A row a variable and comparison: variable, kind, comparison (across or within), alone, alone_stderr,
    alone_low, alone_high, beyond, beyond_stderr, beyond_low, beyond_high (of all, less of all but it)."""
    pairs: pd.DataFrame
    """A row an ordered pair across arms: first, second, gain (of both, less of the first alone), stderr, low,
    high."""
    arms: pd.DataFrame
    """A row an arm and response: see `responses.arms_table`."""
    slopes: pd.DataFrame
    """A row a changed thing and response: see `responses.slopes`."""
    undone: pd.DataFrame
    """A row a pair of arms and response: see `responses.undone`."""
    points: pd.DataFrame
    """The points that variables were compared on: trunk, arm, train_size, step, y and the variables, in ln."""
    effects: pd.DataFrame
    """Of each arm in each trunk: see `responses.effects`."""
    total: float
    """What there is to explain across arms, in ln of the error."""
    warnings: Sequence[AnalysisWarning] = ()

    @property
    def verdict_text(self) -> str:
        """The verdict in words."""
        return self._told(self.verdict, self.named)

    @property
    def settable_text(self) -> str:
        """The verdict in words without the training loss, with its reason."""
        verdict, named, reason = self.settable
        told = self._told(verdict, named)
        return f"without the training loss, which is an outcome itself, {told}: {reason.message}"

    def _told(self, verdict: Verdict, named: tuple[str, ...]) -> str:
        noun = self.response.plain.removeprefix("test ")
        first, *others = named or ("",)
        text = VERDICTS[verdict].format(first=first, others=" and ".join(others), all=" or ".join(named))
        return text.replace("the error", f"the {noun}")

    @property
    def across_words(self) -> str:
        """What the two comparisons are, shortly."""
        return "across arms (of those left out) and within them, alone and beyond the other variables"

    @property
    def method(self) -> tuple[str, ...]:
        """How it was found, a sentence each."""
        trunks, arms = self.points["trunk"].nunique(), self.points["arm"].nunique()
        return (
            f"{trunks} trunks with {arms} arms, {len(self.points):,} points behind the fork, until the "
            f"{self.response.noun} first comes within 10% of the least of its trunk; they differ by "
            f"{self.total:.3g} in ln of the {self.response.noun}, which is what is explained",
            "across: each arm is told by one curve in the variable, fitted to the other arms; within: each arm "
            "has a level of its own, and trunks are left out in fifths",
            "beyond: the share of all variables together less that of all but this one; errors are those of "
            "the jackknife over trunks",
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by name."""
        return {
            "shares": self.shares,
            "pairs": self.pairs,
            "arms": self.arms,
            "slopes": self.slopes,
            "undone": self.undone,
            "effects": self.effects,
            "curves": self.points,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return all but the points in JSON's own types."""
        tables = {n: t.to_dict("records") for n, t in self.tables().items() if n not in ("curves", "effects")}
        return {
            "norm": self.norm,
            "response": self.response.quantity,
            "floor": self.response.floor,
            "confidence": self.confidence,
            "verdict": self.verdict,
            "named": list(self.named),
            "reason": {"code": self.reason.code, "message": self.reason.message},
            "without_training_loss": {
                "verdict": self.settable[0],
                "named": list(self.settable[1]),
                "reason": {"code": self.settable[2].code, "message": self.settable[2].message},
            },
            "total_log_error": self.total,
            **tables,
            "method": list(self.method),
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
        }

    def metrics(self) -> dict[str, float]:
        """Return single numbers by the names that MLflow has them under."""
        found = {}
        for row in self.shares.to_dict("records"):
            found[f"{row['comparison']}/{row['variable']}"] = float(row["alone"])
            found[f"{row['comparison']}_beyond/{row['variable']}"] = float(row["beyond"])
        for row in self.undone.to_dict("records"):
            found[f"undone_{row['response']}/{row['arm']}"] = float(row["fraction"])
        return found

    def summary(self) -> str:
        """Return verdict, tables and warnings as text for a terminal."""
        from normlaw.analysis.cause.text import render

        return render(self)

    def __repr__(self) -> str:
        return f"<Cause: {self.verdict_text}; {self.reason.message}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from normlaw.base.html import preformatted

        return preformatted(self.summary())
