"""Figures in motion within one page: what the page carries so that it needs no other file and no network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SCRIPT = Path(__file__).parent / "report.js"


@dataclass(frozen=True)
class Motion:
    """The figures that a page draws where scripts run."""

    items: Mapping[str, Json]
    """What Bokeh draws, by the name of the figure."""
    moved: Json | None = None
    """The collapse that is moved by hand, see `moving`."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Where a click on the curve of a run leads, by what its points are marked with."""

    @property
    def policy(self) -> str:
        """The only scripts that may run in the page, as a content security policy names them."""
        return " ".join(f"'sha256-{_digest(script)}'" for script in (self.script, library()))

    @property
    def script(self) -> str:
        """What draws the figures."""
        return _script()

    @property
    def library(self) -> str:
        """Bokeh's script, packed, as text."""
        return _packed()

    @property
    def data(self) -> str:
        """What the script is told, as JSON that ends no element of the page, whatever names are in it."""
        told = {"items": self.items, "moved": self.moved, "addresses": self.addresses}
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def item_of(figure: Any, name: str) -> Json:
    """Return a Bokeh figure as a page is told of it: the same figure in the same words, whenever it is written.

    Args:
        figure: what Bokeh draws.
        name: of the figure; tells its parts from those of others in the page.

    """
    known: dict[str, str] = {}

    def called(part: str) -> str:
        return known.setdefault(part, f"{name} {len(known)}")

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            own = {key: renamed(one) for key, one in value.items()}
            return own | {key: called(str(own[key])) for key in ("id", "root_id") if key in own}
        return list(map(renamed, value)) if isinstance(value, list | tuple) else value

    item: Json = renamed(json_item(figure))
    return item


def json_item(figure: Any) -> Json:
    """Return what `bokeh.embed.json_item` does, which also looks three times through all parts of a figure."""
    from bokeh import __version__
    from bokeh.document import Document

    document = Document()
    document.add_root(figure)
    document.title = ""
    told = document.to_json(deferred=False)
    return {"target_id": None, "root_id": told["roots"][0]["id"], "doc": told, "version": __version__}


@cache
def library() -> str:
    """Return the script of Bokeh that draws figures, without widgets, tables and the like."""
    import bokeh

    path = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    return path.read_text(encoding="utf-8")


@cache
def _packed() -> str:
    return base64.b64encode(gzip.compress(library().encode(), mtime=0)).decode("ascii")


@cache
def _script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
