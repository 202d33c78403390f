"""`extends`: a study that says only in what it differs from another one."""

from __future__ import annotations

from pathlib import Path

from normlaw.study.layers import laid_over
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

SHIPPED = Path(__file__).parent / "shipped"
KEY = "extends"
ENDINGS = (".yaml", ".yml")


def shipped_studies() -> dict[str, Path]:
    """Return the studies that come with normlaw: name -> file."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def read_whole(path: Path) -> YamlSource:
    """Return a study's file, laid over the study that it extends, if it extends one.

    Raises:
        InputError: a file cannot be read, or extends what is not there, or in the end itself.

    """
    return _laid_over_parents(YamlSource.read(path), path.parent, (path.resolve(),))


def whole(source: YamlSource, folder: Path) -> YamlSource:
    """Return a study that no file holds, laid over the study that it extends, whose path begins in `folder`.

    Raises:
        InputError: as `read_whole` does.

    """
    return _laid_over_parents(source, folder, ())


def _laid_over_parents(source: YamlSource, folder: Path, chain: tuple[Path, ...]) -> YamlSource:
    if KEY not in source.data:
        return source
    where = source.where([KEY])
    path = _named(source.data[KEY], folder, where)
    if path.resolve() in chain:
        names = " extends ".join(one.name for one in (*chain[chain.index(path.resolve()) :], path))
        raise InputError(f"{where}: goes in a circle: {names}")
    if "name" not in source.data:
        raise InputError(f"{where}: a study that extends another one needs a `name` of its own")
    parent = _laid_over_parents(YamlSource.read(path), path.parent, (*chain, path.resolve()))
    own = {key: value for key, value in source.data.items() if key != KEY}
    return parent.with_above(source, laid_over(parent.data, own), source.name)


def _named(value: object, folder: Path, where: str) -> Path:
    """Return the file of the study that `extends` names."""
    if not isinstance(value, str) or not value:
        what = "give the name of a shipped study, or the path of a file as seen from this one"
        raise InputError(f"{where}: {what}, got {brief(value)}")
    if value.endswith(ENDINGS):
        path = folder / value
        if not path.is_file():
            near = [one.name for one in folder.glob("*") if one.suffix in ENDINGS]
            raise InputError(f"{where}: there is no file {brief(str(path))[1:-1]}: {suggestion(value, near)}")
        return path
    shipped = shipped_studies()
    if value not in shipped:
        raise InputError(
            f"{where}: no study {brief(value)} comes with normlaw: {suggestion(value, list(shipped))} "
            "(a study of your own is named by the path of its YAML file)"
        )
    return shipped[value]
