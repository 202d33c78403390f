"""The version is the git tag's, and every kind of sources builds."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from normlaw_tests.processes import python, run, without

ROOT = Path(__file__).parents[1]
PACKAGES = ("registry/normlaw_registry", "plugins/normlaw_plugins", "platform/normlaw")
FALLBACK = "0.1.0+unknown"
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Return a copy of what the version and a wheel are made of, without git."""
    folder = tmp_path / "sources"
    for package in PACKAGES:
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").touch()
    for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    return folder


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=normlaw", "-c", "user.email=normlaw@localhost"]
    environment = without("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    return str(run(["git", *who, *arguments], cwd=folder, env=environment, check=True).stdout)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a commit")


def version(folder: Path) -> str:
    return python("-m", "hatchling", "version", cwd=folder, check=True).stdout.strip()


def test_without_git_it_is_the_stated_one(sources: Path) -> None:
    assert f'fallback-version = "{FALLBACK}"' in (ROOT / "pyproject.toml").read_text()
    assert version(sources) == FALLBACK


@pytest.mark.slow
def test_with_git_it_is_the_tag_and_the_commits_since(sources: Path) -> None:
    git(sources, "init", "--quiet")
    commit(sources)
    assert re.fullmatch(r"0\.1\.1\.dev1\+unknown\.g\w+", version(sources)), "a clone without tags"
    git(sources, "tag", "v0.7.0")
    assert version(sources) == "0.7.0"
    commit(sources)
    assert re.fullmatch(r"0\.7\.1\.dev1\+g\w+", version(sources))


@pytest.mark.slow
def test_a_source_distribution_holds_its_own(sources: Path, tmp_path: Path) -> None:
    git(sources, "init", "--quiet")
    commit(sources)
    git(sources, "tag", "v0.7.0")
    python("-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=sources, check=True)
    with tarfile.open(tmp_path / "normlaw-0.7.0.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / "normlaw-0.7.0"
    python("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=unpacked, check=True)
    with zipfile.ZipFile(tmp_path / "normlaw-0.7.0-py3-none-any.whl") as wheel:
        assert "Version: 0.7.0\n" in wheel.read("normlaw-0.7.0.dist-info/METADATA").decode()


def test_the_command_line_tells_the_installed_one() -> None:
    from importlib.metadata import version as installed

    told = python("-c", "from normlaw.cli.program import main; main()", "--version", check=True).stdout
    assert told.split()[-1] == installed("normlaw")


def test_the_changelog_has_a_place_for_what_comes_and_the_stated_release() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    released = [heading.partition(" - ")[0] for heading in headings[1:]]
    assert released[0] == FALLBACK.partition("+")[0], "raise the fallback version with a release"
