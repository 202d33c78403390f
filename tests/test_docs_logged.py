"""What docs/logged.md shows is run as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import normlaw
from normlaw.archiving.citation import citation_of
from normlaw.cli.program import main
from normlaw_tests.quick import QUICK

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).parents[1] / "docs" / "logged.md").read_text()


def example(name: str, language: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\s*```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def run(name: str) -> None:
    """Run the commands of an example; laws are fitted by the quickest protocol."""
    for line in example(name, "sh").replace("\\\n", " ").splitlines():
        words = shlex.split(line)[1:]
        quick = QUICK if words[0] == "analyse" else ()
        done = CliRunner().invoke(main, [*words, *quick])
        assert done.exit_code == 0, done.output


def test_the_page(tmp_path, empty_database, monkeypatch, one_figure) -> None:
    pytest.importorskip("tensorboardX", reason="the extra `tensorboard` brings it")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("theirs.db", "mlflow.db", "ours.db"):
        shutil.copy(empty_database, name)
    exec(compile(example("made", "python"), "logged.md", "exec"), {})

    command, told = re.fullmatch(r"\$ normlaw (.+?)\n(.+)", example("missing", "text"), re.DOTALL).groups()
    done = CliRunner().invoke(main, shlex.split(command))
    assert done.exit_code == 2
    shown = done.stderr.partition("error:")[2].replace(f"{tmp_path}/", "").replace("sqlite:////", "sqlite:///")
    assert " ".join(shown.split()) == " ".join(told.partition("error:")[2].split())

    run("mlflow")
    laws = normlaw.results("sweep").set_index("exponent")["value"]
    assert laws["gamma_1"] == pytest.approx(0.5, abs=0.01)
    assert laws["gamma_2"] == pytest.approx(1.0, abs=0.01)
    Path("take.yaml").write_text(example("take", "yaml"))
    assert normlaw.import_curves("theirs.db", "sweep", experiment="sweep", take="take.yaml") == (0, 8)

    exec(compile(example("tensorboard", "python"), "logged.md", "exec"), {})
    run("folders")
    assert set(normlaw.curves("runs")["train_size"]) == {100, 200, 400, 800}

    exec(compile(example("table", "python"), "logged.md", "exec"), {})
    run("from a table")
    assert set(normlaw.curves("table")["train_size"]) == {100, 200, 400, 800}

    run("store")
    assert len(normlaw.runs("sweep", tracking_uri="sqlite:///ours.db")) == 8

    run("archive")
    same = [Path(folder, "sweep", "results.json").read_text() for folder in ("reports", "again")]
    assert same[0] == same[1]
    assert normlaw.curves("copy").equals(normlaw.curves("sweep"))
    Path("cite.yaml").write_text(example("citation", "yaml"))
    assert (
        yaml.safe_load(citation_of("cite.yaml", {}).files("sweep")["CITATION.cff"])["doi"]
        == "10.5281/zenodo.12"
    )
