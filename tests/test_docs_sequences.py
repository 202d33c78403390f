"""docs/sequences.md: its studies are as it says, and its commands run, of fewer and shorter runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import normlaw
from normlaw.analysis import figures
from normlaw.cli.program import main
from normlaw.study.expansion import expand
from normlaw.study.known_floor import known_floor
from normlaw.study.study import at_scale
from normlaw_plugins.datasets.markov import MarkovParams, chain_of
from normlaw_registry import load_catalogue
from normlaw_tests.figure_files import cheapest
from normlaw_tests.quick import QUICK

PAGE = (Path(__file__).parents[1] / "docs" / "sequences.md").read_text()
TINY = {
    "gpt_markov": ["train_size=[32, 64, 128]", "optimizer.learning_rate=0.003", "dataset.params.test_size=40"],
    "modular_arithmetic": ["train_size=[40, 80]", "dataset.params.modulus=17"],
    "gpt_stdlib": ["train_size=[8, 16]", "architecture.params.width=8", "dataset.params.test_size=40"],
}


def example(name: str) -> list[str]:
    found = re.search(rf"<!-- example: {name} -->\s*```sh\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1].strip().splitlines()


@pytest.mark.parametrize("name", list(TINY))
def test_the_page_says_what_the_small_studies_are(name: str) -> None:
    catalogue = load_catalogue()
    whole = normlaw.load_study(name)
    specs = expand(at_scale(whole, "small"), catalogue)
    sizes = sorted({spec.train_size for spec in specs})
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
    assert f"{sizes[0]:,} to {sizes[-1]:,}" in row
    assert f"{len(specs)} runs" in row
    assert f"{specs[0].steps:,} steps" in row
    if name == "gpt_stdlib":
        length = expand(whole, catalogue)[0].dataset.params["length"]
        full = sorted({spec.train_size * length for spec in expand(whole, catalogue)})
        assert (full[0], full[-1]) == (32_768, 8_388_608)


def test_the_floor_is_the_entropy_rate_that_the_page_says() -> None:
    specs = expand(at_scale(normlaw.load_study("gpt_markov"), "small"), load_catalogue())
    assert f"{known_floor(specs, load_catalogue()):.4f} nats" in PAGE
    transitions, start = chain_of(MarkovParams(**specs[0].dataset.params))
    assert f"errs in {1 - start @ transitions.max(axis=1):.3f} of all tokens" in PAGE


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TINY))
def test_its_commands_run_of_fewer_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    trained, *analysed = example(name)
    seeds = [0, 1] if name == "gpt_markov" else [0]  # it alone is analysed
    shorter = [*TINY[name], "architecture.params.depth=1", f"seed={seeds}", "steps=60", "measuring_points=14"]
    shorter += ["batch_size=8", "measures=[weight_norm, spectral_complexity]"]
    words = [word for setting in shorter for word in ("--set", setting)]
    done = CliRunner().invoke(main, [*shlex.split(trained)[1:], *words, "--max-parallel", "1"])
    assert done.exit_code == 0, done.output
    if name != "gpt_markov":  # theirs are analysed by the same commands
        return
    monkeypatch.setattr(figures, "drawn_of", cheapest)
    for line, response in zip(
        analysed, ("excess test loss over the floor 2.46993", "test loss", "error"), strict=True
    ):
        quick = () if response == "test loss" else QUICK  # the longest is done once
        told = CliRunner().invoke(main, [*shlex.split(line)[1:], *quick])
        assert told.exit_code == 0, told.output
        assert "exponent " in told.stdout
        assert ("verdict: " in told.stdout) == (response == "test loss")
        assert response in told.stdout
