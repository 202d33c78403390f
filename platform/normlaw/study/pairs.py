"""Settings as a command line has them, NAME=VALUE: one form and one set of messages for every option."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def pairs(
    texts: Iterable[str],
    what: str,
    example: str,
    *,
    form: str = "KEY=VALUE",
    is_name: Callable[[str], object] = bool,
) -> dict[str, str]:
    """Return name -> text of each NAME=VALUE, names without the spaces around them.

    >>> pairs(["a=1 - b=c"], "--take", "a=b")
    {'a': '1 - b=c'}

    Args:
        texts: the settings.
        what: where they stand, for messages.
        example: one that is right, for messages.
        form: what they look like, for messages.
        is_name: says whether a text can be a name.

    Raises:
        InputError: a text is not of that form, or a name is given twice.

    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if equals and is_name(name) and name not in found:
            found[name] = value
            continue
        from normlaw_registry import InputError  # imported late: commands that only tell wait for nothing
        from normlaw_registry.errors import brief

        if name in found:
            raise InputError(f"{what}: {brief(name)} is given twice")
        raise InputError(f"{what} {brief(text)}: write {form}, such as {example}")
    return found


def values(written: Mapping[str, str], what: str) -> dict[str, Any]:
    """Return what texts stand for in the syntax of study files (YAML).

    >>> values({"draws": "200", "window": "[none, 0.3]"}, "--set")
    {'draws': 200, 'window': ['none', 0.3]}

    Args:
        written: the texts by their names.
        what: where they stand, for messages.

    Raises:
        InputError: a text is no YAML of the types that study files have.

    """
    import yaml

    from normlaw.study.yaml_loader import Loader

    found: dict[str, Any] = {}
    for name, text in written.items():
        try:
            found[name] = Loader(text.encode()).get_single_data()
        except (yaml.YAMLError, UnicodeEncodeError) as error:
            from normlaw_registry import InputError
            from normlaw_registry.errors import brief

            problem = getattr(error, "problem", None) or getattr(error, "reason", "")
            raise InputError(
                f"{what} {brief(f'{name}={text}')}: write the value as in a study file: "
                f"{brief(str(problem))[1:-1]}"
            ) from None
    return found
