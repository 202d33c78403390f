"""What stands beside the packages: pinned versions, the commands of the README, the citation."""

import re
from pathlib import Path

import pytest
import yaml

from normlaw_tests.environments import needed

ROOT = Path(__file__).parents[1]


def test_everything_that_the_tests_need_is_pinned() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = dict(line.split("==") for line in lines)
    missing = needed("normlaw", frozenset({"test"})).keys() - pinned.keys() - {"normlaw"}
    assert not missing, f"add the tested versions of {sorted(missing)} to constraints.txt"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("run", ["-m venv .venv", "pip install -c constraints.txt .", "normlaw run quickstart"]),
        ("test", [".venv/bin/pip install -c constraints.txt '.[test]'", ".venv/bin/python -m pytest"]),
    ],
)
def test_the_readme_gives_the_command(name, parts) -> None:
    found = re.search(
        rf"<!-- command: {name} -->\s*```sh\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert found, f"mark the code block by <!-- command: {name} -->"
    for part in parts:
        assert part in found[1]


CHECKS = ("ruff check", "ruff format --check", "mypy", "lint-imports --no-cache")


def test_continuous_integration_runs_the_linters_and_then_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "<!-- command: test -->" in script
    linters, tests = script.index(f'for check in "{CHECKS[0]}"'), script.rindex("test_command")
    assert all(check in script[linters:tests] for check in CHECKS)


def test_each_commit_is_checked_by_the_same_linters() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}  # nothing is fetched: what is installed is run
    commits = [hook["entry"].replace(" --force-exclude", "") for hook in hooks if "stages" not in hook]
    assert commits == list(CHECKS)
    page = (ROOT / "docs" / "contributing.md").read_text()
    assert " && ".join(CHECKS) in page
    (push,) = (hook["entry"] for hook in hooks if hook.get("stages") == ["pre-push"])
    assert push.replace(" -q", "") in page


def test_the_citation_names_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    (paper,) = citation["references"]
    assert [author["family-names"] for author in paper["authors"]] == ["D'Amico", "Bocchi", "Negri"]
    assert paper["identifiers"][0]["value"] == "arXiv:2505.13230"
