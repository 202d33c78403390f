"""How uncertain the exponents of a fitted model are: scatter of runs and sizes, and choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from normlaw_plugins.protocols.envelope_model.alternatives import Alternative, Responses
from normlaw_plugins.protocols.envelope_model.crossing import NAMES, by_fractions, reference
from normlaw_plugins.protocols.envelope_model.fitting import Fit, at_mode
from normlaw_plugins.protocols.envelope_model.other_priors import variances_over_priors
from normlaw_plugins.protocols.envelope_model.parameters import LOG_A
from normlaw_plugins.protocols.envelope_model.priors import Prior, Variances
from normlaw_plugins.protocols.envelope_model.resampling import jackknife, without_each
from normlaw_plugins.protocols.envelope_model.runs import Floats

DIFFERENCE = 0.05
"""Step of numerical derivatives, in posterior standard deviations."""
OTHER_SMOOTHING = 6.0


@dataclass(frozen=True)
class Exponents:
    """Values (5,) in the order of NAMES and their covariances (5, 5)."""

    values: Floats
    fractions: Floats
    """Of the envelope's slope, at which departures were taken."""
    near: Floats
    """Where they are in u = x - gamma_2 p, (f,)."""
    model: Floats
    """Covariance that the model gives: scatter of runs and sizes, and what the smoothing leaves open."""
    runs: Floats
    """The same from the scatter of whole runs alone, whatever its cause (cluster-robust; to first order what a
    bootstrap of runs gives), the smoothing's part added."""
    scatter: Floats
    """The variances that count, (5,): those of `runs`; where a size has one run only, the larger of both."""
    sizes: Floats
    """The covariance from leaving out each train size in turn: the jackknife, see `resampling`."""
    by_size: Floats
    """What the values would move by without each train size, (m, 5)."""
    choices: Floats
    """Variances over departure fractions, smoothing, priors and other optima of the evidence, (5,)."""
    influence: Floats
    """What each run moves, (R, 5)."""
    smoothing: tuple[tuple[float, float, float, Floats], ...]
    """(variance of G's correction, of H's, weight, values (5,)): the smoothings that were tried."""
    freedom: float
    """Degrees of freedom of the scatter of runs and sizes (Satterthwaite)."""

    def stderr(self, name: str) -> tuple[float, float]:
        """Return the standard error from the scatter of runs and sizes, and that from choices."""
        place = NAMES.index(name)
        return float(np.sqrt(self.scatter[place])), float(np.sqrt(self.choices[place]))

    def freedom_of(self, name: str) -> float:
        """Return the degrees of freedom of a whole standard error.

        What choices add rests on no sample of few runs: it counts as known (Satterthwaite's formula with
        infinitely many degrees for that part: Guide to the Expression of Uncertainty in Measurement, JCGM
        100:2008, G.4.2).
        """
        place = NAMES.index(name)
        scatter, choices = float(self.scatter[place]), float(self.choices[place])
        return self.freedom * (1 + choices / scatter) ** 2 if scatter > 0 else float("inf")


def exponents_of(fit: Fit, few: Fit) -> Exponents:
    """Return the exponents of `fit`; other smoothings are tried on `few`, the part that variances rest on."""
    at = _at_departures(fit)
    chosen = at if few is fit else _at_departures(few)
    jacobian, posterior, quadratic = at.jacobian, fit.posterior, fit.quadratic
    influence = quadratic.scores @ posterior @ jacobian.T  # (R, 5)
    centred, factor = influence, np.full(len(influence), len(influence) / max(len(influence) - 4, 1))
    if not fit.runs.single:
        counts = np.bincount(fit.runs.size_of)[fit.runs.size_of]
        means = np.stack([influence[fit.runs.size_of == k].mean(axis=0) for k in range(len(fit.runs.sizes))])
        centred, factor = influence - means[fit.runs.size_of], counts / (counts - 1)
    smooth = jacobian @ posterior @ np.diag(quadratic.prior.precision) @ posterior @ jacobian.T
    by_size = without_each(fit, fit.runs.size_of) @ jacobian.T
    respond = Responses(few, chosen.values, np.sqrt(chosen.variances(few)), _exponents)
    tried = _other_smoothings(few, respond, chosen.values)
    weights = np.array([weight for _, _, weight, _ in tried])
    spread = np.stack([value for _, _, _, value in tried])
    about = weights @ np.nan_to_num(spread - spread[0]) ** 2 / weights.sum()
    model, robust = jacobian @ posterior @ jacobian.T, (centred * factor[:, None]).T @ centred + smooth
    scatter = np.diag(np.maximum(model, robust) if fit.runs.single else robust)
    moved, from_others = _averaged(few, chosen)
    return Exponents(
        values=at.values + moved,
        fractions=at.fractions,
        near=at.near,
        model=model,
        runs=robust,
        scatter=scatter,
        sizes=jackknife(by_size),
        by_size=by_size,
        choices=at.by_fraction.var(axis=0) + about + variances_over_priors(few, respond) + from_others,
        influence=centred * np.sqrt(factor)[:, None],
        smoothing=tried,
        freedom=freedom_of_scatter(
            fit.variances, len(fit.runs.sizes), len(fit.runs.x), int(np.bincount(fit.runs.size_of).min())
        ),
    )


@dataclass(frozen=True)
class _AtDepartures:
    """A fit's exponents at its departures, and how they change with its parameters."""

    fractions: Floats
    near: Floats
    by_fraction: Floats
    """(f, 5)."""
    jacobian: Floats
    """Of the values, (5, K)."""

    @property
    def values(self) -> Floats:
        """The mean over fractions, (5,)."""
        return np.asarray(self.by_fraction.mean(axis=0))

    def variances(self, fit: Fit) -> Floats:
        """Return the variances that the fit's posterior gives, (5,)."""
        return np.asarray((self.jacobian @ fit.posterior * self.jacobian).sum(axis=1))


def _at_departures(fit: Fit) -> _AtDepartures:
    fractions, near = reference(fit, fit.theta)
    jacobian = derivatives(
        fit, lambda theta: by_fractions(fit, theta, fractions, near).mean(axis=0), of_a_law=True
    )
    return _AtDepartures(fractions, near, by_fractions(fit, fit.theta, fractions, near), jacobian)


def _exponents(fit: Fit) -> Floats:
    return np.asarray(by_fractions(fit, fit.theta, *reference(fit, fit.theta)).mean(axis=0))


def _averaged(few: Fit, chosen: _AtDepartures) -> tuple[Floats, Floats]:
    """Return what fits of less evidence move the exponents by, and add to their variances, by their odds, (5,).

    Mean and variance of a mixture (Bayesian model averaging: Hoeting et al. 1999, eq. 3 and 4). An exponent of
    the best fit alone would leap where two fits are almost as probable and a trifle decides which one is best.
    """
    others = [(_at_departures(rival), rival) for rival in few.rivals]
    values = np.stack([chosen.values, *(at.values for at, _ in others)])  # (k, 5)
    variances = np.stack([at.variances(f) for at, f in [(chosen, few), *others]])  # (k, 5)
    odds = np.exp([0.0, *(max(rival.evidence - few.evidence, -700.0) for rival in few.rivals)])
    known = np.isfinite(values) & np.isfinite(variances)
    weights = np.where(known, odds[:, None], 0.0)
    weights /= np.maximum(weights.sum(axis=0), 1e-300)  # all 0 where no fit has departures
    away, more = (np.where(known, part - part[0], 0.0) for part in (values, variances))
    moved = (weights * away).sum(axis=0)
    added = (weights * (more + (away - moved) ** 2)).sum(axis=0)
    return moved, np.maximum(added, 0.0)


def _other_smoothings(
    few: Fit, respond: Responses, chosen: Floats
) -> tuple[tuple[float, float, float, Floats], ...]:
    """Return exponents with the corrections' variances as chosen, and each six times larger and smaller."""
    v = few.variances
    tried = [(v.correction_g, v.correction_h, 1.0, chosen)]
    for name in ("correction_g", "correction_h"):
        for factor in (OTHER_SMOOTHING, 1 / OTHER_SMOOTHING):
            other = replace(v, **{name: getattr(v, name) * factor})
            change, weight = respond(Alternative(replace(few, variances=other)))
            tried.append((other.correction_g, other.correction_h, weight, chosen + change))
    return tuple(tried)


def freedom_of_scatter(variances: Variances, sizes: int, runs: int, fewest: int) -> float:
    """Return degrees of freedom: what runs of a size scatter, and what sizes scatter, each with its own.

    Args:
        variances: how far runs and sizes scatter.
        sizes: how many train sizes there are.
        runs: how many runs in all.
        fewest: how many of the size that has the fewest; runs and sizes cannot be told apart where it is one.

    """
    if fewest < 2:
        return float(max(sizes - 2, 1))
    within, between = variances.run_shift * sizes / runs, variances.size_shift
    return float((within + between) ** 2 / (within**2 / (runs - sizes) + between**2 / max(sizes - 2, 1)))


def derivatives(fit: Fit, function: Callable[[Floats], Floats], of_a_law: bool = False) -> Floats:
    """Return the derivatives of a function of the parameters, (values, K), by central differences.

    Args:
        fit: whose parameters they are, and whose posterior the steps are fractions of.
        function: of parameters (K,); NaN where a departure is lost.
        of_a_law: whether what train sizes have of their own is no part of it, so that its derivatives by that
            are 0 and not looked for.

    """
    steps, count = DIFFERENCE * np.sqrt(np.diag(fit.posterior)), len(fit.theta)
    columns = []
    for place in range(fit.shape.offsets.start if of_a_law else count):
        step, moved = steps[place], np.zeros(count)
        moved[place] = step
        above, below = function(fit.theta + moved), function(fit.theta - moved)
        central = (above - below) / (2 * step)
        if not np.isfinite(central).all():  # on one side a departure is lost: the other side's difference
            here = function(fit.theta)
            one, other = (above - here) / step, (here - below) / step
            central = np.where(np.isfinite(central), central, np.where(np.isfinite(one), one, other))
        columns.append(central)
    return np.pad(np.stack(columns, axis=1), ((0, 0), (0, count - len(columns))))


def without_departure(few: Fit) -> float:
    """Return the evidence of a model in which no curve leaves the envelope."""
    named = Prior(few.named.mean.copy(), few.named.precision.copy())
    theta = few.theta.copy()
    theta[LOG_A] = named.mean[LOG_A] = -15.0
    named.precision[LOG_A] = 1e4
    return at_mode(replace(few, theta=theta, named=named)).evidence
