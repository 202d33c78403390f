"""What the page answers while runs are trained."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from normlaw.page.answers import Answers
from normlaw.page.fits import Fitted
from normlaw.page.view import View


class _Growing:
    """A site whose one study measures something new while its figure is drawn for the first time."""

    def __init__(self) -> None:
        self.figures, self.runs = self, [SimpleNamespace(run="a", state="running", step=1, updated=1.0)]

    def study(self, _name: str) -> _Growing:
        return self

    def look(self) -> SimpleNamespace:
        return SimpleNamespace(study="study", runs=self.runs, launches=[], notes=[])

    def shown(self, _study: _Growing, view: View) -> SimpleNamespace:
        drawn = self.runs[0].step
        self.runs = [SimpleNamespace(run="a", state="finished", step=2, updated=2.0)]
        return SimpleNamespace(view=view, drawn=drawn, x="step", options="", fitted=Fitted())


def test_what_was_drawn_of_older_curves_is_not_kept_for_newer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(_answers: Answers, now: Any, _name: str, _have: str) -> dict[str, int]:
        return {"drawn": now.drawn}

    monkeypatch.setattr(Answers, "_data", drawn)
    site: Any = _Growing()
    nothing: Any = SimpleNamespace()
    answers = Answers(site, lambda _studies: {}, lambda _one, _other: nothing)
    query = [("study", "study"), ("figure", "error_against_norm")]
    assert [answers.data(query) for _ in range(2)] == [b'{"drawn": 1}', b'{"drawn": 2}']
