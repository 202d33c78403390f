"""The linear maps of a network: what each layer is as it is applied, found by one forward pass.

The host takes its norms of these maps, and the checks for authors of plugins look at the same ones. Everything
in here imports torch, and is imported inside the functions that use it: a catalogue is listed without torch.
"""

from normlaw_registry.linear.plan import LinearMapPlan, trace_linear_maps
from normlaw_registry.linear.tracing import evaluation

__all__ = ["LinearMapPlan", "evaluation", "trace_linear_maps"]
