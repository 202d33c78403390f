"""What stands at a place from which curves are imported."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from normlaw.archiving.container import is_container
from normlaw.elsewhere.event_file import PART
from normlaw.elsewhere.folders import has
from normlaw.elsewhere.lightning import FILE
from normlaw_registry import InputError
from normlaw_registry.errors import brief, suggestion

Kind = Literal["table", "archive", "lightning", "tensorboard", "mlflow", "store"]
"""A CSV or Parquet file, an archive of normlaw's, folders of Lightning's and TensorBoard's logs, an experiment
of MLflow that anyone logged, and one that normlaw did."""
KINDS: tuple[str, ...] = get_args(Kind)
URIS = ("http://", "https://", "sqlite:", "postgresql", "mysql", "mssql", "databricks", "file:")
"""How the URI of an MLflow store begins."""
SQLITE = b"SQLite format 3\0"


def kind_of(source: str) -> Kind | Literal["server"]:
    """Return what is at a path or URI; `server` where an MLflow store has to say whose runs it holds.

    Raises:
        InputError: there is nothing, or a folder without logs of a kind that is known.

    """
    if source.startswith(URIS):
        return "server"
    path = Path(source)
    if path.is_dir():
        if has(path, PART):
            return "tensorboard"
        if has(path, FILE):
            return "lightning"
        raise InputError(f"{path} holds neither TensorBoard's event files nor {FILE} of Lightning's CSVLogger")
    if is_container(path):
        return "archive"
    return "server" if _head(path) == SQLITE else "table"


def checked_kind(text: str) -> Kind:
    """Return a kind that is asked for.

    Raises:
        InputError: there is none of that name.

    """
    if text not in KINDS:
        raise InputError(f"no kind of source {brief(text)}: {suggestion(text, KINDS)}")
    return text  # type: ignore[return-value]


def store_uri(source: str) -> str:
    """Return the URI of an MLflow store, given it or the path of an SQLite file."""
    return source if source.startswith(URIS) else f"sqlite:///{Path(source).absolute()}"


def _head(path: Path) -> bytes:
    """Return the first bytes of a file; of a pipe, or what cannot be read, none: its reader says so."""
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE))
    except OSError:
        return b""
