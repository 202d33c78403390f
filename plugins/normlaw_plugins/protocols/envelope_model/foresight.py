"""The exponents' intervals after further runs, before these are trained.

The information of a run, J' C^-1 J, depends on where it is measured and not on what is found there, so that the
model linearised at its optimum says how far the posterior of the parameters narrows: Bayesian optimal design
(Lindley 1956; Chaloner and Verdinelli 1995, Statistical Science 10, 273, section 2), for a nonlinear model at
its estimate (local design, Chernoff 1953). Of a mixed model the covariance C has what runs scatter by; what a
new train size has of its own is integrated out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import stats

from normlaw_plugins.protocols.envelope_model.crossing import NAMES, by_fractions
from normlaw_plugins.protocols.envelope_model.evidence import evidence_of
from normlaw_plugins.protocols.envelope_model.exponents import Exponents, derivatives, freedom_of_scatter
from normlaw_plugins.protocols.envelope_model.fitting import Fit
from normlaw_plugins.protocols.envelope_model.likelihood import Scatter, about, linearise, whitening
from normlaw_plugins.protocols.envelope_model.priors import LIMITS, Variances, with_variances
from normlaw_plugins.protocols.envelope_model.runs import Floats
from normlaw_registry import Estimate, PlannedRuns

GRID = 9
"""Standard deviations of what sizes have of their own that are tried."""
FARTHEST = 3.0
"""The largest of these, over what the means of sizes are seen to scatter by."""


@dataclass(frozen=True)
class Foresight:
    """What a fit foretells; see `normlaw_registry.Findings.foresee`."""

    fit: Fit
    few: Fit
    """The part that variances rest on."""
    exponents: Exponents
    confidence: float
    definitions: dict[str, str]
    _information: dict[tuple[int, bytes], Floats] = field(default_factory=dict)
    _jacobians: dict[tuple[float, float], Floats] = field(default_factory=dict)

    def __call__(self, planned: Sequence[PlannedRuns], afresh: bool) -> dict[str, Estimate]:
        """Return the exponents as they are with the intervals that they are expected to have.

        Standard errors shrink as the model's own do, what choices of the analysis add with them, and Student's
        factor with the degrees of freedom.

        Args:
            planned: further runs.
            afresh: whether they stand in the place of those measured.

        """
        counts = Counter[int]() if afresh else self._measured
        variance, reach = self._narrowed(planned, afresh, counts)
        now, reach_now = self._narrowed((), False, self._measured)
        found = {}
        for name in self.definitions:
            place = NAMES.index(name)
            value, shrunk = float(self.exponents.values[place]), float(np.sqrt(variance[place] / now[place]))
            scatter, choices = (shrunk * part for part in self.exponents.stderr(name))
            half = float(np.hypot(scatter, choices)) * self._reach(name) * reach / reach_now
            found[name] = Estimate(
                value=value,
                stderr=float(np.hypot(scatter, choices)),
                low=value - half,
                high=value + half,
                statistical=scatter,
                window=choices,
                definition=self.definitions[name],
            )
        return found

    @property
    def _measured(self) -> Counter[int]:
        runs = self.fit.runs
        return Counter(dict(zip(map(int, runs.sizes), map(int, np.bincount(runs.size_of)), strict=True)))

    def _reach(self, name: str) -> float:
        """Return the factor that makes limits of standard errors now."""
        return float(stats.t.ppf(0.5 + self.confidence / 2, self.exponents.freedom_of(name)))

    def _narrowed(
        self, planned: Sequence[PlannedRuns], afresh: bool, measured: Counter[int]
    ) -> tuple[Floats, float]:
        """Return the model's variances of the exponents (5,), and Student's factor, with planned runs."""
        counts, v = measured.copy(), self.variances
        prior = with_variances(self.fit.named, self.fit.shape, v)
        curvature = np.diag(prior.precision)
        if not afresh:
            curvature = curvature + self.fit.quadratic.information
        own: dict[int, Floats] = {}
        for part in planned:
            counts[part.train_size] += part.runs
            own[part.train_size] = own.get(part.train_size, 0.0) + part.runs * self._of_a_run(part)
        for size, information in own.items():
            curvature = curvature + self._for_all_sizes(size, information)
        jacobian = self._jacobian(min(counts), max(counts))
        variance = np.einsum("ij,ji->i", jacobian, np.linalg.solve(curvature, jacobian.T))
        freedom = freedom_of_scatter(v, len(counts), sum(counts.values()), min(counts.values()))
        return variance, float(stats.t.ppf(0.5 + self.confidence / 2, freedom))

    @cached_property
    def variances(self) -> Variances:
        """What evidence chose, but for what sizes have of their own the posterior mean and not the mode.

        Of few train sizes the mode is often near 0. A plan made for it would put all runs at one new size, and
        find sizes to differ.
        """
        names = ("size_offset", "size_shift")
        return replace(self.few.variances, **{name: posterior_mean(self.few, name) for name in names})

    def _p(self, size: int) -> float:
        """Return ln P of a train size in the fit's units."""
        runs = self.fit.runs
        return float(np.log(size) - np.log(runs.sizes[-1]) + runs.p_of_sizes[-1])

    def _of_a_run(self, part: PlannedRuns) -> Floats:
        """Return the information of one run, (K + 2, K + 2): the last two are a new size's own."""
        x = (np.asarray(part.log_norms, dtype=np.float64) - self.fit.runs.shift) / self.fit.runs.scale
        key = part.train_size, x.tobytes()
        if key not in self._information:
            self._information[key] = self._computed(part.train_size, x)
        return self._information[key]

    def _computed(self, size: int, x: Floats) -> Floats:
        fit, shape = self.fit, self.fit.shape
        known = np.flatnonzero(fit.runs.sizes == size)
        place = int(known[0]) if len(known) else 0
        theta, p = fit.theta.copy(), fit.runs.p_of_sizes.copy()
        own = [shape.offsets.start + place, shape.shifts.start + place]
        if not len(known):
            p[place] = self._p(size)
            theta[own] = 0.0
        made = fit.runs.at(x[None], np.array([place]), p)
        mean = shape.for_runs(made)(theta)
        point = about(made, fit.noise, mean, np.zeros((1, len(x))))
        jacobian = np.concatenate([mean.jacobian, np.zeros((1, len(x), 2))], axis=2)
        if not len(known):
            jacobian[..., -2:] = jacobian[..., own]
            jacobian[..., own] = 0.0
        white = whitening(Scatter(made, fit.variances).covariance(point))(jacobian)[0]  # (n, K + 2)
        return np.asarray(white.T @ white)

    def _for_all_sizes(self, size: int, information: Floats) -> Floats:
        """Return what runs tell of the fit's parameters, (K, K), with a new size's own integrated out."""
        if size in self.fit.runs.sizes:
            return np.asarray(information[:-2, :-2])
        v = self.variances
        own = information[-2:, -2:] + np.diag([1 / v.size_offset, 1 / v.size_shift])
        cross = information[:-2, -2:]
        return np.asarray(information[:-2, :-2] - cross @ np.linalg.solve(own, cross.T))

    def _jacobian(self, smallest: int, largest: int) -> Floats:
        """Return the derivatives of the exponents of a study between two train sizes, (5, K).

        Where the model has no departure at one of them, they are those between the sizes measured.
        """
        ends = self._p(smallest), self._p(largest)
        if ends not in self._jacobians:
            found = self._between(np.array(ends))
            if not np.isfinite(found).all():
                found = self._between(self.fit.runs.p_of_sizes)
            self._jacobians[ends] = found
        return self._jacobians[ends]

    def _between(self, p_of_sizes: Floats) -> Floats:
        fit, e = replace(self.fit, runs=replace(self.fit.runs, p_of_sizes=p_of_sizes)), self.exponents
        return derivatives(
            fit, lambda theta: by_fractions(fit, theta, e.fractions, e.near).mean(axis=0), of_a_law=True
        )


def posterior_mean(few: Fit, name: str) -> float:
    """Return the posterior mean of a variance, its standard deviation uniform beforehand (Gelman 2006).

    Bayesian Analysis 1, 515, section 7.1; the evidence of each is that about the fit at hand.
    """
    point = linearise(few.shape, few.noise, few.theta, few.run_shifts)
    low, high = LIMITS[name]
    mode = float(getattr(few.variances, name))
    own = float(getattr(few.variances, name.replace("size", "run")))
    most = min(FARTHEST * np.sqrt(mode + own * len(few.runs.sizes) / len(few.runs.x)), np.sqrt(high))
    tried = np.maximum(((np.arange(GRID) + 0.5) / GRID * most) ** 2, low)
    evidence = np.array(
        [
            evidence_of(few.shape, point, few.theta, replace(few.variances, **{name: float(one)}), few.named)[0]
            for one in tried
        ]
    )
    odds = np.exp(evidence - evidence.max())
    return float(odds @ tried / odds.sum())
