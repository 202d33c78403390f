"""`normlaw.load_study`: a study by its name, from a file, or made in Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from normlaw.study.named import find_study
from normlaw.study.study import Study, at_scale, parse_study
from normlaw.study.yaml_source import YamlSource

AnyStudy = str | Path | Mapping[str, Any] | Study
"""What stands for a study: a shipped one's name, the path of a file, what such a file holds, or a study."""


def load_study(study: AnyStudy, *, scale: str | None = None) -> Study:
    """Return a study.

    Args:
        study: a shipped study's name, the path of a YAML file, or what such a file holds as a mapping.
        scale: a variant of it in another size, such as 'small'.

    Raises:
        InputError: there is none, or it is wrong; says where, and the nearest valid names.

    """
    if isinstance(study, Study):
        found = study
    elif isinstance(study, Mapping):
        found = parse_study(YamlSource.of(dict(study), str(study.get("name", "study"))))
    else:
        found = find_study(str(study))
    return found if scale is None else at_scale(found, scale)


def name_of(study: str | Study) -> str:
    """Return the name of a study that MLflow has, given it or the study."""
    return study.name if isinstance(study, Study) else study
