"""The shapes that are stated are checked, and a wrong one is found."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import Float, jaxtyped

from normlaw.study.run_options import LossChoice
from normlaw.training import evaluation, loss
from normlaw_registry import Architecture, Catalogue, Task, load_catalogue
from normlaw_tests.shapes import STATED, ShapeError, checked, require

CATALOGUE: Catalogue = load_catalogue()
TASKS = (Task(input_shape=(1, 8, 8), num_classes=10), Task(input_shape=(3, 32, 32), num_classes=2))


@pytest.mark.parametrize("task", TASKS, ids=str)
@pytest.mark.parametrize("name", ["cnn", "mlp", "perceptron", "resnet", "vit"])
def test_every_network_gives_logits_of_the_stated_shape(name: str, task: Task) -> None:
    architecture = CATALOGUE.get(Architecture, name)
    network = architecture.build(architecture.params(), task).eval()
    with jaxtyped("context"), torch.no_grad():
        images = torch.rand(3, *task.input_shape)
        require(images, Float[torch.Tensor, "b *shape"], "inputs")
        require(network(images), Float[torch.Tensor, f"b {task.num_outputs}"], name)


def test_the_checks_are_where_the_functions_are_used() -> None:
    used = vars(evaluation)
    assert used["wrong"] is loss.wrong
    with pytest.raises(
        ShapeError, match=r"loss.wrong: labels is torch.int64 \(2,\), stated: jaxtyping.Int64\[Tensor, 'b'\] \|"
    ):
        used["wrong"](torch.zeros(3, 10), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ShapeError, match=r"MeanLoss.__call__: labels is torch\.float32"):
        loss.MeanLoss(LossChoice(), CATALOGUE)(torch.zeros(3, 10), torch.zeros(3))


def test_a_result_of_another_shape_is_found() -> None:
    transposing = checked(
        lambda matrix: matrix.T,
        {"matrix": Float[torch.Tensor, "a b"], "return": Float[torch.Tensor, "a b"]},
        "it",
    )
    assert transposing(torch.zeros(2, 2)).shape == (2, 2)
    with pytest.raises(ShapeError, match=r"it: its result is torch.float32 \(3, 2\)"):
        transposing(torch.zeros(2, 3))


def test_what_is_stated_of_an_argument_that_is_gone_is_told() -> None:
    with pytest.raises(ShapeError, match="takes no labels"):
        checked(lambda logits: logits, STATED["normlaw.training.loss.wrong"], "it")
