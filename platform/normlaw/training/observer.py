"""Who is told what happens in a run: nobody, by default."""

from __future__ import annotations

from collections.abc import Callable

from normlaw.training.abscissas import Spectra
from normlaw.training.data import RunData
from normlaw.training.evaluation import Inexact, Point
from normlaw.training.layer_table import Row
from normlaw.training.memory_format import MemoryFormat
from normlaw.training.state import TrainingState


class Observer:
    """Is told of a run as it goes; an exception that it raises ends the run there."""

    def data(self, data: RunData) -> None:
        """Be told, before the first step, what the run trains on."""

    def memory_format(self, layout: MemoryFormat) -> None:
        """Be told, whenever training begins or goes on, how the network's images and weights are laid out."""

    def point(self, point: Point, inexact: Inexact) -> None:
        """Be told of a measurement as soon as it is taken, and which of its norms are not exact."""

    def spectra(self, step: int, spectra: Spectra) -> None:
        """Be told the layers' singular values at a step, just before `point`, where a measure gives them."""

    def layers(self, rows: list[Row]) -> None:
        """Be told, at the first and at the last measurement, what each layer contributes."""

    def safe_point(self, state: Callable[[], TrainingState] | None) -> None:
        """Be told that the run may be left here and, but for the last measuring point, gone on with later.

        Args:
            state: gives what is needed to go on from here; None for a run that begins again instead.

        """
