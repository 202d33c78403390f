import pytest

from normlaw_registry import (
    Catalogue,
    Dataset,
    DuplicateComponentError,
    Theory,
    UnknownComponentError,
    load_catalogue,
)
from normlaw_registry.host import PluginRecord


def dataset(name: str) -> Dataset:
    return Dataset(name=name, summary="Some data", load=lambda params, context: pytest.fail("never loaded"))


def record(distribution: str, *components, failure: str | None = None) -> PluginRecord:
    return PluginRecord(
        name="data",
        module=f"{distribution}.data",
        distribution=distribution,
        version="1.0",
        components=components,
        failure=failure,
    )


def test_a_component_is_found_by_kind_and_name() -> None:
    one, two = dataset("one"), dataset("two")
    mine = record("mine", one)
    catalogue = Catalogue.of([mine, record("yours", two)])
    assert catalogue.names(Dataset) == ["one", "two"]
    assert catalogue.names(Theory) == []
    assert catalogue.get(Dataset, "two") is two
    assert catalogue.provider(Dataset, "one") is mine


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownComponentError, match=r"unknown dataset 'digit': did you mean digits\?$"):
        Catalogue.of([record("mine", dataset("digits"))]).get(Dataset, "digit")


def test_a_name_of_another_kind_is_unknown() -> None:
    with pytest.raises(UnknownComponentError, match="unknown theory 'digits': known: none"):
        Catalogue.of([record("mine", dataset("digits"))]).get(Theory, "digits")


def test_an_unknown_name_shows_the_plugins_that_failed_and_why() -> None:
    broken = record("theirs", failure="ModuleNotFoundError: No module named 'jax'")
    with pytest.raises(UnknownComponentError) as caught:
        Catalogue.of([record("mine", dataset("digits")), broken]).get(Dataset, "shapes")
    message = str(caught.value)
    assert "theirs 1.0 (entry point 'data', module theirs.data): ModuleNotFoundError" in message
    assert "mine 1.0" not in message


def test_a_name_claimed_twice_is_an_error_only_when_it_is_asked_for() -> None:
    catalogue = Catalogue.of([record("mine", dataset("one"), dataset("two")), record("yours", dataset("one"))])
    assert catalogue.get(Dataset, "two").name == "two"
    for ask in (catalogue.get, catalogue.provider):
        with pytest.raises(DuplicateComponentError) as caught:
            ask(Dataset, "one")
        assert "mine 1.0" in str(caught.value)
        assert "yours 1.0" in str(caught.value)
    ((key, providers),) = catalogue.duplicates().items()
    assert key == ("dataset", "one")
    assert [provider.distribution for provider in providers] == ["mine", "yours"]


def test_the_installed_catalogue_is_loaded_once() -> None:
    assert load_catalogue() is load_catalogue()


def test_a_fresh_catalogue_knows_nothing_else(fresh_catalogue) -> None:
    assert fresh_catalogue().names(Dataset) == []
    assert load_catalogue().names(Dataset) != []
