"""How an archive is cited: title, authors, licence and DOI, as `CITATION.cff` and for Zenodo."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from normlaw.study.yaml_loader import dump
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError
from normlaw_registry.errors import describe_problem

CFF, ZENODO = "CITATION.cff", ".zenodo.json"
Line = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]+$")]
PAPER = "arXiv:2505.13230"
"""The paper whose laws an archive's findings are about."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Author(_Part):
    """One author; the name as `Family, Given`, or of an institution as it is."""

    name: Line
    affiliation: Line | None = None
    orcid: Annotated[str, Field(pattern=r"^(https://orcid\.org/)?\d{4}-\d{4}-\d{4}-\d{3}[\dX]$")] | None = None


class Citation(_Part):
    """How an archive is cited; what is not said is left out of its files."""

    title: Line | None = None
    authors: tuple[Author, ...] = ()
    licence: str | None = None
    """SPDX expression, such as CC-BY-4.0."""
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/[^\s\x00-\x1f]{1,200}$")] | None = None
    abstract: Annotated[str, Field(max_length=10_000)] | None = None
    keywords: tuple[Line, ...] = ()

    @field_validator("licence")
    @classmethod
    def _spdx(cls, text: str | None) -> str | None:
        from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

        try:
            return None if text is None else str(canonicalize_license_expression(text))
        except InvalidLicenseExpression:
            raise ValueError(
                "no licence of the SPDX list; write one such as CC-BY-4.0, CC0-1.0 or MIT"
            ) from None

    @field_validator("authors", mode="before")
    @classmethod
    def _named(cls, authors: Any) -> Any:
        """Let a name alone stand for its author."""
        if not isinstance(authors, list | tuple):
            return authors
        return tuple({"name": author} if isinstance(author, str) else author for author in authors)

    def files(self, study: str) -> dict[str, str]:
        """Return the files that say it, by name."""
        title = self.title or f"Learning curves and scaling laws of the study {study}"
        return {
            CFF: self._cff(title),
            ZENODO: json.dumps(self._zenodo(title), indent=2, ensure_ascii=False) + "\n",
        }

    def _cff(self, title: str) -> str:
        """Return the file of https://citation-file-format.github.io, version 1.2.0."""
        authors = [_person(author) for author in self.authors] or [{"name": "anonymous"}]
        content = {
            "cff-version": "1.2.0",
            "message": "If you use these data, please cite them.",
            "type": "dataset",
            "title": title,
            "authors": authors,
            **({"license": self.licence} if self.licence else {}),
            **({"doi": self.doi} if self.doi else {}),
            **({"abstract": self.abstract} if self.abstract else {}),
            **({"keywords": list(self.keywords)} if self.keywords else {}),
        }
        return dump(content)

    def _zenodo(self, title: str) -> dict[str, Any]:
        """Return the metadata of https://developers.zenodo.org, of a deposit."""
        creators = [
            {
                "name": author.name,
                **({"affiliation": author.affiliation} if author.affiliation else {}),
                **({"orcid": author.orcid.removeprefix("https://orcid.org/")} if author.orcid else {}),
            }
            for author in self.authors
        ]
        return {
            "title": title,
            "upload_type": "dataset",
            "description": self.abstract or title,
            "creators": creators,
            **({"license": self.licence.lower()} if self.licence else {}),
            **({"doi": self.doi} if self.doi else {}),
            **({"keywords": list(self.keywords)} if self.keywords else {}),
            "related_identifiers": [{"identifier": PAPER, "relation": "references"}],
        }


def citation_of(file: Path | str | None, said: Mapping[str, Any]) -> Citation:
    """Return a citation from a YAML file, over which goes what is said beside it.

    Raises:
        InputError: the file cannot be read, or a value makes no sense; says where.

    """
    source = YamlSource.read(Path(file)) if file is not None else None
    content = {**(source.data if source else {}), **{k: v for k, v in said.items() if v}}
    try:
        return Citation.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        place = tuple(
            part for part in problem["loc"] if not isinstance(part, str) or not part.startswith("function")
        )
        known = list(Author.model_fields if place[0] == "authors" and len(place) > 1 else Citation.model_fields)
        dotted = ".".join(map(str, place))
        where = source.where(place) if source and not said.get(str(place[0])) else f"citation: {dotted}"
        raise InputError(f"{where}: {describe_problem(problem, known)}"[:500]) from None


def _person(author: Author) -> dict[str, str]:
    family, comma, given = author.name.partition(",")
    named = {"family-names": family.strip(), "given-names": given.strip()} if comma else {"name": author.name}
    orcid = re.sub(r"^(https://orcid\.org/)?", "https://orcid.org/", author.orcid) if author.orcid else None
    return {
        **named,
        **({"affiliation": author.affiliation} if author.affiliation and comma else {}),
        **({"orcid": orcid} if orcid else {}),
    }
