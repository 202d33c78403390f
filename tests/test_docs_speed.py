"""What docs/speed.md and docs/scale.md state follows from the programs that they name."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from normlaw.study.run_options import Compute

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "tests" / "benchmarks"
SPEED, SCALE = ROOT / "docs" / "speed.md", ROOT / "docs" / "scale.md"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test import benchmarks as the modules that they are beside each other."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.slow
def test_the_programmes_work_is_what_the_studies_say(
    benchmarks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is written anew into a copy of the page, which must not change by that."""
    import scale

    copy = tmp_path / "scale.md"
    shutil.copy(SCALE, copy)
    monkeypatch.setattr(sys, "argv", ["scale.py", "--write", str(copy)])
    scale.main()
    assert copy.read_text() == SCALE.read_text(), "run tests/benchmarks/scale.py --write docs/scale.md"


def test_the_text_of_the_scale_page_agrees_with_its_tables() -> None:
    text = SCALE.read_text()
    total = next(row for row in text.splitlines() if row.startswith("| all |")).split("|")
    runs, values = (int(total[column].replace(",", "")) for column in (2, 8))
    per_run = {
        row.split("|")[1].strip(): row.split("|")[2:-1]
        for row in text.splitlines()
        if re.match(r"\| (SQLite|PostgreSQL) ", row)
    }
    requests, _, cpu, database, artifacts, _ = map(float, per_run["SQLite"])
    prose = re.sub(r"\s+", " ", text)
    assert f"For the {runs:,} runs of the programme" in prose
    assert f"about {round(runs * requests, -3):,.0f} requests, {round(values, -3):,} metric values" in prose
    assert f"{100 * runs:,} runs, {values / 1e4:.0f} million metric values" in prose
    sizes = [runs * float(row[3]) / 1e6 for row in per_run.values()]  # GB
    assert f"{min(sizes):.1f} to {max(sizes):.1f} GB in the database" in prose
    assert f"{runs * artifacts / 1e3:.0f} MB of artifacts" in prose
    assert f"{runs * cpu / 60:.0f} minutes of the server's CPU" in prose
    assert database > 0


def test_the_compute_options_shown_are_those_there_are() -> None:
    found = re.search(r"<!-- example: compute -->\s*```yaml\n(.+?)```", SPEED.read_text(), re.DOTALL)
    assert found
    shown = yaml.safe_load(found[1])["compute"]
    assert set(shown) == set(Compute.model_fields)
    assert Compute.model_validate(shown).precision == "bfloat16"


@pytest.mark.slow
def test_the_benchmark_of_stacking_runs(
    benchmarks: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import stacking

    monkeypatch.setattr(sys, "argv", ["stacking.py", "--members", "2", "--steps", "2"])
    monkeypatch.setattr(stacking, "TURNS", 1)
    stacking.main()
    assert capsys.readouterr().out.count("times faster") == 6


def test_every_benchmark_named_exists() -> None:
    for page in (SPEED, SCALE):
        for name in re.findall(r"tests/benchmarks/\w+\.py", page.read_text()):
            assert (ROOT / name).exists(), name
