"""From a ladder of sizes to what is found of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from normlaw.analysis.scaling_collapse.floor import Source, chosen_floor
from normlaw.analysis.scaling_collapse.judging import judged
from normlaw.analysis.scaling_collapse.ladder import Floats, Ladder, means
from normlaw.analysis.scaling_collapse.resampling import DRAWS, resampled
from normlaw.analysis.scaling_collapse.result import ScalingCollapse
from normlaw.analysis.scaling_collapse.scan import WITHIN, numbers_of, scanned
from normlaw.analysis.scaling_collapse.statistics import statistics
from normlaw_registry import AnalysisWarning, Estimate, InputError, Response
from normlaw_registry.errors import brief

FEW_RUNS = 5
MIN_DRAWS = 20


def measure(
    ladder: Ladder,
    response: Response,
    over: str,
    *,
    floor: float | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    alone: tuple[str, ...] = (),
) -> ScalingCollapse:
    """Return how far a ladder's normalised curves deviate, the noise floor of its seeds, and where it is above.

    Args:
        ladder: the curves.
        response: the loss that they hold.
        over: what holds the sizes.
        floor: L0; by default fitted where the abscissa is compute or steps and there are 5 sizes, else 0.
        confidence: level of all limits.
        draws: resamplings of the runs.
        alone: labels of sizes that were left out.

    Raises:
        InputError: the curves have no range in common, or some final loss is not above the floor.

    """
    if draws < MIN_DRAWS:
        raise InputError(f"collapse: draws must be {MIN_DRAWS} at least, got {draws}")
    relative = ladder.grid()
    loss, anchor = ladder.at(relative, np.zeros(len(ladder.sizes)))
    final = means(anchor, ladder.size_of)  # (sizes,)
    warnings = _told(ladder, alone)
    chosen = chosen_floor(ladder, final, float(anchor.min()), floor)
    floor, source, theta = chosen.value, chosen.source, chosen.theta
    warnings += chosen.warnings
    if not anchor.min() > floor:
        least = ladder.labels[ladder.size_of[int(anchor.argmin())]]
        raise InputError(
            f"collapse: the floor {floor:g} is not below all final values: a run of size {least} ends at "
            f"{anchor.min():.4g}; give a lower one with --floor"
        )
    found = statistics(loss, anchor, ladder.size_of, floor)
    rows = numbers_of(found, ladder, relative, floor)
    drawn = list(resampled(ladder, relative, floor, theta, draws))
    if len(drawn) < 0.9 * draws:
        what = f"{draws - len(drawn)} of {draws} resamplings end below their floor, and were left out"
        warnings.append(AnalysisWarning(code="collapse_floor_too_high", message=what))
    if len(drawn) < MIN_DRAWS:
        raise InputError(
            f"collapse: {len(drawn)} of {draws} resamplings have all final losses above the floor {floor:g}: "
            "give a lower one with --floor"
        )
    each = pd.DataFrame([numbers_of(d.found, ladder, relative, d.floor) for d in drawn])
    tail = 50 * (1 - confidence)

    def limits(values: Floats) -> tuple[Floats, Floats]:
        low, high = np.percentile(values, [tail, 100 - tail], axis=0)
        return low, high

    numbers = {
        name: Estimate(
            value=value,
            stderr=float(each[name].std(ddof=1)),
            low=float(np.percentile(each[name], tail)),
            high=float(np.percentile(each[name], 100 - tail)),
        )
        for name, value in rows.items()
    }
    scan = scanned(ladder, relative, loss, anchor, floor, numbers["collapse_floor"])
    x = np.exp(relative) if ladder.logarithmic else relative
    profile = pd.DataFrame({"x": x})
    for name, of in (("deviation", "deviation"), ("noise_floor", "noise")):
        low, high = limits(np.stack([getattr(d.found, of) for d in drawn]))
        profile[name] = getattr(found, of)
        profile[f"{name}_low"], profile[f"{name}_high"] = low, high
    profile["below"] = found.deviation < found.noise
    low, high = limits(np.stack([d.normalised for d in drawn]))  # (sizes, grid) each
    mean = means((loss - floor) / (anchor - floor)[:, None], ladder.size_of)
    curves = pd.DataFrame(
        {
            "size": np.repeat(ladder.sizes, len(x)),
            "label": np.repeat(np.array(ladder.labels, dtype=object), len(x)),
            "x": np.tile(x, len(ladder.sizes)),
            "normalised": mean.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    )
    sizes = pd.DataFrame(
        {
            "size": ladder.sizes,
            "label": list(ladder.labels),
            "runs": ladder.counts,
            "anchor": np.exp(ladder.anchor) if ladder.logarithmic else ladder.anchor,
            "scale": ladder.scale,
            "loss": final,
        }
    )
    verdict, reason, more = judged(numbers, scan, ladder, x)
    return ScalingCollapse(
        abscissa=ladder.abscissa,
        over=over,
        response=replace(response, floor=floor),
        confidence=confidence,
        floor_source=source,
        numbers=numbers,
        spreads={name: (float(scan[name].min()), float(scan[name].max())) for name in numbers},
        verdict=verdict,
        reason=reason,
        sizes=sizes,
        profile=profile,
        curves=curves,
        scan=scan,
        draws=len(drawn),
        warnings=(*warnings, *more),
        method=_method(ladder, source, x, len(drawn)),
    )


def _told(ladder: Ladder, alone: tuple[str, ...]) -> list[AnalysisWarning]:
    warnings = []
    if alone:
        what = f"sizes with one run were left out, as they have no scatter of seeds: {', '.join(alone)}"
        warnings.append(AnalysisWarning(code="collapse_sizes_left_out", message=what))
    if (fewest := int(ladder.counts.min())) < FEW_RUNS:
        few = [label for label, n in zip(ladder.labels, ladder.counts, strict=True) if n < FEW_RUNS]
        what = f"{FEW_RUNS} runs a size are needed to know their scatter well; {brief(few[0])} has {fewest}"
        if len(few) > 1:
            what = f"{FEW_RUNS} runs a size are needed to know their scatter well; {len(few)} sizes have fewer"
        warnings.append(AnalysisWarning(code="collapse_few_seeds", message=what))
    return warnings


def _method(ladder: Ladder, source: Source, x: Floats, draws: int) -> tuple[str, ...]:
    where = "linearly in logarithms" if ladder.logarithmic else "linearly"
    floors = {
        "given": "the floor L0 is given",
        "zero": "the floor L0 is taken as 0",
        "fitted": "the floor L0 is fitted to the mean final losses of the sizes, L = A z^-b + L0 by the least "
        "mean "
        f"Huber loss of ln L, z being {'the final compute' if ladder.abscissa == 'compute' else 'the size'}",
    }
    held = "; the departure norms are held" if ladder.abscissa == "departure" else ""
    return (
        f"each run is interpolated {where} at {len(x)} values of x from {x[0]:.3g} to {x[-1]:.3g}; L0 is "
        f"taken off "
        "and it is divided by its own value at x = 1: l",
        "Delta^2 is the mean over sizes of the variance of l over runs plus the variance over sizes of its "
        "mean, over "
        "the squared mean of l; sigma is the mean over sizes of the relative standard deviation over runs of "
        "the "
        "loss less L0",
        floors[source],
        f"errors: {draws} resamplings of the runs of each size, L0 fitted anew in each where it is "
        f"fitted{held}",
        f"the scan takes what the best size's final loss exceeds L0 by from 1/{WITHIN:g} to {WITHIN:g} times "
        f"what it "
        "is, with the limits of L0, and L0 = 0 where it would lie beyond",
    )
