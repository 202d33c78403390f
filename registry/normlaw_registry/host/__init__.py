"""The host's side of the contract: what finds, lists, asks and feeds plugins. A plugin imports none of it.

Discovery makes a record of each entry point, the catalogue answers by kind and name, `kinds` is the one table
of what there is, `contract` knows which versions serve which plugins.
"""

from normlaw_registry.host.catalogue import Catalogue, load_catalogue, validate_params
from normlaw_registry.host.collection import collect
from normlaw_registry.host.contract import CONTRACT_VERSION
from normlaw_registry.host.discovery import discover, inspect_plugin
from normlaw_registry.host.kinds import Kind
from normlaw_registry.host.record import PluginRecord

__all__ = [
    "CONTRACT_VERSION",
    "Catalogue",
    "Kind",
    "PluginRecord",
    "collect",
    "discover",
    "inspect_plugin",
    "load_catalogue",
    "validate_params",
]
