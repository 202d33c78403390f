"""Formulas that pages and docstrings write as plain text, typeset as reports typeset them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

from normlaw.base.mathematics import FORMULA, typeset

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LEFT = (
    nodes.literal,
    nodes.literal_block,
    nodes.doctest_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.image,
    nodes.title,
    addnodes.desc_signature,
    addnodes.desc_inline,
    addnodes.literal_strong,
    addnodes.literal_emphasis,
)
"""Whose text stays as it is: names and code."""


def is_left(node: nodes.Node) -> bool:
    """Return whether a text stands in something that stays as it is."""
    above = node.parent
    while above is not None:
        if isinstance(above, LEFT):
            return True
        above = above.parent
    return False


def has_formula(text: str) -> bool:
    """Return whether text has more of a formula than a dash."""
    return any(found["sign"] in (None, "+-") and not found["code"] for found in FORMULA.finditer(text))


def set_formulas(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Replace every text that has a formula by its HTML."""
    for text in list(doctree.findall(nodes.Text)):
        if has_formula(text.astext()) and not is_left(text):
            text.parent.replace(text, nodes.raw("", typeset(text.astext()), format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Do so once all references are resolved."""
    app.connect("doctree-resolved", set_formulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
