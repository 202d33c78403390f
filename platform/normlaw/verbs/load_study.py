"""`normlaw.load_study`: a study by its name, from a file, or made in Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from normlaw.study.named import find_study
from normlaw.study.overrides import with_overrides
from normlaw.study.parents import whole
from normlaw.study.study import Study, at_scale, parse_study
from normlaw.study.yaml_source import YamlSource

AnyStudy = str | Path | Mapping[str, Any] | Study
"""What stands for a study: a shipped one's name, the path of a file, what such a file holds, or a study."""


def load_study(
    study: AnyStudy, *, scale: str | None = None, overrides: Mapping[str, Any] | None = None
) -> Study:
    """Return a study.

    Args:
        study: a shipped study's name, the path of a YAML file, or what such a file holds as a mapping.
        scale: a variant of it in another size, such as 'small'.
        overrides: values that go over the study's, by dotted keys: `{"optimizer.learning_rate": 0.01}`; see
            `normlaw run --set`.

    Raises:
        InputError: there is none, or it is wrong; says where, and the nearest valid names.

    """
    return loaded(study, scale, overrides or {}, "overrides")


def loaded(study: AnyStudy, scale: str | None, overrides: Mapping[str, Any], what: str) -> Study:
    """Do what `load_study` does; `what` is what messages call the overrides."""
    if isinstance(study, Study):
        found = study
    elif isinstance(study, Mapping):
        source = YamlSource.of(dict(study), str(study.get("name", "study")))
        found = parse_study(whole(source, Path()))
    else:
        found = find_study(str(study))
    found = found if scale is None else at_scale(found, scale)
    return with_overrides(found, overrides, what)


def name_of(study: str | Study) -> str:
    """Return the name of a study that MLflow has, given it or the study."""
    return study.name if isinstance(study, Study) else study
