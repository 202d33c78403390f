"""docs/supercollapse.md: its programs print what it says, and its commands run, of fewer and shorter runs."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from click.testing import CliRunner

import normlaw
from normlaw.analysis.scaling_collapse.result import DEFINITIONS
from normlaw.cli.program import main
from normlaw.study.collapse_choice import ABSCISSAS
from normlaw.study.expansion import expand
from normlaw_registry import load_catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "supercollapse.md").read_text()
WIDTHS = "architecture.params.hidden, steps=[[[8], 27], [[12], 48], [[16], 71], [[24], 126]]"
SHORTER = ["--set", WIDTHS, "--set", "seed={count: 2}", "--set", "measuring_points=20", "--max-parallel", "1"]


def example(name: str, language: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\s*```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def printed(program: str) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(program, "supercollapse.md", "exec"), {"__name__": "page"})
    return told.getvalue()


def run(command: str, *more: str) -> str:
    program, *words = shlex.split(command)
    assert program == "normlaw"
    done = CliRunner().invoke(main, [*words, *more])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_its_tables_and_its_study_are_what_there_is() -> None:
    assert set(re.findall(r"`(collapse_\w+)`", PAGE)) >= set(DEFINITIONS)
    for name in ABSCISSAS:
        assert f"| `{name}` |" in PAGE
    study = normlaw.load_study("mlp_widths")
    shown = re.search(r"^vary:\n((?:  .+\n)+)", PAGE, re.MULTILINE)
    assert shown
    assert list(study.vary) == re.findall(r"^  (.+?): ", shown[1], re.MULTILINE)
    assert len(expand(study, load_catalogue())) == 96
    assert study.analysis is not None
    assert (study.analysis.collapse, study.analysis.collapse_over) == ("compute", "architecture.hidden")


@pytest.mark.slow
def test_the_exact_curves(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"<!-- output: exact -->\s*```text\n(.*?)```", PAGE, re.DOTALL)
    assert found
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    assert printed(example("exact", "python")) == found[1]
    assert (tmp_path / "random_features_collapse.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_study_and_its_pilot(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trained, analysed = example("study", "sh").strip().split(" && ")
    run(trained, *SHORTER)
    told = run(analysed, "--json", "found.json")
    assert told.count("scaling collapse: ") == 2
    found = json.loads((tmp_path / "found.json").read_text())
    assert [one["over"] for one in found] == ["architecture.hidden"] * 2
    for schedule in ("linear", "constant"):
        folder = tmp_path / "reports" / "mlp_widths" / "collapse" / f"learning_rate_schedule.name={schedule}"
        sizes = pd.read_csv(folder / "tables" / "scaling_collapse_sizes.csv")
        assert list(sizes["size"]) == [8, 12, 16, 24]
        # 16 images a step, six operations for each of 74 weights of a unit
        steps = [27, 48, 71, 126]
        compute = [6 * 74 * h * 16 * s for h, s in zip(sizes["size"], steps, strict=True)]
        assert list(sizes["anchor"]) == pytest.approx(compute)
        assert "Collapse of normalised curves" in (folder / "report.html").read_text()
    logged = normlaw.runs("mlp_widths", kinds=["analysis"])
    assert set(logged["collapse"]) == {"compute"}
    assert logged["collapse_deviation"].notna().all()
    assert [path.name for path in Path("reports", "mlp_widths").iterdir()] == ["collapse"]  # no laws
    pilot = example("pilot", "sh").strip().replace("steps=2000", "steps=200").replace("count: 5", "count: 1")
    run(pilot, "--set", "measuring_points=20", "--max-parallel", "1")
    table = printed(example("horizons", "python"))
    assert re.search(r"size\s+steps\s+compute\s+on_envelope", table)
    assert normlaw.horizons("mlp_pilot", "architecture.hidden").attrs["gamma"] > 0
