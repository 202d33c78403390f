"""Errors that say what was wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class NormlawError(Exception):
    """Base of every error that normlaw raises on purpose; its text is meant for the user as it stands."""

    exit_code = 1
    """What the command line exits with: 1, something failed; 2, the input was bad."""


class InputError(NormlawError):
    """What the user wrote cannot be used as it is."""

    exit_code = 2


class ComponentError(InputError):
    """A component, a plugin or the name of one is wrong."""


class UnknownComponentError(ComponentError):
    """No installed plugin provides a component of that kind and name."""


class DuplicateComponentError(ComponentError):
    """Two providers claim one name, so that the name means nothing."""


class InvalidComponentError(ComponentError):
    """A component or a hook breaks the contract."""


class UndefinedNormError(NormlawError):
    """A norm has no log for this network as it is now, though nothing is wrong: the point has no value for it.

    A distance from the initial weights is zero at step 0, a margin is negative before the first example is
    classified. The run goes on, and its curve in this norm begins later.
    """


LONGEST = 120
"""Characters of a value in an error message; of a longer one, both ends are shown."""


MOST_NAMES = 100
"""Names listed in an error message."""


class _Brief(Repr):
    """Shows a few items of a container and both ends of a text, whatever their size."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxtuple = 3, 6, 6, 6
        self.maxstring, self.maxother = LONGEST - 20, LONGEST - 20

    def repr_int(self, x: int, level: int) -> str:
        """Return a whole number; its size when it has more digits than Python would write."""
        if x.bit_length() > 200:
            return f"a whole number of about {int(x.bit_length() * 0.30103) + 1} digits"
        return repr(x)


_BRIEF = _Brief()


def brief(value: object) -> str:
    """Return a value as Python writes it, cut to `LONGEST` characters however large it is.

    >>> brief([1, "a"]), brief(list(range(1000))), brief(10**5000)
    ("[1, 'a']", '[0, 1, 2, 3, 4, 5, ...]', 'a whole number of about 5001 digits')
    """
    return _cut(_BRIEF.repr(value))


def _cut(text: str) -> str:
    half = (LONGEST - 3) // 2
    return text if len(text) <= LONGEST else f"{text[:half]}...{text[-half:]}"


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names that look like `word`, best first."""
    return get_close_matches(word[:LONGEST], list(known), n=3, cutoff=0.5)


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return the end of an error message: the nearest names, or all of them when none is near.

    >>> suggestion("cmn", ["cnn", "perceptron"])
    'did you mean cnn?'
    >>> suggestion("zzz", ["cnn", "perceptron"])
    'known: cnn, perceptron'
    """
    if close := nearest(word, known):
        return f"did you mean {' or '.join(map(_cut, close))}?"
    shown = [_cut(name) for name in sorted(known)[:MOST_NAMES]]
    if len(known) > MOST_NAMES:
        shown.append(f"and {len(known) - MOST_NAMES} more")
    return f"known: {', '.join(shown) or 'none'}"


def describe_problem(problem: ErrorDetails, known: Sequence[str]) -> str:
    """Return one problem that pydantic found as a phrase: what is wrong, and the nearest valid key."""
    match problem["type"]:
        case "extra_forbidden":
            return f"unknown key, {suggestion(str(problem['loc'][-1]), known)}"
        case "missing":
            return "missing"
        case "value_error":
            return problem["msg"].removeprefix("Value error, ")
        case _:
            return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, got {brief(problem['input'])}"


def known_keys(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Return the keys that are valid beside the last part of `loc`, a place in the model's tree."""
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        below = [a for a in _types(field.annotation) if issubclass(a, BaseModel)] if field else []
        if below:
            model = below[0]
    return list(model.model_fields)


def _types(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)
