import types
from importlib.metadata import EntryPoint, distributions

import pytest

from normlaw_registry import Dataset, InvalidComponentError, Theory, hookimpl, hookspecs
from normlaw_registry.host import collect, discover, inspect_plugin


def dataset(name: str) -> Dataset:
    return Dataset(name=name, summary="Some data", load=lambda params, context: pytest.fail("never loaded"))


def module(**functions) -> types.ModuleType:
    made = types.ModuleType("some_plugin")
    vars(made).update(functions)
    return made


def test_a_plugin_may_be_an_object_with_methods() -> None:
    class Plugin:
        def __init__(self, names):
            self.names = names

        @hookimpl
        def normlaw_datasets(self):
            return map(dataset, self.names)

    assert [component.name for component in collect(Plugin(["one", "two"]))] == ["one", "two"]


def test_a_plugin_may_give_one_kind_from_several_functions() -> None:
    @hookimpl
    def normlaw_datasets():
        return [dataset("one")]

    @hookimpl(specname="normlaw_datasets")
    def from_my_catalogue():
        return [dataset("two")]

    plugin = module(normlaw_datasets=normlaw_datasets, from_my_catalogue=from_my_catalogue)
    assert {component.name for component in collect(plugin)} == {"one", "two"}


def test_components_come_in_the_order_of_the_hooks() -> None:
    @hookimpl
    def normlaw_theories():
        yield Theory(name="hebb", summary="Hebb", predict=lambda params, alphas, norms: [])

    @hookimpl
    def normlaw_datasets():
        yield dataset("one")

    plugin = module(normlaw_theories=normlaw_theories, normlaw_datasets=normlaw_datasets)
    assert [component.kind for component in collect(plugin)] == ["dataset", "theory"]


def test_reading_a_plugin_runs_none_of_its_other_code() -> None:
    class Plugin:
        @property
        def expensive(self):
            raise AssertionError("read")

        @hookimpl
        def normlaw_datasets(self):
            return [dataset("one")]

    assert len(collect(Plugin())) == 1


def test_a_hookspec_that_a_plugin_imports_is_no_hook_of_its_own() -> None:
    @hookimpl(specname="normlaw_datasets")
    def mine():
        return [dataset("one")]

    assert len(collect(module(mine=mine, normlaw_fitters=hookspecs.normlaw_fitters))) == 1


def test_one_name_twice_in_one_plugin_is_refused() -> None:
    @hookimpl
    def normlaw_datasets():
        return [dataset("one"), dataset("one")]

    with pytest.raises(InvalidComponentError, match="two components of the name 'one'"):
        collect(module(normlaw_datasets=normlaw_datasets))


def test_one_name_for_two_kinds_is_fine() -> None:
    @hookimpl
    def normlaw_datasets():
        return [dataset("perceptron")]

    @hookimpl
    def normlaw_theories():
        return [Theory(name="perceptron", summary="Replica", predict=lambda params, alphas, norms: [])]

    plugin = module(normlaw_datasets=normlaw_datasets, normlaw_theories=normlaw_theories)
    assert len(collect(plugin)) == 2


def test_a_wrapper_is_refused() -> None:
    @hookimpl(wrapper=True)
    def normlaw_datasets():
        return (yield)

    with pytest.raises(InvalidComponentError, match="marked as a wrapper"):
        collect(module(normlaw_datasets=normlaw_datasets))


@pytest.mark.parametrize("result", [None, 3, dataset("alone")], ids=["none", "number", "component"])
def test_a_hook_returns_an_iterable(result) -> None:
    @hookimpl
    def normlaw_datasets():
        return result

    with pytest.raises(InvalidComponentError, match="return an iterable of Dataset"):
        collect(module(normlaw_datasets=normlaw_datasets))


def test_a_function_that_only_looks_like_a_hook_is_refused() -> None:
    def normlaw_dataset():
        return []

    with pytest.raises(InvalidComponentError, match=r"no hook's name.*did you mean normlaw_datasets"):
        collect(module(normlaw_dataset=normlaw_dataset))


class Panic(BaseException):
    """What a panic of a Rust extension looks like: no Exception."""


def test_a_failure_that_is_no_exception_is_isolated() -> None:
    @hookimpl
    def normlaw_datasets():
        raise Panic("index out of bounds")

    record = inspect_plugin(module(normlaw_datasets=normlaw_datasets))
    assert record.components == ()
    assert record.failure is not None
    assert record.failure.startswith("Panic: index out of bounds (")
    assert "test_discovery.py" in record.failure


def test_an_interrupt_is_the_users_own() -> None:
    @hookimpl
    def normlaw_datasets():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inspect_plugin(module(normlaw_datasets=normlaw_datasets))


def test_an_entry_point_without_a_distribution_is_a_record() -> None:
    (record,) = discover([EntryPoint(name="lost", value="a_module_that_is_nowhere", group="normlaw")])
    assert record.provider == "(none) (entry point 'lost', module a_module_that_is_nowhere)"
    assert record.failure is not None
    assert "ModuleNotFoundError" in record.failure


def test_an_entry_point_that_cannot_be_read_is_a_record() -> None:
    (record,) = discover([EntryPoint(name="odd", value="not a module!", group="normlaw")])
    assert record.failure


def test_a_distribution_without_metadata_is_a_record(tmp_path) -> None:
    info = tmp_path / "damaged-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[normlaw]\nlost = a_module_that_is_nowhere\n")
    (installed,) = distributions(path=[str(tmp_path)])
    (record,) = discover(installed.entry_points)
    assert record.distribution == "(none)"
    assert record.failure is not None
