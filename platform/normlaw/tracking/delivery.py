"""Bring one run from its journal to the server, from whatever an earlier attempt left there."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from mlflow.entities import Run

from normlaw.base.files import try_lock
from normlaw.study.identity import lacking, measured_by
from normlaw.study.observed import AnySpec, ObservedSpec
from normlaw.tracking import keys
from normlaw.tracking.record import Record, validated_spec
from normlaw.tracking.same import measured_in, measures_the_same
from normlaw.tracking.writer import RunWriter, Values, metrics_without, points
from normlaw_registry import NormlawError

MEASURED_ANEW = "the run was trained again with more measures, and logged as another MLflow run"
"""Why a finished run is no longer the one that counts."""


class BeingSentError(NormlawError):
    """Another process is sending this run."""


class Delivery:
    """One run on its way; while it is open, no other process sends the same run.

    The lock is a file beside the journal, freed by the system however the process ends. Before anything is
    sent the file gets a byte: whoever finds it empty knows that the server has nothing of the run, and need
    not ask.

    Args:
        writer: of the study's experiment.
        journal: the run's journal.
        ask: whether the server may have something of the run although this home never sent it.

    Raises:
        BeingSentError: another process has it open.

    """

    def __init__(self, writer: RunWriter, journal: Path, *, ask: bool = False) -> None:
        self._writer = writer
        self._journal = journal
        self._lock = journal.with_suffix(".sending").open("ab", buffering=0)
        if not try_lock(self._lock):
            self._lock.close()
            raise BeingSentError(f"{journal}: another process is sending this run")
        self._ask = ask or self._lock.tell() > 0
        self._run: Run | None = None
        self._there: Values = {}
        self._described = False
        self._outdated: list[Run] = []
        """Finished runs that lack a measure which the journal has."""

    def __enter__(self) -> Self:
        """Return the delivery itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let others send the run."""
        self.close()

    def close(self) -> None:
        """Let others send the run."""
        self._lock.close()

    def keep_up(self, record: Record) -> None:
        """Send what is new in the journal of a run that is in training.

        Raises:
            MlflowException: the server did not take it. Close the delivery: a new one finds out what arrived.
            JournalError: the journal is not what its name says.

        """
        spec = validated_spec(record, self._journal)
        if self._opened(record, spec, last=False):
            self._send(record, spec)

    def complete(self, record: Record) -> bool:
        """Bring the run to the state of its journal, which nobody writes any more.

        A run whose journal has no end is marked as killed.

        Returns:
            Whether anything was sent; False when the server had it all.

        Raises:
            MlflowException: the server did not take it. Close the delivery: a new one finds out what arrived.
            JournalError: the journal is not what its name says.

        """
        spec = validated_spec(record, self._journal)
        if not self._opened(record, spec, last=True):
            return False
        assert self._run is not None
        if record.status is None:
            self._send(record, spec)
            self._writer.kill(self._run, record.last_time)
        else:
            self._send(record, spec, with_optimum=True)
            self._writer.end(self._run, record, spec)
            if record.status == "finished":
                self._replace_earlier_ones(spec)
        return True

    def _replace_earlier_ones(self, spec: AnySpec) -> None:
        """Mark the runs that this one, now finished, takes the place of."""
        assert self._run is not None
        found = {run.info.run_id: run for run in [*self._outdated, *self._writer.earlier(spec)]}
        for run_id, run in found.items():
            over = run.info.status == "FAILED" or keys.SUPERSEDED in run.data.tags
            if run_id != self._run.info.run_id and not over:
                self._writer.kill(run, run.info.end_time, superseded=MEASURED_ANEW)

    def _opened(self, record: Record, spec: AnySpec, *, last: bool) -> bool:
        """Find or make the run at the server; False when it needs nothing."""
        if self._run is not None:
            if _agree(self._there, record, last=last):
                return True
            self._supersede(self._run)
            if not self._adopt(record, spec, last=last):
                return False
        elif self._ask and not self._adopt(record, spec, last=last):
            return False
        if self._run is None:
            self._lock.write(b".")
            self._run, self._there, self._described = self._writer.begin(record, spec), {}, False
        return True

    def _adopt(self, record: Record, spec: AnySpec, *, last: bool) -> bool:
        """Take over what an earlier attempt left at the server; False when that is all there is to it."""
        done = self._sort_out(record, spec, last=last)
        if done and self._run is not None:
            self._supersede(self._run)
        if done or self._run is None:
            return not done
        if self._run.info.status != "KILLED":
            return True
        if last and record.status is None and self._run.info.end_time == record.last_time:
            return False
        self._writer.reopen(self._run)
        return True

    def _sort_out(self, record: Record, spec: AnySpec, *, last: bool) -> bool:
        """Take over one run that the server has of this journal; return whether it has all there is to it."""
        done = False
        self._outdated = []
        for run in self._writer.find(record.spec_hash):
            match run.info.status:
                case "FINISHED" if lacking(measured_by(spec), measured_in(run)):
                    self._outdated.append(run)
                case "FINISHED" if _was_gone_on_with(run, record, spec):
                    self._take_over(run, record, last=last)
                case "FINISHED":
                    done = True
                case "FAILED":
                    done = done or (record.status == "failed" and run.info.end_time == record.ended)
                case _ if keys.SUPERSEDED not in run.data.tags:
                    if done or self._run is not None or not measures_the_same(run, spec):
                        self._supersede(run)
                    else:
                        self._take_over(run, record, last=last)
        return done

    def _take_over(self, run: Run, record: Record, *, last: bool) -> None:
        there = self._writer.values(run)
        if _agree(there, record, last=last):
            self._run, self._there = run, there
        else:
            self._supersede(run)

    def _supersede(self, run: Run) -> None:
        """Give up a run whose measurements are not those of the journal, or that another one has done."""
        self._writer.kill(run, None, superseded="the run was trained anew, and logged as another MLflow run")
        if run is self._run:
            self._run = None

    def _send(self, record: Record, spec: AnySpec, *, with_optimum: bool = False) -> None:
        assert self._run is not None
        metrics = metrics_without(record, self._there)
        if with_optimum:
            metrics += self._writer.optimum(record)
        self._writer.add(self._run, None if self._described else spec, metrics)
        self._described = True
        self._there |= points(record)


def _was_gone_on_with(run: Run, record: Record, spec: AnySpec) -> bool:
    """Return whether an observed run that was finished, and sent, has been trained longer since."""
    return isinstance(spec, ObservedSpec) and run.info.end_time != record.ended


def _agree(there: Values, record: Record, *, last: bool) -> bool:
    """Return whether the server has nothing else than the journal has, or will have.

    A run that was resumed from a checkpoint measures some points again; on the CPU they are the same bits.
    """
    mine = points(record)
    reached = record.points[-1]["step"] if record.points else -1
    return all(mine.get(at) == value for at, value in there.items() if last or at[0] <= reached)
