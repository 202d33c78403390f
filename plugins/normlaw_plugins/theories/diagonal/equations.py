"""Both equations of the exact risk, their derivatives, and the moments of the solution, by quadrature in u."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from normlaw_plugins.theories.diagonal.link import Array, Link

TAIL = 9.5
"""Standard deviations of a Gaussian that count: e^(-TAIL^2/2) = 3e-20."""
SPACING = 0.08
"""Largest distance of two nodes in u, in units of the strip in which the integrand is analytic."""
FEWEST_NODES = 160
ROUNDING = 1e-15
"""A step of Newton's method, relative to where it goes from, that rounding alone makes."""


@dataclass(frozen=True)
class Problem:
    """What the entries of beta* are, and what the network is; one row a load."""

    link: Link
    delta: Array
    """Loads n/d, shape (n,)."""
    sparsity: float
    """rho: fraction of entries of beta* that are not 0."""
    noise: float
    """sigma: standard deviation of the label noise."""


@dataclass(frozen=True)
class State:
    """Equations (1), (2) and moments at given (ln theta, ln tau); arrays of n rows."""

    residual: Array
    """(ln(E h'/delta), ln((sigma^2 + mse)/(delta tau^2))), shape (n, 2)."""
    jacobian: Array
    """Its derivatives by (ln theta, ln tau), shape (n, 2, 2)."""
    excess: Array
    """E (h - beta*)^2."""
    second_moment: Array
    """E h^2 = |beta|^2/d."""
    first_moment: Array
    """E |h| = |beta|_1/d."""
    weight_moment: Array
    """(|w_+|^2 + |w_-|^2)/d."""


def evaluate(problem: Problem, log_c: float, log_theta: Array, log_tau: Array, finer: float = 1.0) -> State:
    """Evaluate all rows; `finer` multiplies the number of nodes, by which the result can be judged."""
    link, rho = problem.link, problem.sparsity
    values = np.array([0.0, 1.0 / np.sqrt(rho)])  # beta* and -beta* give the same
    weights = np.array([1.0 - rho, rho])
    c = np.array(log_c)
    theta, tau = np.exp(log_theta)[:, None], np.exp(log_tau)[:, None]  # (n, 1)
    zero = np.zeros((len(theta), 2))
    origin = inverse(link, c, theta, zero, 0.0 * values, zero + values, 1e-15)
    low = inverse(link, c, theta, origin, values, -TAIL * tau + zero, 0.04)
    high = inverse(link, c, theta, origin, values, TAIL * tau + zero, 0.04)
    nodes = finer * max(FEWEST_NODES, float(np.max(high - low)) / (SPACING * link.strip))
    unit = np.linspace(0.0, 1.0, int(np.ceil(nodes)) + 1)
    t = low[:, :, None] + (high - low)[:, :, None] * unit  # (n, 2, m)
    u0 = origin[:, :, None]
    theta, tau = theta[:, :, None], tau[:, :, None]
    rise, s_rise = link.slope(c, u0 + t), theta * link.s_slope(u0 + t)
    z = (link.step(c, u0, t) + theta * link.s_step(u0, t)) / tau
    measure = np.exp(-0.5 * z * z) * (rise + s_rise) / tau * (high - low)[:, :, None]
    measure *= weights[:, None] / (np.sqrt(2.0 * np.pi) * (len(unit) - 1))
    slope = rise / (rise + s_rise)  # h'(v)
    pull = theta * link.s(u0 + t)
    error = tau * z - pull  # h(v) - b

    def mean(of: Array) -> Array:
        return np.asarray(np.sum(measure * of, axis=(1, 2)))

    slopes, excess = mean(slope), mean(error * error)
    tau2 = np.exp(2.0 * log_tau)
    total = problem.noise**2 + excess
    residual = np.stack([np.log(slopes / problem.delta), np.log(total / (problem.delta * tau2))], axis=1)
    by_theta = -mean(z * pull * slope) / np.exp(log_tau)  # of E h': Stein's lemma, as in the next line
    by_tau = mean((z * z - 1.0) * slope)
    jacobian = np.stack(
        [
            np.stack([by_theta / slopes, by_tau / slopes], axis=1),
            np.stack(
                [
                    -2.0 * mean(error * pull * slope) / total,
                    2.0 * mean(error * slope * tau * z) / total - 2.0,
                ],
                axis=1,
            ),
        ],
        axis=1,
    )
    found = values[:, None] + error
    return State(
        residual,
        jacobian,
        excess,
        mean(found * found),
        mean(np.abs(found)),
        mean(link.weights_squared(c, u0 + t)),
    )


def inverse(
    link: Link, log_c: Array, theta: Array, origin: Array, at_origin: Array, wanted: Array, tolerance: float
) -> Array:
    """Return t with v(origin + t) - v(origin) = wanted, to a relative tolerance; v(origin) = at_origin >= 0.

    Where float64 holds no t that comes so near, it is as near as one comes.

    Newton's method within a bracket that is halved where a step would not shrink it. Shape (n, 2).
    """
    target = at_origin + wanted
    end = np.sign(target) * link.reach(log_c, np.abs(target))  # beyond the target, seen from u = 0
    t = wanted / (link.slope(log_c, origin) + theta * link.s_slope(origin))
    slack = 2.0 * np.minimum(
        np.abs(t), 1.0
    )  # where the target is the origin to all its digits, this is the bracket
    low = np.where(wanted < 0.0, np.minimum(end, 0.0) - origin - slack, 0.0)
    high = np.where(wanted > 0.0, np.maximum(end - origin, 0.0) + slack, 0.0)
    t = np.where((t >= low) & (t <= high), t, 0.5 * (low + high))
    for _ in range(200):
        gap = link.step(log_c, origin, t) + theta * link.s_step(origin, t) - wanted
        step = gap / (link.slope(log_c, origin + t) + theta * link.s_slope(origin + t))
        if bool(((np.abs(gap) <= tolerance * np.abs(wanted)) | (np.abs(step) <= ROUNDING * np.abs(t))).all()):
            break
        low, high = np.where(gap < 0.0, t, low), np.where(gap > 0.0, t, high)
        newton = t - step
        good = (newton > low) & (newton < high) & (np.abs(step) < 0.25 * (high - low))
        t = np.where(good, newton, 0.5 * (low + high))
    return t
