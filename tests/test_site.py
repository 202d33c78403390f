"""The documentation site is built by the README's own command, in the environment that it makes."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

import normlaw_registry as registry
from normlaw_registry.host import PluginRecord
from normlaw_tests import environments, forked_into
from normlaw_tests.processes import without

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_ext"))  # where Sphinx finds them too

import command_reference  # noqa: E402
import component_reference  # noqa: E402
import study_reference  # noqa: E402
from component_examples import example  # noqa: E402
from described import default, keys, kind, plain  # noqa: E402
from plain_docstrings import escaped  # noqa: E402
from repository_links import on_site, rewritten  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    readme = (ROOT / "README.md").read_text()
    installs = r"\.venv/bin/pip install -c constraints\.txt '\.(\[\w+\])'"
    found = re.search(rf"`{installs} && (\.venv/.+? docs) (build/site)`", readme)
    assert found, "the README has the command"
    extras, command, target = found.groups()
    assert f"open\n`{target}/index.html`" in readme
    environment = environments.make(folder / ".venv", [f"normlaw{extras}"])
    script, *words = shlex.split(command.removeprefix(".venv/bin/"))
    variables = without("PYTHONPATH", "VIRTUAL_ENV")
    built = forked_into.run(environment, script, *words, folder / "site", folder=ROOT, env=variables)
    assert built.returncode == 0, built.stderr
    contributing = (DOCS / "contributing.md").read_text()
    assert command.removeprefix(".venv/bin/") in contributing
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site):
    """Return every page: path -> its parsed HTML."""
    from bs4 import BeautifulSoup  # furo brings it

    return {
        path: BeautifulSoup(path.read_text(), "html.parser")
        for path in site.rglob("*.html")
        if path.name not in ("genindex.html", "py-modindex.html", "search.html")
    }


def text_of(pages, site: Path, name: str) -> str:
    return pages[site / f"{name}.html"].find("article").get_text()


def test_what_builds_it_finds_what_its_environment_has_and_nothing_else(tmp_path) -> None:
    environment = environments.make(tmp_path / ".venv", ["numpy"])
    (environment / "bin" / "asks").write_text("import numpy, sys\nimport torch\n")
    done = forked_into.run(environment, "asks", folder=tmp_path, env=without("PYTHONPATH"))
    assert done.returncode == 1
    assert "line 2" in done.stderr
    assert "No module named 'torch'" in done.stderr


def test_every_page_is_built(site) -> None:
    for page in [*DOCS.rglob("*.md"), *DOCS.glob("*.ipynb")]:
        assert (site / page.relative_to(DOCS).with_suffix(".html")).exists()


def targets(pages) -> Iterator[tuple[Path, str]]:
    for path, page in pages.items():
        for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")):
            yield from ((path, one[attribute]) for one in page.find_all(tag) if one.get(attribute))


def test_every_link_leads_somewhere(pages) -> None:
    anchors = {path: {one["id"] for one in page.find_all(id=True)} for path, page in pages.items()}
    lost = []
    for page, target in targets(pages):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        known = anchors.get(path)
        if not path.exists() or (known is not None and parts.fragment and parts.fragment not in known):
            lost.append(f"{page.name}: {target}")
    assert lost == []


def test_a_page_fetches_nothing_from_elsewhere(pages) -> None:
    loaded = [
        one[attribute]
        for page in pages.values()
        for tag, attribute in (("img", "src"), ("script", "src"), ("link", "href"))
        for one in page.find_all(tag)
        if one.get(attribute)
    ]
    assert loaded
    assert [target for target in loaded if urlsplit(target).netloc] == []


def test_formulas_are_drawn_by_the_browser(pages, site) -> None:
    laws = pages[site / "laws.html"]
    assert len(laws.find_all("math")) > 30
    assert "$" not in text_of(pages, site, "laws")


SET_APART = {"code", "pre", "math", "sub", "sup", "dt", "strong"}


def prose(tag) -> Iterator[str]:
    """Yield the text below a tag, without what is set apart and the tables of data, whose labels are names."""
    from bs4 import Tag
    from bs4.element import NavigableString

    for one in tag.children:
        if isinstance(one, Tag):
            if one.name not in SET_APART and "dataframe" not in one.get_attribute_list("class"):
                yield from prose(one)
        elif type(one) is NavigableString:  # and no comment
            yield str(one)


def test_no_formula_is_left_as_plain_text(pages) -> None:
    left = {}
    for path, page in pages.items():
        text = "".join(prose(page.find("article")))
        if found := re.findall(r"\w\^-?[\w(]|\+-|\bgamma_(?:[012]|pred|meas)\b", text):
            left[path.name] = found
    assert left == {}


def test_no_page_is_wider_than_a_phone_or_asks_for_what_is_not_there(browser, pages) -> None:
    lost: list[str] = []
    phone = browser.new_page(viewport={"width": 390, "height": 800})
    phone.set_default_timeout(0)  # pytest-timeout ends a test that hangs
    phone.on("requestfailed", lambda request: lost.append(request.url))
    phone.on("pageerror", lambda error: lost.append(str(error)))
    wide = []
    for path in pages:
        phone.goto(path.as_uri())
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(path.name)
    phone.close()
    assert wide == []
    assert lost == []


def test_every_key_of_a_study_is_described(pages, site) -> None:
    shown = text_of(pages, site, "reference/study")
    for name, model in study_reference.models().items():
        assert model.__doc__, name
        assert plain_text(model.__doc__) in " ".join(shown.split()), name
        for key, field in model.model_fields.items():
            assert field.description, f"{name}.{key} needs a description"


def plain_text(docstring: str) -> str:
    return " ".join(docstring.replace("`", "").split())


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("architectures", "architecture"),
        ("datasets", "dataset"),
        ("measures", "complexity_measure"),
        ("callbacks", "callback"),
        ("fitters", "fitter"),
        ("theories", "theory"),
        ("protocols", "protocol"),
    ],
)
def test_every_built_in_component_has_its_formula_example_parameters_and_source(
    pages, site, page, name
) -> None:
    components = component_reference.built_in(component_reference.KINDS[name])
    assert components
    for component in components:
        section = pages[site / f"reference/{page}.html"].find("section", id=component.name.replace("_", "-"))
        assert section, component.name
        assert as_printed(component.source or "normlaw") in as_printed(section.get_text()), component.name
        assert {term.get_text() for term in section.find_all("dt")} == set(component.params.model_fields)
        assert [block.get_text().strip() for block in section.find_all("pre")] == [example(component)]
        assert len(section.select(".formula math")) == bool(component.formula), component.name


def as_printed(text: str) -> str:
    return text.replace("arXiv ", "arXiv:")


def test_every_command_and_option_is_shown(pages, site) -> None:
    from normlaw.cli.program import main

    shown = text_of(pages, site, "reference/command_line")
    found = list(command_reference.commands(main, "normlaw"))
    assert {"normlaw run", "normlaw analyse", "normlaw plugins new"} <= {ctx.command_path for ctx in found}
    for ctx in found:
        assert f"{ctx.command_path}¶" in shown
        for parameter in ctx.command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.opts[0] in shown


def test_a_plugin_that_is_not_built_in_is_not_shown(monkeypatch) -> None:
    mine = registry.ComplexityMeasure(
        name="of_a_guest", summary="One", measure=lambda params, context: pytest.fail("never measured")
    )
    record = PluginRecord(name="guest", module="guest", distribution="guest", version="1", components=(mine,))
    catalogue = registry.Catalogue.of([*registry.load_catalogue().records, record])
    monkeypatch.setattr(registry, "load_catalogue", lambda: catalogue)
    names = [c.name for c in component_reference.built_in(registry.ComplexityMeasure)]
    assert "weight_norm" in names
    assert "of_a_guest" not in names


def test_types_and_defaults_are_in_words() -> None:
    from typing import Literal

    from pydantic import BaseModel, Field

    class Example(BaseModel):
        name: Literal["a", "b"]
        rate: float = Field(0.5, gt=0, le=1, description="per step")
        sizes: tuple[int, ...] = Field((), min_length=1)
        limit: int | None = None

    schema = Example.model_json_schema()["properties"]
    assert [kind(schema[key]) for key in schema] == [
        "`a` or `b`",
        "number > 0 and ≤ 1",
        "non-empty list of whole number each",
        "whole number or nothing",
    ]
    assert [default(schema[key]) for key in ("rate", "limit")] == ["`0.5`", "none"]
    name, rate, *_ = keys(Example, "example.")
    assert name.startswith("`example.name`\n: `a` or `b`; required")
    assert "per step" in rate


def test_signs_of_formulas_stand_for_themselves() -> None:
    assert plain("in*kh*kw of `a*b`, arXiv:2505.13230") == (
        r"in\*kh\*kw of `a*b`, [arXiv:2505.13230](https://arxiv.org/abs/2505.13230)"
    )
    assert escaped(["Sum of |A_jk| of `a|b`s:", "", "    x * y", "", "z*"]) == [
        r"Sum of \|A_jk\| of `a|b`\ s::",
        "",
        "    x * y",
        "",
        r"z\*",
    ]


def test_links_of_the_repository_become_links_of_the_site() -> None:
    assert on_site("docs/studies.md", ROOT / "README.md") == "/studies.md"
    assert on_site("../README.md", DOCS / "tutorial.md") == "/quickstart.md"
    assert on_site("../CHANGELOG.md", DOCS / "contributing.md") == "/changelog.md"
    assert on_site("../registry/normlaw_registry/hookspecs.py", DOCS / "tutorial.md") == (
        "#normlaw_registry.hookspecs"
    )
    assert on_site("../docker-compose.yml", DOCS / "compose.md") == "/../docker-compose.yml"
    kept = "[a](https://example.org/x.md) and [b](#here)"
    assert rewritten(kept, DOCS / "studies.md") == kept
