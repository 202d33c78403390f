"""A plugin that `normlaw plugins new` writes: clean, tested, installable, and found wherever it is named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from normlaw.cli.program import main
from normlaw.verbs.new_plugin import MAX_LENGTH, writable
from normlaw_registry import load_catalogue
from normlaw_tests import forked, processes, typed_plugin
from normlaw_tests.unread import UNREAD

KINDS = writable()
LONGEST = "abcdefghij-klmnopqrst-uvwxyz-abcdefghijk"


def new(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["plugins", "new", *map(str, arguments)], catch_exceptions=False)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return processes.python("-m", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a plugin of each kind alone, and one of all kinds with the longest name."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        done = new(f"x-{kind}", "--kind", kind, "--into", folder)
        assert done.exit_code == 0, done.output
    assert len(LONGEST) == MAX_LENGTH
    done = new(LONGEST, *(word for kind in KINDS for word in ("--kind", kind)), "--into", folder)
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.slow
def test_ruff_finds_nothing_to_change(written) -> None:
    for check in (["check"], ["format", "--check"]):  # each plugin by the settings in its own folder
        done = python("ruff", *check, ".", cwd=written)
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def found(written, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what mypy finds in the plugin, and beside it in a right one and in a wrong one."""
    plugin = written / LONGEST  # it has the modules of all kinds
    settings = plugin / "pyproject.toml"
    quick = f'\n[[tool.mypy.overrides]]\nmodule = {json.dumps(UNREAD)}\nfollow_imports = "skip"\n'
    settings.write_text(settings.read_text() + quick)
    folder = tmp_path_factory.mktemp("typed")
    (folder / "right.py").write_text(typed_plugin.RIGHT)
    (folder / "wrong.py").write_text(typed_plugin.wrong())
    named = tomllib.loads(settings.read_text())["tool"]["mypy"]["files"]
    done = python("mypy", "--cache-dir", os.devnull, *named, *map(str, sorted(folder.iterdir())), cwd=plugin)
    *lines, last = done.stdout.splitlines()
    assert re.fullmatch(r"Found \d+ errors? in \d+ files? \(checked \d+ source files\)", last), done.stdout
    return lines


@pytest.mark.slow
def test_mypy_finds_nothing(found) -> None:
    assert [line for line in found if "/wrong.py:" not in line] == []


@pytest.mark.slow
def test_mypy_finds_functions_of_other_parameters_than_those_declared(found) -> None:
    """A type checker compares what a plugin's functions take with the parameters of its component."""
    told = "\n".join(found)
    assert 'Argument "build" to "Architecture" has incompatible type' in told
    assert '"Power" has no attribute "width"' in told
    assert 'Argument "load" to "Dataset" has incompatible type' in told
    assert 'Argument "fit" to "Fitter" has incompatible type' in told
    assert sum(": error: " in line for line in found) == 4


@pytest.mark.slow
def test_its_tests_pass_for_every_kind(written) -> None:
    plugin = written / LONGEST
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    info = plugin / "src" / f"{LONGEST.replace('-', '_')}-0.1.0.dist-info"  # what an installer writes
    info.mkdir()
    lines = [
        f"Name: {project['name']}",
        "Version: 0.1.0",
        *(f"Requires-Dist: {n}" for n in project["dependencies"]),
    ]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines]) + "\n")
    points = [f"{name} = {module}" for name, module in project["entry-points"]["normlaw"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[normlaw]", *points]) + "\n")
    told = written.parent / "tests.txt"
    tests = forked.begin(_run_tests, str(plugin / "src"), out=told, folder=plugin)
    tests.join()
    assert tests.exitcode == 0, told.read_text()
    assert "passed" in told.read_text()


def _run_tests(*places: str) -> None:
    """Be `python -m pytest` with more places to import from, without the seconds that torch takes."""
    sys.path[:0] = [*places, ""]
    load_catalogue.cache_clear()
    sys.exit(pytest.main(["-q"]))


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone_holds_nothing_of_the_others(written, kind) -> None:
    plugin = written / f"x-{kind}"
    module = KINDS[kind].name
    files = {str(path.relative_to(plugin)) for path in plugin.rglob("*") if path.is_file()}
    package = f"src/x_{module}"
    study = {"study.yaml"} if kind != "theory" else set()
    assert {file for file in files if not file.startswith(".")} >= study
    assert {file for file in files if ".mypy" not in file and ".ruff" not in file} - study == {
        ".gitignore",
        "README.md",
        "pyproject.toml",
        f"{package}/__init__.py",
        f"{package}/py.typed",
        f"{package}/{module}.py",
        f"tests/test_{module}.py",
        "tests/test_installed.py",
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("My Norm", "such as 'my-norm'"),
        ("2fast", "such as 'fast'"),
        ("x" * 41, "at most 40 characters"),
        ("..", "such as 'my-norm'"),
        ("class", "a word of the Python language"),
        ("random", "module of Python's standard library"),
        ("torch", "a package 'torch' is installed here already"),
        ("normlaw", "a package 'normlaw' is installed here already"),
        ("normlaw-registry", "a package 'normlaw_registry' is installed here already"),
        ("cnn", "architecture 'cnn' is provided by normlaw"),
        ("normlaw-cnn", "architecture 'cnn' is provided by normlaw"),
    ],
)
def test_a_name_that_cannot_be_used_is_told(tmp_path, name, told) -> None:
    done = new(name, "--kind", "architecture", "--into", tmp_path)
    assert done.exit_code == 2
    assert told in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    done = new("mine", "--kind", "theory", "--into", tmp_path)
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_folder_that_takes_no_files_is_told(tmp_path, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    done = new("mine", "--kind", "theory", "--into", tmp_path)
    assert done.exit_code == 2
    assert "No space left on device" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_is_told() -> None:
    done = new("mine", "--kind", "norm")
    assert done.exit_code == 2
    assert "complexity-measure" in done.stderr


def test_no_kind_is_told() -> None:
    assert "--kind" in new("mine").stderr
