"""What the shell offers when Tab is pressed, asked for as bash asks."""

import contextlib
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from normlaw.cli.program import main
from normlaw_tests.processes import python


def asked_by_bash(line: str) -> dict[str, str]:
    words = line.split(" ")
    return {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_NORMLAW_COMPLETE": "bash_complete"}


def values(out: str) -> list[str]:
    return [item.partition(",")[2] for item in out.split()]


def offered(line: str, folder: Path) -> list[str]:
    with contextlib.chdir(folder):
        done = CliRunner().invoke(main, prog_name="normlaw", env=asked_by_bash(line))
    assert (done.exit_code, done.stderr) == (0, "")
    return values(done.stdout)


def offered_by_a_process(line: str, folder: Path, **environment: str) -> list[str]:
    program = "from normlaw.cli.program import main; main(prog_name='normlaw')"
    done = python("-c", program, cwd=folder, env={**os.environ, **asked_by_bash(line), **environment})
    assert done.stderr == ""
    return values(done.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.yaml").write_text("name: other\n")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".normlaw" / "journal" / "launched").mkdir(parents=True)
    (tmp_path / ".normlaw" / "journal" / "launched" / "study.yaml").write_text("name: launched\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("normlaw run quick", ["quickstart"]),
        ("normlaw run mi", ["mine.yaml"]),
        ("normlaw run sub/", ["sub/other.yaml"]),
        ("normlaw run la", []),
        ("normlaw resume la", ["launched"]),
        ("normlaw sync la", ["launched"]),
        ("normlaw analyse la", ["launched"]),
        ("normlaw analyse mi", []),
        ("normlaw predict la", ["launched"]),
        ("normlaw plan la", ["launched"]),
        ("normlaw plan mi", ["mine.yaml"]),
        ("normlaw report quickstart perc", ["perceptron"]),
        ("normlaw studies quick", ["quickstart"]),
        ("normlaw run cnn_mnist --scale ", ["small"]),
        ("normlaw run no_such --scale ", []),
        ("normlaw theory p", ["perceptron"]),
        ("normlaw analyse x --norm weight", ["weight_norm"]),
        ("normlaw analyse quickstart --norm ", ["spectral_complexity_kernel", "weight_norm"]),
        ("normlaw predict quickstart --norm l", []),
        ("normlaw analyse x --protocol rel", ["released"]),
        ("normlaw studies cnn_mnist --scale ", ["small"]),
        ("normlaw import c.csv --study la", ["launched"]),
        ("normlaw doctor m", ["mlp"]),
        ("normlaw analyse x --fitter early_f", ["early_floor_power_law"]),
        ("normlaw plugins new x --kind t", ["theory"]),
    ],
)
def test_tab_offers(folder, line, expected) -> None:
    assert offered(line, folder) == expected


def test_components_of_an_installed_plugin_are_offered(folder, tmp_path) -> None:
    site = tmp_path / "site"
    fake = Path(__file__).parents[2] / "fake_plugin" / "fake_normlaw_plugin"
    shutil.copytree(fake, site / "fake_normlaw_plugin")
    info = site / "fake_normlaw_plugin-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-normlaw-plugin\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text("[normlaw]\ngood = fake_normlaw_plugin.good\n")
    found = offered_by_a_process("normlaw analyse x --norm fake", folder, PYTHONPATH=str(site))
    assert found == ["fake_largest_entry"]
