"""Runs that foretell the next token: what is measured of them, and what has no meaning there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from normlaw.study.spec import RunSpec
from normlaw.training import data as data_module
from normlaw.training.cost import run_seconds
from normlaw.training.data import prepare
from normlaw.training.evaluation import Point
from normlaw.training.flops import flops_per_example
from normlaw.training.loss import MeanLoss, wrong
from normlaw.training.observer import Observer
from normlaw.training.run import Run
from normlaw.training.trial import try_out
from normlaw_registry import Catalogue

Make = Callable[..., RunSpec]
HERE = Path("unused")
CHAIN = {"name": "markov", "params": {"vocabulary": 5, "length": 6, "test_size": 40, "concentration": 0.1}}
TOKENS: dict[str, Any] = {
    "architecture": {"name": "gpt", "params": {"width": 16, "depth": 1, "heads": 2}},
    "dataset": CHAIN,
    "optimizer": {"name": "adam", "learning_rate": 0.02},
}
SUMS: dict[str, Any] = {**TOKENS, "dataset": {"name": "modular_arithmetic", "params": {"modulus": 13}}}


def test_losses_are_nats_and_errors_shares_of_tokens(spec: Make, catalogue: Catalogue) -> None:
    """Against the definition in numpy, over all tokens at once."""
    made = Run(spec(**TOKENS), catalogue, HERE, "cpu", Observer())
    made.measure(0)
    point = made.points[0]
    for name, examples in (("train", made.data.train), ("test", made.data.test)):
        inputs, labels = (part.numpy() for part in examples.batch(slice(None)))
        with torch.no_grad():
            outputs = made.network(torch.from_numpy(inputs)).double().numpy()  # (n, T, V)
        logs = outputs - np.log(np.exp(outputs).sum(axis=2, keepdims=True))
        right = np.take_along_axis(logs, labels[:, :, None], axis=2)
        assert point[f"{name}/loss"] == pytest.approx(-right.mean(), rel=1e-6)
        assert point[f"{name}/error"] == pytest.approx((outputs.argmax(axis=2) != labels).mean())


def test_parts_of_an_evaluation_add_up_to_the_whole(
    spec: Make, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = []
    for most in (10**6, 20):  # 40 sequences of 6 tokens at once, or 3 at a time
        monkeypatch.setattr(data_module, "EVALUATION_TOKENS", most)
        made = Run(spec(**TOKENS), catalogue, HERE, "cpu", Observer())
        assert [len(part) for part in made.data.test.parts()] == ([40] if most > 20 else [3] * 13 + [1])
        made.measure(0)
        points.append(made.points[0])
    assert points[0] == pytest.approx(points[1], rel=1e-6)


def test_it_learns_the_chain_and_repeats_its_bits(run: Callable[..., list[Point]]) -> None:
    points = run(**TOKENS)
    assert points[-1]["test/loss"] < 0.8 * points[0]["test/loss"]
    assert run(**TOKENS) == points


def test_only_places_that_are_scored_count(spec: Make, catalogue: Catalogue) -> None:
    loss = MeanLoss(spec(**SUMS).loss, catalogue)
    data = prepare(spec(**SUMS), catalogue, HERE)
    inputs, labels = data.train.batch(slice(0, 7))
    assert (inputs.shape, labels.shape) == ((7, 4), (7, 1))
    outputs = torch.randn(7, 4, 15)
    others = torch.cat([torch.randn(7, 3, 15), outputs[:, 3:]], dim=1)
    assert loss(outputs, labels) == loss(others, labels) == loss(outputs[:, 3], labels[:, 0])
    assert wrong(outputs, labels)[:, 0].tolist() == wrong(outputs[:, 3], labels[:, 0]).tolist()


def test_other_losses_of_classes_are_taken_of_tokens(run: Callable[..., list[Point]]) -> None:
    points = run(**TOKENS, loss="hinge", steps=5)
    assert points[-1]["train/loss"] < points[0]["train/loss"]


@pytest.mark.parametrize(
    ("dataset", "unit"),
    [(CHAIN, "sequences of 6 tokens"), (SUMS["dataset"], "equations"), ("digits", None)],
)
def test_what_train_sizes_count_is_noted(
    spec: Make, catalogue: Catalogue, dataset: Any, unit: str | None
) -> None:
    architecture = "mlp" if unit is None else TOKENS["architecture"]
    data = prepare(spec(architecture=architecture, dataset=dataset), catalogue, HERE)
    assert data.noted == ({} if unit is None else {"unit": unit})


def test_tokens_stay_small_in_memory(spec: Make, catalogue: Catalogue) -> None:
    data = prepare(spec(**TOKENS), catalogue, HERE)
    assert data.train.split.inputs.dtype == torch.int16
    assert [part.dtype for part in data.train.batch(slice(0, 2))] == [torch.int64] * 2


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        (
            {"architecture": {"name": "mlp"}},
            ("architecture",),
            "'markov' asks for next-token prediction .the next of 5 tokens., and architecture 'mlp' is for "
            "classification and regression: take 'gpt' or 'lstm'",
        ),
        (
            {"dataset": "digits"},
            ("architecture",),
            "'digits' asks for classification .10 classes., and architecture .gpt. is for next-token",
        ),
        ({"label_noise": 0.1}, ("label_noise",), "no label an example"),
        ({"augmentation": {"flip": 0.5}}, ("augmentation",), "changes images"),
        (
            {"measures": ["weight_norm", "normalised_margin"]},
            ("measures", 1),
            "'normalised_margin' is defined for classification, and this is next-token prediction",
        ),
        ({"measures": ["fisher_rao_norm"]}, ("measures", 0), "'fisher_rao_norm' is defined for classification"),
        ({"measures": ["logit_scale"]}, ("measures", 0), "'logit_scale' is defined for classification"),
        (
            {"measures": ["path_norm"]},
            ("measures", 0),
            "'path_norm' is defined for classification and regression",
        ),
        ({"callbacks": ["telescoping"], "loss": "squared"}, ("callbacks", 0), "not of sequences of tokens"),
    ],
)
def test_the_rehearsal_names_what_has_no_meaning(
    spec: Make, catalogue: Catalogue, changes: dict[str, Any], place: tuple[str | int, ...], reason: str
) -> None:
    one = spec(**{**TOKENS, **changes})
    misfit = try_out(one, one, catalogue, HERE, "cpu")
    assert misfit is not None
    assert misfit.place == place
    assert re.search(reason, misfit.failure.reason)


def test_the_rehearsal_passes_what_fits(spec: Make, catalogue: Catalogue) -> None:
    for one in (spec(**TOKENS), spec(**SUMS), spec(**TOKENS, sampling="one_pass", steps=None)):
        assert try_out(one, one, catalogue, HERE, "cpu") is None


@pytest.mark.slow
def test_cost_is_foretold(spec: Make, catalogue: Catalogue) -> None:
    one = spec(**TOKENS)
    seconds = run_seconds([one], catalogue)[one.spec_hash]
    assert seconds is not None
    assert 0 < seconds < 60
    linear = 6 * (4 * 16 * 16 + 2 * 16 * 64 + 16 * 5)  # weights of attention, MLP and head, at 6 places
    assert flops_per_example(one, catalogue) == 6 * linear
