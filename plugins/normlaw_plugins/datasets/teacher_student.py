"""Gaussian inputs labelled by a teacher perceptron, with the exact generalisation error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from normlaw_registry import Dataset, DatasetInfo, LoadContext, Params, Split, Splits, Task

if TYPE_CHECKING:
    from torch import Tensor, nn


class TeacherStudentParams(Params):
    """Parameters of `teacher_student`."""

    dimension: int = Field(default=100, ge=2, description="N, the number of inputs; alpha = train_size / N")
    test_size: int = Field(
        default=2000,
        ge=1,
        description="number of test examples; they serve losses and networks without a closed form only",
    )


def info(params: TeacherStudentParams) -> DatasetInfo:
    """Return the task and the number of test examples."""
    return DatasetInfo(task=Task(input_shape=(params.dimension,), num_classes=2), test_size=params.test_size)


def load_teacher_student(params: TeacherStudentParams, context: LoadContext) -> Splits:
    """Return x ~ N(0, I_N) with labels 1 where w*.x > 0 and 0 elsewhere, |w*|^2 = N, drawn from the run's seed.

    Teacher, training and test examples come from streams of their own and rows are drawn one after the other:
    the first P training examples are the same whatever `context.train_size` is.
    """
    import numpy as np
    import torch

    N = params.dimension
    streams = np.random.SeedSequence(context.seed).spawn(3)
    teacher_stream, train_stream, test_stream = (np.random.default_rng(stream) for stream in streams)
    teacher = torch.from_numpy(teacher_stream.standard_normal(N))  # (N,) float64
    teacher *= N**0.5 / teacher.norm()

    def draw(stream: np.random.Generator, size: int) -> Split:
        inputs = torch.from_numpy(stream.standard_normal((size, N), dtype=np.float32))  # (size, N)
        # Blocks keep the float64 copy small: signs of sums near zero must not depend on float32 rounding.
        fields = torch.cat([block.double() @ teacher for block in torch.split(inputs, 8192)])  # (size,)
        return Split(inputs=inputs, labels=(fields > 0).long())

    return Splits(
        task=info(params).task,
        train=draw(train_stream, context.train_size),
        test=draw(test_stream, params.test_size),
        population_error=lambda network: generalisation_error(network, teacher),
    )


def generalisation_error(network: nn.Module, teacher: Tensor) -> float | None:
    """Return the probability that a linear student and the teacher disagree on x ~ N(0, I_N).

    That is arccos(R) / pi with the overlap R = w.w* / (|w| |w*|), whatever the student's norm; 1/2 for w = 0.

    Args:
        network: any network; left in the mode it is in.
        teacher: (N,) float64.

    Returns:
        The error in [0, 1], or None for a network that is not one bias-free linear map of its flattened input.

    """
    import torch

    student = linear_weight(network, len(teacher))
    if student is None:
        return None
    if not student.any():
        return 0.5
    student, direction = student.double().cpu(), teacher / teacher.norm()
    along = student @ direction
    across = (student - along * direction).norm()
    # arccos loses half of the digits near R = 1; the angle from both components does not
    return float(torch.atan2(across, along)) / torch.pi


def linear_weight(network: nn.Module, dimension: int) -> Tensor | None:
    """Return v, (dimension,), of a network whose forward pass is x -> v.x, else None.

    The network must consist of one `nn.Linear` without bias beside flattening and identity layers, and must
    agree with v.x on random inputs: a forward pass of its own could do something else with the weight.
    """
    import torch
    from torch import nn

    leaves = [module for module in network.modules() if not list(module.children())]
    linear = [leaf for leaf in leaves if isinstance(leaf, nn.Linear)]
    others = [leaf for leaf in leaves if not isinstance(leaf, nn.Linear | nn.Flatten | nn.Identity)]
    if len(linear) != 1 or others or len(list(network.parameters())) != 1:
        return None
    weight = linear[0].weight.detach()
    if weight.shape != (1, dimension):
        return None
    generator = torch.Generator().manual_seed(0)
    probes = torch.randn(4, dimension, generator=generator).to(weight)
    with torch.no_grad():
        outputs = network(probes)  # (4, 1)
    expected = probes @ weight.T
    tolerance = 1e-4 * float(weight.norm()) * dimension**0.5
    if outputs.shape != expected.shape or not bool(((outputs - expected).abs() <= tolerance).all()):
        return None
    return weight[0]


TEACHER_STUDENT = Dataset(
    name="teacher_student",
    summary="Gaussian inputs labelled by a random perceptron; exact error arccos(R)/pi for linear students",
    source="Engel and Van den Broeck 2001, ch. 1; D'Amico, Bocchi, Negri 2025, arXiv:2505.13230",
    formula=(
        r"y = \mathrm{sign}(w^* \cdot x), \qquad x \sim \mathcal{N}(0, 1), \qquad \varepsilon = "
        r"\arccos(R) / \pi"
    ),
    params=TeacherStudentParams,
    load=load_teacher_student,
    info=info,
    seeded=True,
)
