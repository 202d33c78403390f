"""A study over another one: what a study that extends, or a setting on the command line, makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from normlaw.study.together import keys_of, reduced
from normlaw.study.yaml_source import merged
from normlaw_registry import InputError

Tree = dict[str, Any]

LENGTHS = frozenset({"epochs", "steps"})
"""Keys of a run of which one stands: whoever gives one means it instead of the other."""
OF_A_COMPONENT = frozenset({"params", "preset"})
"""Keys beside a `name` that belong to what is called so."""


def laid_over(below: Tree, above: Tree) -> Tree:
    """Return a study's tree with another one over it.

    Mappings are merged key by key, and null takes a key away, as in JSON Merge Patch (RFC 7396); besides

    - `params` and `preset` belong to the component that they stand beside, and another `name` inherits none;
    - a key of a run stands under `fixed` or under `vary`: where it stands above, it does not stand below;
    - of `epochs` and `steps` the one above stands alone;
    - scales are kept for later, with their nulls.
    """
    below, above = dict(below), dict(above)
    scales = merged(below.pop("scales", None), above.pop("scales", {}))
    if _has_runs(below) and _has_runs(above):
        fixed, vary = _without(below.get("fixed") or {}, below.get("vary") or {}, above)
        below |= {"fixed": fixed, "vary": vary}
        new = above.get("vary") or {}  # lists are replaced, each in its old place
        below["vary"] = {key: None if key in new else values for key, values in vary.items()}
    result: Tree = _over(below, above)
    return {**result, **({"scales": scales} if scales else {})}


def _has_runs(tree: Tree) -> bool:
    """Return whether `fixed` and `vary` are mappings, where they stand: else they are refused later."""
    return all(isinstance(tree.get(key) or {}, dict) for key in ("fixed", "vary"))


def _over(below: Any, above: Any) -> Any:
    if not isinstance(above, dict):
        return above
    result = _inherited(below, above)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _over(result.get(key), value)
    return result


def _inherited(below: Any, above: Mapping[str, Any]) -> Tree:
    """Return what a mapping takes over; a component by its bare name is a mapping too."""
    whole = {"name": below} if isinstance(below, str) else below
    if not isinstance(whole, dict):
        return {}
    lost = OF_A_COMPONENT if _is_another(above, whole) else frozenset()
    return {key: value for key, value in whole.items() if key not in lost}


def _is_another(above: Any, below: Any) -> bool:
    """Return whether two components that stand in one place are called differently."""
    return None not in (own := _named(above), was := _named(below)) and own != was


def _named(tree: Any) -> Any:
    return tree.get("name") if isinstance(tree, dict) else tree


def _without(fixed: Tree, vary: Tree, above: Tree) -> tuple[Tree, Tree]:
    """Return what is fixed and varied below without what stands in the other place above."""
    more, varied = above.get("fixed") or {}, above.get("vary") or {}
    new = [key for keys in varied for key in keys_of(str(keys))]
    for dotted in new:
        fixed = _taken_out(fixed, dotted.split("."))
    given = LENGTHS & {*more, *new}
    other = LENGTHS - given if len(given) == 1 else frozenset()
    fixed = {key: value for key, value in fixed.items() if key not in other}
    kept: Tree = {}
    for keys, values in vary.items():
        gone = {
            key
            for key in keys_of(str(keys))
            if _decides(more, fixed, key.split("."))
            or _is_below(key, new)
            or key in other
            or (key in new and keys not in varied)
        }
        left, rest = reduced(str(keys), values, gone)
        if left:
            kept[left] = rest
    return fixed, kept


def _taken_out(tree: Tree, parts: list[str]) -> Tree:
    first, *rest = parts
    if first not in tree:
        return tree
    if not rest:
        return {key: value for key, value in tree.items() if key != first}
    inner = tree[first]
    return {**tree, first: _taken_out(inner, rest)} if isinstance(inner, dict) else tree


def _decides(above: Any, below: Any, parts: list[str]) -> bool:
    """Return whether what is fixed above says what a varied key is, or takes away what it belongs to."""
    for part in parts:
        if not isinstance(above, dict):
            return True  # a whole stands where the key would be a part of
        if part not in above:
            return part in OF_A_COMPONENT and _is_another(above, below)
        above, below = above[part], below.get(part) if isinstance(below, dict) else None
    return True


def _is_below(dotted: str, varied: Iterable[str]) -> bool:
    return any(dotted.startswith(f"{key}.") for key in varied)


def opened_at(tree: Tree, parents: Sequence[str], refused: Callable[[str], str]) -> Tree:
    """Return what is below keys that lead into a tree, made where there is nothing yet.

    Args:
        tree: is changed: a component by its bare name becomes a mapping of it.
        parents: the keys.
        refused: what to say of a key that has something else than keys below it.

    Raises:
        InputError: there is such a key.

    """
    for parent in parents:
        below = tree.setdefault(parent, {})
        if isinstance(below, str):  # a component by its bare name
            below = tree[parent] = {"name": below}
        if not isinstance(below, dict):
            raise InputError(refused(parent))
        tree = below
    return tree
