"""The curves of many logged runs, and what could not be taken of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from normlaw.elsewhere.curve import Curve, LacksError, curve_of
from normlaw.elsewhere.logged import LoggedRun
from normlaw.elsewhere.taking import Taking
from normlaw_registry import InputError
from normlaw_registry.errors import brief

SHOWN = 3
"""Runs left out, or parameters that differ, that are told by name."""
MOST_VALUES = 1000
"""Values of a parameter that are told apart; with more, it differs all the same."""


class Curves:
    """The curves of runs, one after the other.

    Args:
        runs: what was logged.
        taking: what is taken of them.
        source: where they are, for messages.

    Attributes:
        notes: what a user should know once all are there: runs left out, and parameters that differ between
            runs but were not taken.

    """

    def __init__(self, runs: Iterable[LoggedRun], taking: Taking, source: str) -> None:
        self._runs, self._taking, self._source = runs, taking, source
        self._lacking: list[str] = []
        self._values: dict[str, set[str]] = {}
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Curve]:
        """Yield each run's curve.

        Raises:
            InputError: no run has one, which is known before any is yielded; or a value is out of range.

        """
        curves = self._curves()
        first = next(curves, None)
        if first is None:
            told = self._lacking[0] if self._lacking else "there are no runs"
            more = f" (and {len(self._lacking) - 1} runs more)" if len(self._lacking) > 1 else ""
            raise InputError(f"{self._source}: {told}{more}")
        yield from chain([first], curves)
        self._tell()

    def _curves(self) -> Iterator[Curve]:
        for run in self._runs:
            try:
                curve = curve_of(run, self._taking)
            except LacksError as error:
                self._lacking.append(str(error))
                continue
            except InputError as error:
                raise InputError(f"{self._source}: {error}") from None
            for name, value in run.params.items():
                known = self._values.setdefault(name, set())
                if len(known) < MOST_VALUES:
                    known.add(value)
            yield curve

    def _tell(self) -> None:
        if self._lacking:
            shown = "; ".join(self._lacking[:SHOWN])
            self.notes.append(f"{len(self._lacking)} runs were left out: {shown}")
        taken = {self._taking.param_of(name) for name in ("train_size", "seed", *self._taking.params)}
        differ = [name for name, values in self._values.items() if len(values) > 1 and name not in taken]
        if differ:
            shown = ", ".join([*map(brief, differ[:SHOWN]), *["..."] * (len(differ) > SHOWN)])
            self.notes.append(
                f"the runs differ in {shown} too, and count as one setting: to tell them apart, take it "
                "under the name of a study's key, such as --take optimizer.learning_rate=NAME"
            )
