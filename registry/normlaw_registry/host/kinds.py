"""The kinds of component: one table, from which hooks, catalogue, listings and written plugins follow."""

from __future__ import annotations

from dataclasses import dataclass

from normlaw_registry.architecture import Architecture
from normlaw_registry.callback import Callback
from normlaw_registry.complexity import ComplexityMeasure
from normlaw_registry.component import Component
from normlaw_registry.dataset import Dataset
from normlaw_registry.fitter import Fitter
from normlaw_registry.loss import Loss
from normlaw_registry.optimizer import Optimizer
from normlaw_registry.protocol import AnalysisProtocol
from normlaw_registry.schedule import Schedule
from normlaw_registry.theory import Theory


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of component."""

    component: type[Component]
    """The only type that the hook may return."""
    hook: str
    """Name of the function by which plugins provide them; documented in `normlaw_registry.hookspecs`."""
    title: str
    """What a heading calls one of them."""

    @property
    def name(self) -> str:
        """What studies, catalogue and modules call it: 'complexity_measure'."""
        return self.component.kind

    @property
    def option(self) -> str:
        """What the command line calls it: 'complexity-measure'."""
        return self.name.replace("_", "-")


KINDS: tuple[Kind, ...] = (
    Kind(component=Architecture, hook="normlaw_architectures", title="Architecture"),
    Kind(component=Dataset, hook="normlaw_datasets", title="Data set"),
    Kind(component=Loss, hook="normlaw_losses", title="Loss"),
    Kind(component=Optimizer, hook="normlaw_optimizers", title="Optimiser"),
    Kind(component=Schedule, hook="normlaw_schedules", title="Schedule"),
    Kind(component=ComplexityMeasure, hook="normlaw_complexity_measures", title="Complexity measure"),
    Kind(component=Callback, hook="normlaw_callbacks", title="Callback"),
    Kind(component=Fitter, hook="normlaw_fitters", title="Fitter"),
    Kind(component=Theory, hook="normlaw_theories", title="Theory"),
    Kind(component=AnalysisProtocol, hook="normlaw_protocols", title="Protocol"),
)
"""All kinds, in the order of all listings. A line here is all that discovery, catalogue, `normlaw plugins` and
`--kind` need; what else a kind owes its users (its hook's example, a battery, a template, a page) is named by
`tests/registry/test_kinds.py`."""
