"""What is installed and what ships, as rows in JSON's own types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from normlaw.study.spec import RunSpec
from normlaw.study.study import at_scale, expand, find_study, parse_study, shipped_studies
from normlaw_registry import CONTRACT_VERSION, Catalogue, Component, load_catalogue


def as_dict(catalogue: Catalogue) -> dict[str, Any]:
    """Return the whole catalogue: the contract, the plugins with their components, and names claimed twice."""
    return {
        "contract": CONTRACT_VERSION,
        "plugins": [
            {
                "name": record.name,
                "module": record.module,
                "distribution": record.distribution,
                "version": record.version,
                "requires": record.requires,
                "failure": record.failure,
                "components": [_component(component) for component in record.components],
            }
            for record in catalogue.records
        ],
        "duplicates": [
            {"kind": kind, "name": name, "providers": [record.provider for record in records]}
            for (kind, name), records in catalogue.duplicates().items()
        ],
    }


def component_rows(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return a row a component; one without a component for a plugin that failed."""
    rows = []
    for plugin in as_dict(catalogue)["plugins"]:
        about = {key: plugin[key] for key in ("distribution", "version", "module", "requires", "failure")}
        rows += [about | component for component in plugin["components"] or [dict.fromkeys(COLUMNS)]]
    return rows


COLUMNS = ("kind", "name", "summary", "source", "devices", "dtypes")


def _component(component: Component) -> dict[str, Any]:
    return {column: getattr(component, column) for column in COLUMNS}


def study_rows(names: Sequence[str]) -> Iterator[tuple[dict[str, Any], list[RunSpec]]]:
    """Yield each study (none named: the shipped ones) in each of its scales, with its runs."""
    for name in names or tuple(shipped_studies()):
        whole = find_study(name)
        for scale in (None, *parse_study(whole).scales):
            source = whole if scale is None else at_scale(whole, scale)
            study = parse_study(source)
            specs = expand(study, load_catalogue(), source)
            steps = sum(spec.total_steps for spec in specs)
            row = {"name": name, "scale": scale, "runs": len(specs), "steps": steps}
            yield {**row, "description": study.description}, specs
