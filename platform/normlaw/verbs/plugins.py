"""`normlaw plugins`: what is installed, from which distribution, and what failed and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from normlaw_registry import CONTRACT_VERSION, Catalogue, Component, load_catalogue

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("kind", "name", "summary", "source", "devices", "dtypes")


def plugins() -> pd.DataFrame:
    """Return what is installed, a row a component; `normlaw plugins`.

    Columns: distribution, version, module, requires, failure, seconds (that loading the plugin took), kind,
    name, summary, source, devices, dtypes. A plugin that failed is a row without a component, its reason under
    failure.
    """
    import pandas as pd

    rows = []
    for plugin in as_dict(load_catalogue())["plugins"]:
        about = {
            key: plugin[key] for key in ("distribution", "version", "module", "requires", "failure", "seconds")
        }
        rows += [about | component for component in plugin["components"] or [dict.fromkeys(COLUMNS)]]
    return pd.DataFrame(rows)


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
                "seconds": round(record.seconds, 3),
                "components": [_component(component) for component in record.components],
            }
            for record in catalogue.records
        ],
        "duplicates": [
            {"kind": kind, "name": name, "providers": [record.provider for record in records]}
            for (kind, name), records in catalogue.duplicates().items()
        ],
    }


def _component(component: Component) -> dict[str, Any]:
    return {column: getattr(component, column) for column in COLUMNS}
