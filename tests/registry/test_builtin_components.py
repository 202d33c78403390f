"""Every component that normlaw ships keeps the contract that it asks of others."""

import pytest

from normlaw_registry import Component, Dataset, InputError, LoadContext, load_catalogue
from normlaw_registry.testing import check_component

COMPONENTS = [
    component
    for record in load_catalogue().records
    if record.distribution == "normlaw"
    for component in record.components
]


def test_the_built_ins_load() -> None:
    built_in = [record for record in load_catalogue().records if record.distribution == "normlaw"]
    assert {record.name: record.failure for record in built_in} == dict.fromkeys(
        ("architectures", "complexity", "datasets", "fitters", "theories")
    )


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: f"{component.kind}-{component.name}")
def test_a_built_in_keeps_the_contract(component: Component, tmp_path) -> None:
    if any(field.is_required() for field in component.params.model_fields.values()):
        pytest.skip("needs parameters of its own: its own test runs the battery with them")
    if isinstance(component, Dataset) and (refusal := missing_files(component, tmp_path)):
        # Its files are downloaded by users; its own test brings small ones.
        assert str(tmp_path) in refusal
        return
    check_component(component)


def missing_files(dataset: Dataset, folder) -> str | None:
    """Return how the data set refuses an empty folder, or None when it needs no files."""
    try:
        dataset.load(dataset.params(), LoadContext(seed=0, train_size=8, folder=folder))
    except InputError as error:
        return str(error)
    return None
