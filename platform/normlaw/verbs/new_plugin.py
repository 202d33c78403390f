"""`normlaw plugins new`: a small installable package with a working example, tests and a README."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from normlaw.base.files import whole_folder
from normlaw_registry import (
    AnalysisProtocol,
    Architecture,
    Callback,
    ComplexityMeasure,
    Dataset,
    Fitter,
    InputError,
    Loss,
    Optimizer,
    Schedule,
    Theory,
    load_catalogue,
)
from normlaw_registry.errors import suggestion
from normlaw_registry.host import kinds as table
from normlaw_registry.host.kinds import Kind

TEMPLATES = Path(__file__).parent / "plugin_template"
MAX_LENGTH = 40
NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
PREFIX = "normlaw_"
"""A package may be called normlaw-something; its component is called something."""


def writable() -> dict[str, Kind]:
    """Return the kinds that there is a template of, by what the command line calls them."""
    return {kind.option: kind for kind in table.KINDS if (TEMPLATES / f"{kind.name}.py.jinja").is_file()}


def new_plugin(name: str, kinds: Sequence[str], *, folder: Path | str = ".") -> Path:
    """Write a plugin of one's own and return its folder; `normlaw plugins new`.

    It has a component of each kind, tests and a README; all is written or, on an error, nothing.

    Args:
        name: of the distribution, such as 'my-norm'; the package and the components are called my_norm.
        kinds: what it provides, such as complexity-measure; `normlaw plugins new --help` lists them all.
        folder: where the package's own folder is made.

    Raises:
        InputError: the name cannot be used or is taken, a kind is unknown, or the folder cannot be made.

    """
    chosen, catalogue = _chosen(kinds), load_catalogue()
    package = name.replace("-", "_")
    component = package.removeprefix(PREFIX)
    _check_name(name, package)
    for kind in chosen:
        if component in catalogue.names(kind.component):
            raise InputError(
                f"{kind.name} {component!r} is provided by "
                f"{catalogue.provider(kind.component, component).provider} already: choose another name"
            )
    target = Path(folder) / name
    if target.exists():
        raise InputError(f"{target} is there already: choose another name, or another folder with --into")
    try:
        with whole_folder(target) as draft:
            for path, text in _rendered(name, package, component, chosen):
                file = draft / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from None
    return target


def _chosen(kinds: Sequence[str]) -> list[Kind]:
    known = writable()
    if not kinds:
        raise InputError(f"say what the plugin kinds: {', '.join(known)}")
    for option in kinds:
        if option not in known:
            raise InputError(f"unknown kind of component {option!r}: {suggestion(option, list(known))}")
    return [kind for option, kind in known.items() if option in kinds]


def _check_name(name: str, package: str) -> None:
    """Refuse a name that Python, pip or normlaw could not use."""
    if not NAME.fullmatch(name) or len(name) > MAX_LENGTH:
        proposed = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:MAX_LENGTH].strip("-")
        raise InputError(
            f"plugin name {name!r}: write lower-case words joined by hyphens, at most {MAX_LENGTH} characters, "
            f"such as {proposed or 'my-norm'!r}"
        )
    if keyword.iskeyword(package) or keyword.issoftkeyword(package):
        raise InputError(f"plugin name {name!r}: that is a word of the Python language; choose another")
    if package in sys.stdlib_module_names:
        raise InputError(f"plugin name {name!r}: that is a module of Python's standard library; choose another")
    if importlib.util.find_spec(package) is not None:
        raise InputError(
            f"plugin name {name!r}: a package {package!r} is installed here already, and one would hide the "
            "other; choose another name"
        )


def _rendered(name: str, package: str, component: str, chosen: list[Kind]) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # the files are code, not pages
    )
    here = {kind.component for kind in chosen}
    known = {
        "distribution": name,
        "package": package,
        "component": component,
        "kinds": chosen,
        "titles": [kind.title for kind in chosen],
        "normlaw": ".".join(version("normlaw").split(".")[:2]),
        "architecture": component if Architecture in here else None,
        "dataset": component if Dataset in here else None,
        "measure": component if ComplexityMeasure in here else None,
        "loss": component if Loss in here else None,
        "optimizer": component if Optimizer in here else None,
        "schedule": component if Schedule in here else None,
        "callback": component if Callback in here else None,
        "has_fitter": Fitter in here,
        "has_theory": Theory in here,
        "has_protocol": AnalysisProtocol in here,
        "trains": here != {Theory},
    }
    source, tests = f"src/{package}", "tests"
    places = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "gitignore": ".gitignore",
        "init.py": f"{source}/__init__.py",
        "test_installed.py": f"{tests}/test_installed.py",
    }
    if known["trains"]:
        places["study.yaml"] = "study.yaml"
    for kind in chosen:
        places[f"{kind.name}.py"] = f"{source}/{kind.name}.py"
        places[f"test_{kind.name}.py"] = f"{tests}/test_{kind.name}.py"
    for template, path in places.items():
        yield path, environment.get_template(f"{template}.jinja").render(known)
    yield f"{source}/py.typed", ""
