"""Pydantic models as Markdown: every key with its type, limits, default and description."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]

NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "nothing",
    "object": "mapping of keys to values",
}
LIMITS = {
    "exclusiveMinimum": "> {}",
    "minimum": "≥ {}",
    "exclusiveMaximum": "< {}",
    "maximum": "≤ {}",
    "pattern": "that matches `{}`",
    "maxLength": "of at most {} characters",
}
CODE_OR_SIGN = re.compile(r"(`[^`]+`)|([*_|<>$\[\]\\])")
ARXIV = re.compile(r"arXiv[: ](\d{4}\.\d{4,5})")


def plain(text: str) -> str:
    """Return text in which signs of formulas stand for themselves, and arXiv numbers are links."""
    escaped = CODE_OR_SIGN.sub(lambda part: part[1] or "\\" + part[2], text)
    return ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", escaped)


def kind(schema: Schema) -> str:
    """Return what a value may be, in words: 'whole number > 0 or nothing'."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[these keys](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return _list(schema)
    if "type" not in schema:
        return "any value"
    if isinstance(of := schema.get("additionalProperties"), Mapping):
        return f"mapping of names to {kind(of)}"
    limits = [text.format(_number(schema[key])) for key, text in LIMITS.items() if key in schema]
    return " ".join([NAMES[schema["type"]], " and ".join(limits)]).strip()


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _list(schema: Schema) -> str:
    if items := schema.get("prefixItems"):
        return (
            f"list of {len(items)}: {kind(items[0])} each"
            if len(items) > 1
            else f"list of one {kind(items[0])}"
        )
    least = "non-empty list" if schema.get("minItems") else "list"
    return f"{least} of {kind(schema['items'])} each" if schema.get("items") else least


def default(schema: Schema) -> str:
    """Return what stands when the key is left out."""
    value = schema.get("default")
    if isinstance(value, dict) and value:
        return "each at its own"
    return "none" if value in (None, "", [], {}) else f"`{json.dumps(value)}`"


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield a Markdown definition for each key of a model."""
    schema = model.model_json_schema()
    for name, value in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        stands = "required" if required else f"default: {default(value)}"
        description = plain(value.get("description", ""))
        yield f"`{prefix}{name}`\n: {kind(value)}; {stands}\n\n  {description}\n"
