"""Complexity measures: a norm of a network, read off its linear maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Protocol, get_args

from normlaw_registry.callback import Callback, Follower
from normlaw_registry.component import Component, P
from normlaw_registry.errors import InvalidComponentError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from normlaw_registry.dataset import Split, Task, TaskKind
    from normlaw_registry.linear_map import LinearMap

Exactness = Literal["exact", "upper_bound", "estimate"]
Vector = Literal["parts", "spectra"]
"""What a measure may give beside its one number: a norm of each part, or the singular values of each layer."""


@dataclass(frozen=True, kw_only=True)
class MeasuredValue:
    """A norm as its natural logarithm in float64: spectral complexities reach e^150."""

    log_value: float
    """Natural log of the norm; finite."""
    exactness: Exactness = "exact"
    """'exact' to `tolerance`, an 'upper_bound', or an 'estimate' without a bound; kept with the value."""
    tolerance: float = 1e-12
    """Relative error of the norm itself (so: absolute error of its log), where `exactness` is 'exact'."""
    layers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What each layer contributes, where that makes sense: layer name -> quantity -> value."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """Of a measure that `gives` parts: the natural log of the norm of each, by name; of a layer, its own name.
    Each is an abscissa of its own, `<measure>.<part>`, at every measuring point; `exactness` is the weakest."""
    spectra: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Of a measure that `gives` spectra: the singular values of each layer, the largest first; not logs. They
    are kept in the run's curve file and drawn, and are no abscissas."""


@dataclass(frozen=True, kw_only=True)
class EntryNorms:
    """The norms of a matrix A, (out, in), that are sums over its entries; not logs, exact in float64."""

    l1: float
    """Sum of |A_jk|."""
    frobenius: float
    """Square root of the sum of A_jk^2."""
    rows_2_1: float
    """||A^T||_{2,1}: the sum over outputs j of the 2-norms of A's rows."""
    columns_2_1: float
    """||A||_{2,1}: the sum over inputs k of the 2-norms of A's columns."""


class MeasurementContext(Protocol):
    """What a measure may ask for, at one measuring point; a test of a measure need give no more than that.

    What several measures need is computed once for all of them: `kernel_norm`, `operator_norm`, the singular
    values and the entry norms remember their answers for this point, and raise `NormlawError` with the layer's
    name for a weight that is not finite (the two norms also for one that is zero). Nothing here may be changed.
    """

    @property
    def linear_maps(self) -> Sequence[LinearMap]:
        """The network's linear maps in forward order, each built when it is asked for: do not keep them all."""
        ...

    @property
    def initial_linear_maps(self) -> Sequence[LinearMap]:
        """The same maps at initialisation (step 0), in the same order; for measures that need them."""
        ...

    def entry_norms(self, linear_map: LinearMap, /) -> EntryNorms:
        """Return the entrywise norms of `linear_map.matrix()`."""
        ...

    def moved_entry_norms(self, linear_map: LinearMap, /) -> EntryNorms:
        """Return those of that matrix minus what it was at initialisation; for measures that need it."""
        ...

    def kernel_norm(self, linear_map: LinearMap, /) -> MeasuredValue:
        """Return the largest singular value of `linear_map.matrix()`, the reshaped kernel."""
        ...

    def operator_norm(self, linear_map: LinearMap, /) -> MeasuredValue:
        """Return that of the map as it is applied: stride, padding and input size included."""
        ...

    def singular_values(self, linear_map: LinearMap, /) -> Sequence[float]:
        """Return all singular values of `linear_map.matrix()`, the largest first, exact in float64."""
        ...

    @property
    def network(self) -> nn.Module:
        """The network, in evaluation mode."""
        ...

    @property
    def task(self) -> Task:
        """What the network is trained for."""
        ...

    def train_batches(self) -> Iterable[Split]:
        """Return the run's training examples as the network sees them (floating point, normalised).

        In large batches that follow each other in a fixed order.
        """
        ...

    @property
    def train_labels(self) -> Tensor:
        """Labels or targets, (train_size, ...), in the order of `train_batches` and of `train_logits`."""
        ...

    def train_logits(self) -> Tensor:
        """Return the network's outputs on them, (train_size, *output_shape), computed once for this point."""
        ...

    @property
    def temperature(self) -> float:
        """What outputs are divided by before the loss at this point; 1 where no intervention says otherwise."""
        ...

    @property
    def follower(self) -> Follower | None:
        """What the measure's own callback has started on this run; None for a measure without one."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class ComplexityMeasure(Component[P], Generic[P]):
    """A norm lambda of a network: the abscissa of a learning curve.

    `measure(params, context)` consumes linear maps, never a particular architecture, so that every measure
    serves every network; one whose definition holds for some networks alone refuses the others by raising
    `InputError`. It answers the same for the same context, changes neither weights nor gradients nor mode of
    the network, and leaves torch's global generator as it was. A weight that is zero or not finite, where the
    norm's log would not be finite, is reported by raising `NormlawError` with the layer's name, and ends the
    run. A norm that has no log at this point of a healthy training raises `UndefinedNormError`: the point
    goes without it.

    A measure may give more than one number: it says so in `gives`, and fills `parts` or `spectra` of its value.
    The parts are the same at every point of a run. Their names are made safe for MLflow: a colon stands for an
    at sign, and an underscore for whatever else it does not take.

    A norm that depends on how the network came to its weights names a `callback`, which is started with the
    measure's own parameters on each run that is measured, and whose follower is `context.follower`. Measures
    that name one callback with the same parameters share its follower. Such a norm is taken where normlaw
    trains; it is refused of saved weights and in other loops.

    Raises:
        InvalidComponentError: as `Component` does, or `gives` names no vector, or the callback changes the
            training, or takes other parameters than the measure.

    """

    kind: ClassVar[str] = "complexity_measure"
    functions: ClassVar[tuple[str, ...]] = ("measure", "needs_initial")

    measure: Callable[[P, MeasurementContext], MeasuredValue]
    """(params, context) -> the norm's natural log."""
    needs_initial: Callable[[P], bool] | None = None
    """(params) -> whether `measure` looks at the initial weights, a copy of which is kept only then."""
    tasks: tuple[TaskKind, ...] | None = None
    """The kinds of task that it is defined for; None: for all, as it looks at weights and inputs alone. A study
    that takes it for another one is refused before anything is trained."""
    callback: Callback[P] | None = None
    """What follows each optimiser step of a run for this measure; None for a norm of the network as it is."""
    gives: tuple[Vector, ...] = ()
    """What it gives beside its one number: "parts", "spectra", both or, by default, nothing."""

    def __post_init__(self) -> None:
        """Refuse a callback that could not be started for a norm, and vectors that are none."""
        super().__post_init__()
        if not isinstance(self.gives, tuple) or not set(self.gives) <= set(get_args(Vector)):
            raise InvalidComponentError(
                f"{self.kind} {self.name!r}: `gives` is a tuple of {' and '.join(get_args(Vector))}, "
                f"got {self.gives!r}"
            )
        if self.callback is None:
            return
        if not isinstance(self.callback, Callback):
            problem = f"`callback` must be a Callback, got {self.callback!r}"
        elif self.callback.changes_training:
            problem = f"callback {self.callback.name!r} changes the training, and a norm is only looked at"
        elif self.callback.params is not self.params:
            problem = (
                f"callback {self.callback.name!r} takes {self.callback.params.__name__}: give the norm the same"
            )
        else:
            return
        raise InvalidComponentError(f"{self.kind} {self.name!r}: {problem}")
