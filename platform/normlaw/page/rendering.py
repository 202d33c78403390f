"""The page's HTML: templates in which every text is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from normlaw.analysis.report import number
from normlaw.base.mathematics import typeset
from normlaw.base.redaction import printable
from normlaw.following import text

HERE = Path(__file__).parent
STATIC = HERE / "static"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        maths=typeset,
        number=number,
        shown=lambda value: printable(str(value)),
        left=text.left,
        at=text.at,
        moment=lambda value: "" if value is None else text.clock(value),
    )
    environment.globals["ago"] = lambda now, then: "" if then is None else text.ago(now - then)
    return environment


def render(template: str, **content: Any) -> str:
    """Return a page, or a part of one; a name that is left undefined is an error."""
    return _environment().get_template(template).render(**content)
