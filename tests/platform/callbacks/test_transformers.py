"""The callback for the Trainer of transformers, in a real training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from normlaw.tracking.record import read_journal
from normlaw_plugins.torchvision_import import prepare_torchvision


def train(tf: Any, folder: Path, callbacks: list[Any]) -> Any:
    config = tf.GPT2Config(vocab_size=16, n_positions=8, n_embd=8, n_layer=1, n_head=2)
    torch.manual_seed(0)
    model = tf.GPT2LMHeadModel(config)
    stream = torch.Generator().manual_seed(1)
    texts = [torch.randint(16, (8,), generator=stream) for _ in range(32)]
    examples = [{"input_ids": text, "labels": text} for text in texts]
    arguments = tf.TrainingArguments(
        output_dir=str(folder),
        max_steps=10,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        eval_on_start=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        seed=3,
    )
    trainer = tf.Trainer(
        model, arguments, train_dataset=examples, eval_dataset=examples[:8], callbacks=callbacks
    )
    trainer.remove_callback(tf.PrinterCallback)
    trainer.train()
    return model


@pytest.mark.slow
def test_the_trainer_evaluates_where_points_are_due(tmp_path: Path) -> None:
    prepare_torchvision()  # transformers imports it where it is installed
    tf = pytest.importorskip("transformers")
    from normlaw.callbacks.transformers import NormObserver

    batch = {"input_ids": torch.zeros(1, 8, dtype=torch.int64)}
    what: dict[str, Any] = {"study": "gpt", "train_size": 32, "seed": 0, "about": {"architecture": "gpt2"}}
    observer = NormObserver(
        batch, measures="weight_norm", points=4, home=tmp_path / "home", offline=True, **what
    )
    model = train(tf, tmp_path / "observed", [observer])
    (path,) = tmp_path.glob("home/journal/gpt/*.jsonl")
    record = read_journal(path)
    assert record is not None
    assert record.status == "finished"
    assert [point["step"] for point in record.points] == [0, 1, 2, 5, 10]
    assert all(point["test/loss"] > 0 for point in record.points)
    assert record.points[-1]["log_norm/weight_norm"] != record.points[0]["log_norm/weight_norm"]

    class Evaluating(tf.TrainerCallback):  # type: ignore[misc,name-defined]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_evaluate = state.global_step in (1, 2, 5, 10)

    alone = train(tf, tmp_path / "alone", [Evaluating()])
    assert all(torch.equal(value, alone.state_dict()[name]) for name, value in model.state_dict().items())
