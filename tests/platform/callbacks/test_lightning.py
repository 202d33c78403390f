"""The callback for Lightning, in real trainings."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from normlaw.tracking.record import Record, read_journal
from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import InputError
from normlaw_tests.own_loop import data, network

pytestmark = pytest.mark.slow  # the first to import it waits for seconds


@cache
def lightning() -> Any:
    """Return Lightning, imported as late as possible: each process that collects tests reads this file."""
    prepare_torchvision()  # torchmetrics imports it
    return pytest.importorskip("pytorch_lightning")


def module(broken_at: int = -1) -> Any:
    """Return a small module, which fails at a step if it is told to."""

    class Module(lightning().LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = network()
            self.broken_at = broken_at

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.net(x)
            return logits

        def training_step(self, batch: list[Tensor], number: int) -> Tensor:
            if self.global_step == self.broken_at:
                raise RuntimeError("broken")
            return functional.cross_entropy(self(batch[0]), batch[1])

        def validation_step(self, batch: list[Tensor], number: int) -> None:
            logits = self(batch[0])
            self.log("val_loss", functional.cross_entropy(logits, batch[1]))
            self.log("val_accuracy", (logits.argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 1e-2)

    return Module()


def observer(home: Path, **options: Any) -> Any:
    from normlaw.callbacks.lightning import NormObserver

    given = {"study": "lit", "train_size": 64, "seed": 0, "measures": ["weight_norm"], "offline": True}
    return NormObserver(data()[0][:2], home=home, **{**given, **options})


def fit(trained: Any, callbacks: list[Any], epochs: int = 3) -> Any:
    trainer = lightning().Trainer(
        max_epochs=epochs,
        callbacks=callbacks,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    torch.manual_seed(0)
    examples = TensorDataset(*data())
    trainer.fit(trained, DataLoader(examples, 16, shuffle=True), DataLoader(examples, 64))
    return trainer


def journal(home: Path) -> Record:
    (path,) = home.glob("journal/lit/*.jsonl")
    record = read_journal(path)
    assert record is not None
    return record


def test_points_at_validations_with_what_was_logged(tmp_path: Path) -> None:
    trained = module()
    numbers = {"test_loss": "val_loss", "test_error": lambda metrics: 1 - metrics["val_accuracy"]}
    fit(trained, [observer(tmp_path, numbers=numbers)])
    record = journal(tmp_path)
    assert record.status == "finished"
    assert [point["step"] for point in record.points] == [4, 8, 12]
    assert [point["epoch"] for point in record.points] == [0, 1, 2]
    alone = module()
    fit(alone, [])
    assert all(torch.equal(value, alone.state_dict()[name]) for name, value in trained.state_dict().items())


def test_points_at_log_spaced_steps_with_what_a_function_returns(tmp_path: Path) -> None:
    def evaluate(network: nn.Module) -> dict[str, float]:
        assert not network.training
        inputs, labels = data()
        return {"test_error": float((network(inputs).argmax(1) != labels).double().mean())}

    trained = module()
    fit(trained, [observer(tmp_path, evaluate=evaluate, points=4)])
    assert [point["step"] for point in journal(tmp_path).points] == [0, 1, 2, 5, 12]
    alone = module()
    fit(alone, [])
    assert all(torch.equal(value, alone.state_dict()[name]) for name, value in trained.state_dict().items())


def test_a_failed_training_and_a_metric_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        fit(module(broken_at=6), [observer(tmp_path)])
    assert (journal(tmp_path).status, len(journal(tmp_path).points)) == ("failed", 1)
    with pytest.raises(InputError, match=r"no metric 'val_los': did you mean val_loss"):
        fit(module(), [observer(tmp_path / "other", numbers={"test_loss": "val_los"})])
