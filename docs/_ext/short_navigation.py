"""The tree of pages beside each page, of titles alone: Sphinx copies every heading of all pages for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def title_alone(toc: nodes.bullet_list) -> nodes.bullet_list:
    """Return a page's table of contents without what is below its title; whole, if it names further pages."""
    if next(toc.findall(addnodes.toctree), None) is not None:
        return toc
    short: nodes.bullet_list = toc.copy()
    for item in toc.children:
        kept = item.copy()
        kept += item[0].deepcopy()
        short += kept
    return short


def setup(app: Sphinx) -> dict[str, Any]:
    """Give the theme, when it asks for a tree of titles, one that is made of titles."""
    titles: dict[str, nodes.bullet_list] = {}

    def shorten(
        app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
    ) -> None:
        if (whole := context.get("toctree")) is None:
            return
        if not titles:
            titles.update((name, title_alone(toc)) for name, toc in app.env.tocs.items())

        def toctree(**options: Any) -> str:
            if not options.get("titles_only"):
                return str(whole(**options))
            kept, app.env.tocs = app.env.tocs, titles
            try:
                return str(whole(**options))
            finally:
                app.env.tocs = kept

        context["toctree"] = toctree

    app.connect("html-page-context", shorten, priority=100)  # before the theme's, which asks for the tree
    return {"parallel_read_safe": True, "parallel_write_safe": True}
