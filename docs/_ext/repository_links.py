"""Links between README.md, docs/*.md and source files, which work on a code-hosting site, work here too."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PACKAGES = ("registry", "plugins", "platform")
SHOWN_BY = {"README.md": "/quickstart.md", "CHANGELOG.md": "/changelog.md"}
"""Files of the root by the pages that include them."""
LINK = re.compile(r"(?<=\]\()(?!\w+:|[#/])([^)\s#]+)")


def on_site(target: str, page: Path) -> str:
    """Return where a link's target, relative to `page`, is on the site.

    Pages and images in docs/ are named from the site's root, a Python module or package by its place in the API
    pages, README.md and CHANGELOG.md by the pages that show them. Any other file of the repository is offered
    for download.
    """
    path = (page.parent / target).resolve()
    if not path.is_relative_to(ROOT):
        return target
    place = PurePosixPath(path.relative_to(ROOT))
    if place.parts[0] == "docs":
        return f"/{place.relative_to('docs')}"
    if str(place) in SHOWN_BY:
        return SHOWN_BY[str(place)]
    if place.parts[0] in PACKAGES and (place.suffix == ".py" or path.is_dir()):
        module = place.relative_to(place.parts[0]).with_suffix("")
        return "#" + ".".join(part for part in module.parts if part != "__init__")
    return f"/../{place}"


def rewritten(text: str, page: Path) -> str:
    """Return a page's Markdown with its relative links as `on_site` gives them."""
    return LINK.sub(lambda link: on_site(link[1], page), text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Rewrite each page when it is read, and what it includes."""

    def read(app: Sphinx, docname: str, content: list[str]) -> None:
        if (page := Path(app.env.doc2path(docname))).suffix == ".md":
            content[0] = rewritten(content[0], page)

    def included(app: Sphinx, path: Path, _docname: str, content: list[str]) -> None:
        if path.suffix == ".md":
            content[0] = rewritten(content[0], (Path(app.srcdir) / path).resolve())

    app.connect("source-read", read)
    app.connect("include-read", included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
