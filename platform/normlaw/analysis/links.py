"""Where a report's runs, data and study are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunLink:
    """A run on MLflow's pages."""

    name: str
    address: str
    run: str = ""
    """What its points are marked with."""
    commit: str = ""
    """The git commit that it was launched in; empty where none is known."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """Where all is that a report rests on."""

    experiment: str = ""
    """Address of the study's page at MLflow; empty where it is at none."""
    serving: str = ""
    """The command that serves MLflow's pages; empty where a server does."""
    runs: tuple[RunLink, ...] = ()
    study: str = ""
    """The study's file, or the command that shows it."""

    @property
    def commits(self) -> dict[str, int]:
        """How many runs were launched in each git commit that is known."""
        known = [run.commit for run in self.runs if run.commit]
        return {commit: known.count(commit) for commit in dict.fromkeys(known)}
