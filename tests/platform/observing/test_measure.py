"""Norms of saved weights: the same bits as in training, read without executing anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

import normlaw
from normlaw.cli.program import main
from normlaw.observing.weights import in_order, put_into, read_weights
from normlaw_registry import InputError
from normlaw_tests.own_loop import IMAGE, Loop, network, observe, seeded

NORMS = ["spectral_complexity", "distance_from_initialisation"]


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Return a folder of checkpoints, and the norms that an observer took beside them."""
    folder = tmp_path_factory.mktemp("series")
    rows = []
    with seeded():
        model = network()
        loop, observer = Loop(model), observe(model, folder / "home", measures=NORMS)
        for step in range(0, 11, 5):
            rows.append(observer.point(step, test_error=loop.error()))
            torch.save(model.state_dict(), folder / f"small-8-step{step}.pt")
            for _ in range(5):
                loop.step()
        observer._close()
    (folder / "series_made.py").write_text(
        "import torch\nfrom normlaw_tests.own_loop import IMAGE, network\n"
        "def model():\n    return network(seed=9), torch.zeros(1, *IMAGE)\n"
    )
    return folder, pd.DataFrame(rows)


def files(folder: Path) -> list[Path]:
    return [folder / f"small-8-step{step}.pt" for step in (10, 0, 5)]


def test_the_norms_are_those_of_the_training_in_its_order(series: tuple[Path, pd.DataFrame]) -> None:
    folder, observed = series
    found = normlaw.measure(network(9), torch.zeros(2, *IMAGE), files(folder), measures=NORMS)
    assert found["step"].tolist() == [0, 5, 10]
    assert found["weights"].tolist() == sorted(
        map(str, files(folder)), key=lambda name: int(name[:-3].split("step")[1])
    )
    for norm in NORMS[:1]:
        assert found[f"log_norm/{norm}"].tolist() == observed[f"log_norm/{norm}"].tolist()
    assert found.iloc[1:]["log_norm/distance_from_initialisation"].tolist() == (
        observed.iloc[1:]["log_norm/distance_from_initialisation"].tolist()
    )


def call(*words: Any) -> Result:
    return CliRunner().invoke(main, ["measure", *map(str, words)])


def test_the_command_makes_a_file_of_curves(
    series: tuple[Path, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, observed = series
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    errors = tmp_path / "errors.csv"
    observed.rename(columns={"test/error": "test_error"})[["step", "test_error"]].to_csv(errors, index=False)
    table = tmp_path / "curves.csv"
    options = ["--norm", NORMS[0], "--train-size", 64, "--errors", errors, "--output", table]
    done = call("series_made:model", *files(folder), *options)
    assert done.exit_code == 0, done.output
    found = pd.read_csv(table)
    assert list(found) == ["train_size", "seed", "step", "measure", "log_norm", "test_error"]
    assert found["log_norm"].tolist() == pytest.approx(observed[f"log_norm/{NORMS[0]}"].tolist())
    assert normlaw.import_curves(table, "series", tracking_uri=f"sqlite:///{tmp_path}/mlflow.db") == (1, 0)
    plain = call(f"{folder}/series_made.py:model", files(folder)[0], "--norm", "weight_norm")
    assert plain.output.splitlines()[1] == "step,measure,log_norm,weights"
    assert f"{files(folder)[0]}: step 10" in plain.output


BAD: list[tuple[list[Any], str]] = [
    (["series_made", "w.pt"], "'series_made' names no function: write MODULE:FUNCTION"),
    (["json:dumps", "w.pt"], "json:dumps() failed, which is called without arguments: TypeError: "),
    (["series_made:other", "w.pt"], "series_made has no function 'other'"),
    (["nowhere_at_all:model", "w.pt"], "nowhere_at_all cannot be imported"),
    (["nowhere.py:model", "w.pt"], "nowhere.py: there is no such file"),
    (["series_made:network", "w.pt"], "series_made:network must return two things"),
    (["series_made:model", "w.pt"], "w.pt: there is no such file"),
    (["series_made:model", "series_made.py"], "series_made.py: "),
    (["series_made:model", "small-8-step0.pt", "--errors", "series_made.py"], "`train_size` is needed"),
    (["series_made:model", "small-8-step0.pt", "--errors", "none.csv", "--train-size", 3], "none.csv: "),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_is_told(
    words: list[Any], message: str, series: tuple[Path, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(series[0])
    monkeypatch.setattr(sys, "path", [*sys.path])
    done = call(*words, "--norm", "weight_norm")
    assert done.exit_code == 2, done.output
    assert message in done.output


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
            return os.mkdir, (str(tmp_path / "harm"),)

    torch.save({"weights": Harmful()}, tmp_path / "w.pt")
    with pytest.raises(InputError, match="holds more than weights, which loading would have to execute"):
        read_weights(tmp_path / "w.pt")
    assert not (tmp_path / "harm").exists()


def test_weights_are_found_in_whatever_was_saved(tmp_path: Path) -> None:
    model = network()
    state = model.state_dict()
    wrapped = {f"module._orig_mod.{name}": value for name, value in state.items()}
    for number, saved in enumerate((state, wrapped, {"step": 3, "optimizer": {}, "model_state_dict": wrapped})):
        torch.save(saved, tmp_path / f"{number}.pt")
        found = network(7)
        assert put_into(found, read_weights(tmp_path / f"{number}.pt"), tmp_path) == []
        assert all(torch.equal(value, state[name]) for name, value in found.state_dict().items())
    outer = nn.ModuleDict({"net": network(7)})
    assert put_into(outer, {**state, "extra": torch.zeros(1)}, tmp_path) == ["extra"]
    assert torch.equal(outer["net"].state_dict()["5.weight"], state["5.weight"])


def test_weights_of_another_model_are_told(tmp_path: Path) -> None:
    state = network().state_dict()
    del state["1.running_var"]
    with pytest.raises(InputError, match=r"w: lacks 1\.running_var, which the model has"):
        put_into(network(), state, Path("w"))
    with pytest.raises(InputError, match=r"w: 5.bias has the shape \(4,\), in the model \(3,\)"):
        put_into(network(), {**network().state_dict(), "5.bias": torch.zeros(4)}, Path("w"))
    with pytest.raises(InputError, match="holds none of model"):
        read_weights(tmp_path)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(InputError, match="holds no weights by name but list"):
        read_weights(tmp_path / "list.pt")


def test_a_tied_weight_is_needed_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(5, 3)
            self.head = nn.Linear(3, 5, bias=False)
            self.head.weight = self.table.weight

    tied = Tied()
    assert put_into(tied, {"table.weight": torch.ones(5, 3)}, Path("w")) == []
    assert torch.equal(tied.head.weight, torch.ones(5, 3))


def test_safetensors_and_the_folders_of_transformers(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    state = {name: value.contiguous() for name, value in network().state_dict().items()}
    save_file(state, tmp_path / "model.safetensors")
    assert read_weights(tmp_path).keys() == state.keys()
    parts = tmp_path / "parts"
    parts.mkdir()
    names = list(state)
    for number, some in enumerate((names[:3], names[3:])):
        save_file({name: state[name] for name in some}, parts / f"model-{number}.safetensors")
    index = {name: f"model-{int(name in names[3:])}.safetensors" for name in names}
    (parts / "model.safetensors.index.json").write_text(
        f'{{"weight_map": {str(index).replace(chr(39), chr(34))}}}'
    )
    assert read_weights(parts).keys() == state.keys()
    (parts / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(InputError, match="no index of weights"):
        read_weights(parts)
    (tmp_path / "broken.safetensors").write_bytes(b"\0\1")
    with pytest.raises(InputError, match=r"broken.safetensors: cannot be read"):
        read_weights(tmp_path / "broken.safetensors")


def test_steps_are_read_off_names() -> None:
    def steps(*names: str) -> list[tuple[int, str]]:
        return [(step, str(path)) for step, path in in_order([Path(name) for name in names])]

    assert steps("run2/step10/m.bin", "run2/step9/m.bin") == [
        (9, "run2/step9/m.bin"),
        (10, "run2/step10/m.bin"),
    ]
    assert steps("b.pt", "a.pt") == [(0, "b.pt"), (1, "a.pt")]
    assert steps("seed1-step500.pt") == [(500, "seed1-step500.pt")]
    assert steps("e1-s4.pt", "e2-s4.pt", "e3-s4.pt")[-1] == (3, "e3-s4.pt")
    assert steps("e1-s8.pt", "e2-s16.pt") == [(8, "e1-s8.pt"), (16, "e2-s16.pt")]
