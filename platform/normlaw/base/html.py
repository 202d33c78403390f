"""What a notebook shows of a result: small pieces of HTML in which every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Protocol, TypeVar, runtime_checkable


class Html(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return it; templates ask for this."""
        return self


def escaped(content: object) -> str:
    """Return what content is in HTML."""
    return content if isinstance(content, Html) else escape(str(content))


LEFT = "text-align: left; vertical-align: top"


@runtime_checkable
class Showable(Protocol):
    """What shows itself in a notebook."""

    def _repr_html_(self) -> str: ...


Item = TypeVar("Item", bound=Showable)


class Several(list[Item]):
    """Results that a notebook shows below each other."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return together(*(item._repr_html_() for item in self)) if self else paragraph("nothing")


def together(*parts: str) -> str:
    """Return pieces of HTML below each other; empty ones are left out."""
    return "<div>" + "".join(filter(None, parts)) + "</div>"


def paragraph(*texts: object, strong: str = "") -> str:
    """Return texts as one paragraph, a strong one first."""
    head = f"<strong>{escape(strong)}</strong> " if strong else ""
    return f"<p>{head}{' '.join(map(escaped, texts))}</p>"


def listed(texts: Iterable[object]) -> str:
    """Return texts as a list; nothing where there are none."""
    items = "".join(f"<li>{escaped(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def table(head: Sequence[object], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return a table; what stands in it is text."""

    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f'<{tag} style="{LEFT}">{escaped(c)}</{tag}>' for c in cells) + "</tr>"

    title = f'<caption style="{LEFT}">{escape(caption)}</caption>' if caption else ""
    body = "".join(line(row, "td") for row in rows)
    return f"<table>{title}<thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"


def preformatted(text: str) -> str:
    """Return a text whose lines stay as they are."""
    return f"<pre>{escape(text)}</pre>"
