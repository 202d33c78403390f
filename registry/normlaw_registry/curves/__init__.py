"""Small tools for learning curves that protocols and the platform share; import it inside functions (numpy).

The optimum of a run has one definition, `run_optima`: reports, figures and the metrics of MLflow all use it.
The least measured point, `least_points`, is what the paper's released code takes for it.
"""

from normlaw_registry.curves.columns import floats, integers, run_slices
from normlaw_registry.curves.falling import falling_runs
from normlaw_registry.curves.least import least_points, size_optima
from normlaw_registry.curves.mean_curves import mean_curves
from normlaw_registry.curves.noise import noise_parts, noise_variance
from normlaw_registry.curves.optimum import HELD_APART, TEST_SET, chosen_on, run_optima
from normlaw_registry.curves.parabola import parabola_optima
from normlaw_registry.curves.single import Optimum, run_optimum
from normlaw_registry.curves.weighted import weight_range
from normlaw_registry.curves.windows import early_points

__all__ = [
    "HELD_APART",
    "TEST_SET",
    "Optimum",
    "chosen_on",
    "early_points",
    "falling_runs",
    "floats",
    "integers",
    "least_points",
    "mean_curves",
    "noise_parts",
    "noise_variance",
    "parabola_optima",
    "run_optima",
    "run_optimum",
    "run_slices",
    "size_optima",
    "weight_range",
]
