"""`normlaw archive`: a study as one file that a paper can cite."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from normlaw.base.html import paragraph
from normlaw.study.study import Study
from normlaw.verbs.load_study import name_of
from normlaw_registry import InputError

ENDING = ".normlaw.zip"
README = """# The study {study}

Learning curves and findings of the study {study}, as normlaw {version} archived them. The laws:
https://arxiv.org/abs/2505.13230

| file | what it holds |
|---|---|
| `curves.parquet` | every measuring point: run, train_size, seed, step, errors, losses, log_norm/MEASURE |
| `runs.jsonl` | a line for each run, in the order of the curves: parameters, specification, versions, layers |
| `study.json` | the study's norm and how its laws are fitted |
| `findings/` | the latest analyses: exponents with their errors, tables, figures, reports |
| `CITATION.cff`, `.zenodo.json` | title, authors, licence |
| `manifest.json` | size and SHA-256 of each file |

Errors are fractions, and log_norm is the natural logarithm of a norm. `normlaw analyse --curves FILE` fits the
laws again, and `normlaw import FILE --study NAME` logs the runs to MLflow.
"""


@dataclass(frozen=True)
class Archived:
    """What was written."""

    path: Path
    runs: int
    findings: tuple[str, ...]
    """Names of the analyses in it; none where the study was not analysed."""
    bytes: int

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return paragraph(f"{self.path}: {self.runs} runs, {len(self.findings)} analyses, {self.bytes:,} bytes")


def archive(
    study: str | Study,
    to: Path | str | None = None,
    *,
    citation: Path | str | None = None,
    title: str | None = None,
    authors: Sequence[str] = (),
    licence: str | None = None,
    doi: str | None = None,
    tracking_uri: str | None = None,
) -> Archived:
    """Write a study as one file that a paper can cite; `normlaw archive`.

    It holds the curves of all finished runs as Parquet, their specifications and versions, the latest analyses
    with their figures, how to cite it, and the checksum of each part. `analyse`, `fit` and `predict` take it as
    they take a file of curves, and `import_curves` reads it back. The same study gives the same bytes.

    Args:
        study: a study or its name.
        to: the file; default: STUDY.normlaw.zip. An earlier archive is replaced.
        citation: a YAML file with title, authors (name, affiliation, orcid), licence, doi, abstract, keywords.
        title: of the archive; it goes over the file's, as do those below.
        authors: names, `Family, Given` each.
        licence: SPDX expression, such as CC-BY-4.0.
        doi: such as 10.5281/zenodo.1234.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no such study, no finished runs, a citation that makes no sense, or a file that is something
            else or cannot be written.

    """
    from normlaw.archiving.citation import citation_of
    from normlaw.archiving.container import is_container, write_container
    from normlaw.tracking.archive_filling import fill_archive
    from normlaw.tracking.client import connect
    from normlaw.tracking.reader import find_experiment

    said = {"title": title, "authors": list(authors), "licence": licence, "doi": doi}
    cited = citation_of(citation, said)
    name = name_of(study)
    path = Path(to) if to is not None else Path(f"{name}{ENDING}")
    if path.exists() and not is_container(path):
        raise InputError(f"{path} exists and is no archive: choose another file")
    client = connect(tracking_uri, "read")
    experiment = find_experiment(client, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".archive-") as place:
            folder = Path(place)
            filled = fill_archive(client, experiment, folder)
            texts = {"README.md": README.format(study=name, version=version("normlaw")), **cited.files(name)}
            for file, text in texts.items():
                (folder / file).write_text(text, encoding="utf-8")
            write_container(path, folder, name, version("normlaw"))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return Archived(path, filled.runs, filled.findings, path.stat().st_size)
