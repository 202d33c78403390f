"""Collapse with a noise floor: how far normalised curves of several sizes deviate from one curve.

Against the scatter of the seeds that they were trained with (Qiu et al. 2025, arXiv 2507.02119).
"""

from __future__ import annotations

from normlaw.analysis.scaling_collapse.curves import scaling_collapse
from normlaw.analysis.scaling_collapse.result import VERDICTS, ScalingCollapse

__all__ = ["VERDICTS", "ScalingCollapse", "scaling_collapse"]
