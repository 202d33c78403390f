"""What the README shows is run as it stands there."""

from __future__ import annotations

import re
import types
from pathlib import Path

from normlaw.study.expansion import expand
from normlaw.study.study import parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import load_catalogue
from normlaw_registry.host import collect
from normlaw_registry.testing import check_component

README = (Path(__file__).parents[1] / "README.md").read_text()


def example(name: str, language: str) -> str:
    """Return the code block that follows a marker."""
    found = re.search(rf"<!-- example: {name} -->\s*```{language}\n(.+?)```", README, re.DOTALL)
    assert found, f"mark the code block by <!-- example: {name} -->"
    return found[1]


def test_the_plugin_works_and_has_ten_lines() -> None:
    code = example("plugin", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    module = types.ModuleType("readme_plugin")
    exec(compile(code, "README.md", "exec"), module.__dict__)
    (measure,) = collect(module)
    check_component(measure)


def test_the_study_expands() -> None:
    source = YamlSource(example("study", "yaml"), "README.md")
    assert len(expand(parse_study(source), load_catalogue())) == 5 * 3 * 2


def test_every_image_and_file_it_points_to_is_there() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert "docs/images/quickstart.png" in targets
    for target in targets:
        assert (Path(__file__).parents[1] / target).exists(), target
