"""A two-layer student of a two-layer teacher, trained in one pass: error and norm against examples seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AliasChoices, Field

from normlaw_registry import Axis, Counterpart, Grid, InputError, Observable, Params, Point, Reference, Theory

LARGEST_TIME = 1e7


class TwoLayerParams(Params):
    """Student, teacher, inputs and how training starts."""

    K: int = Field(2, ge=1, le=8, description="hidden units of the student, whose output is sqrt(M)/K sum g")
    M: int = Field(2, ge=1, le=8, description="hidden units of the teacher, whose output is 1/sqrt(M) sum g")
    beta: float = Field(
        1.0, ge=0.0, le=10.0, description="exponent: the e-th eigenvalue is proportional to e^-(1 + beta)"
    )
    L: int = Field(
        8, ge=1, le=4096, description="distinct eigenvalues of the inputs' covariance, of mean 1; 1: isotropic"
    )
    eta: float = Field(
        0.5,
        gt=0.0,
        le=100.0,
        validation_alias=AliasChoices("eta", "learning_rate"),
        description="learning rate, which may be given as learning_rate too",
    )
    activation: Literal["erf", "linear"] = Field("erf", description="g(x) = erf(x/sqrt(2)) or x")
    N: int = Field(
        1000,
        ge=2,
        le=1_000_000,
        description="dimension of the inputs: the start is drawn at it, and eta lambda_1/N must be small",
    )
    seed: int = Field(0, ge=0, description="of the weights of teacher and student that training starts from")
    start: Literal["drawn", "run"] = Field(
        "drawn",
        description="what the seed draws: weights for this theory, or those with which a trained run of that "
        "seed starts (architecture committee, data set committee_teacher)",
    )
    initial_size: float = Field(
        0.1, ge=0.0, le=10.0, description="standard deviation of the student's weights at the start"
    )
    initial_overlap: float | None = Field(
        None,
        ge=-10.0,
        le=10.0,
        description="instead of a seed: overlap of each student with the teacher of its number; no others, "
        "students of norm initial_size and teachers orthonormal",
    )


def solve(params: TwoLayerParams, grid: Grid) -> list[Point]:
    """Follow the order parameters; `theories.committee` has the equations.

    Raises:
        InputError: eta lambda_1/N is not small, or the start has an overlap that no weights have.
        NormlawError: two integrations differ too much, or the overlaps grow without bound; says where.

    """
    times = list(grid["alpha"])
    if not times:
        return []
    import numpy as np

    from normlaw_plugins.theories.committee import curve
    from normlaw_plugins.theories.committee.model import Model, drawn, isotropic, power_law

    model = Model(params.K, params.M, *power_law(params.L, params.beta), params.eta, params.activation)
    curve.require_small_steps(model, params.N)
    if params.initial_overlap is None and params.start == "run":
        from normlaw_plugins.theories.committee.of_run import start_of_run

        start = start_of_run(model, params.N, params.initial_size, params.seed)
    elif params.initial_overlap is None:
        start = drawn(model, params.N, params.initial_size, params.seed)
    else:
        if abs(params.initial_overlap) > params.initial_size:
            raise InputError(
                f"two_layer: students of norm initial_size = {params.initial_size:g} cannot overlap with "
                f"their teachers by initial_overlap = {params.initial_overlap:g}; that is at most their norm"
            )
        R = params.initial_overlap * np.eye(params.K, params.M)
        start = isotropic(model, R, params.initial_size**2 * np.eye(params.K))
    found = curve.solve(model, start, params.N, times)
    return [
        {
            "test_loss": float(found.error[i]),
            "norm": float(found.weight_norm[i]),
            "uncertainty": float(found.difference[i]),
        }
        for i in range(len(times))
    ]


def of_run(run: Mapping[str, str]) -> Counterpart | None:
    """Return where the theory has a run; `theories.committee.of_run` says of which it knows."""
    from normlaw_plugins.theories.committee.of_run import of_run as found

    return found(run)


def plateau(params: Any, _held: Point) -> float:
    """Return the height of the symmetric plateau at a vanishing learning rate."""
    from normlaw_plugins.theories.committee import closed_forms

    if params.activation != "erf" or params.K != params.M or params.K == 1:
        raise InputError("two_layer: there is a symmetric plateau for activation=erf and K = M > 1 only")
    return closed_forms.plateau_error(params.K)


TWO_LAYER = Theory(
    name="two_layer",
    summary="Two-layer student and teacher, one-pass training on power-law inputs: plateau, escape, decay",
    source="Saad and Solla 1995 (Phys. Rev. E 52, 4225); power-law inputs: Worschech and Rosenow 2024 "
    "(arXiv 2410.09005)",
    formula=r"\varepsilon(\alpha) = \frac{1}{\pi} \sum_{v, w} A_v A_w \arcsin "
    r"\frac{C_{vw}}{\sqrt{(1 + C_{vv}) (1 + C_{ww})}}",
    params=TwoLayerParams,
    solve=solve,
    of_run=of_run,
    axes=(
        Axis(
            name="alpha",
            meaning="examples seen per dimension; each is used once",
            unit="steps/N",
            role="load",
            low=0.0,
            high=LARGEST_TIME,
            tried=(1, 10, 50),
            also=("examples",),
        ),
    ),
    observables=(
        Observable(name="test_loss", meaning="half the mean squared difference from the teacher", low=0.0),
        Observable(name="norm", meaning="norm of the student's weights, |J|/sqrt(N)", low=0.0),
        Observable(name="uncertainty", meaning="how far two integrations differ in test_loss", low=0.0),
    ),
    compared={
        "plateau": Reference(
            observable="test_loss",
            meaning="symmetric plateau at a vanishing learning rate, K = M",
            axes=(),
            value=plateau,
        )
    },
)
