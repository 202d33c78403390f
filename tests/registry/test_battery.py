"""The battery finds every breach that it promises to find: a check that cannot fail would be worth nothing."""

import math
from dataclasses import dataclass, replace
from math import log
from typing import Any

import pytest
import torch
from torch import nn

from normlaw_registry import (
    AnalysisProtocol,
    AnalysisWarning,
    Architecture,
    Axis,
    ComplexityMeasure,
    Dataset,
    Estimate,
    Findings,
    Fitter,
    InputError,
    InvalidComponentError,
    LinearMap,
    MeasuredValue,
    NormlawError,
    Observable,
    Params,
    Prediction,
    Reference,
    Split,
    Splits,
    Task,
    Theory,
    UnknownComponentError,
)
from normlaw_registry.testing import check_component

FLAT = Task(input_shape=(6,), num_classes=3)


def refused(component, message: str, **options) -> None:
    with pytest.raises(InvalidComponentError) as caught:
        check_component(component, **options)
    assert component.name in str(caught.value)
    assert message in str(caught.value)


# Architectures


def architecture(build, **fields) -> Architecture:
    return Architecture(name="linear", summary="One layer", build=build, **fields)


def linear(params, task):
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(task.input_shape), task.num_outputs))


class Wrapped(nn.Module):
    """A linear layer whose output is changed by `change(output, module)`."""

    def __init__(self, task, change, **extra):
        super().__init__()
        self.layer = linear(None, task)
        self.change = change
        for name, module in extra.items():
            setattr(self, name, module)

    def forward(self, inputs):
        return self.change(self.layer(inputs), self)


def wrapped(change, **extra):
    return lambda params, task: Wrapped(task, change, **extra)


def narrow(params, task):
    if task.num_classes != 3:
        raise InputError("three classes only")
    return linear(params, task)


DRAWN_ELSEWHERE = torch.Generator().manual_seed(0)


def drawn_elsewhere(params, task):
    network = linear(params, task)
    with torch.no_grad():
        network[1].weight.normal_(generator=DRAWN_ELSEWHERE)
    return network


def test_a_good_architecture_passes() -> None:
    check_component(architecture(linear, linear_maps=lambda network, task: [dense(network[1].weight)]))


def dense(weight, name="fc") -> LinearMap:
    return LinearMap(name=name, operation="dense", weight=weight.detach())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda params, task: 3, "must return an nn.Module"),
        (lambda params, task: nn.Flatten(), "no parameters to train"),
        (lambda params, task: linear(params, task).double(), "must be float32"),
        (lambda params, task: linear(params, task).to("meta"), "on the CPU"),
        (drawn_elsewhere, "differs between two builds"),
        (
            lambda params, task: nn.Sequential(linear(params, task), nn.Unflatten(1, (-1, 1))),
            "the output must be",
        ),
        (wrapped(lambda out, _: out.double()), "output must be float32"),
        (wrapped(lambda out, _: out / 0), "not finite"),
        (wrapped(lambda out, _: out + torch.rand(1)), "two forward passes in evaluation mode differ"),
        (wrapped(lambda out, _: out - out.mean(0)), "depends on the other examples"),
        (wrapped(lambda out, _: out, unused=nn.Linear(2, 2)), "no gradient reaches unused.weight"),
        (wrapped(lambda out, _: out * 0), "every gradient is zero"),
        (wrapped(lambda out, _: (out - out.detach()).sqrt() + 1), "is not finite"),
    ],
)
def test_a_network_that_breaks_the_contract_is_found(build, message) -> None:
    refused(architecture(build), message)


def test_a_preset_is_run_too() -> None:
    class Scale(Params):
        scale: float = 1.0

    def build(params, task):
        return Wrapped(task, lambda out, _: out * params.scale)

    scaled = Architecture(
        name="scaled", summary="Scaled", params=Scale, build=build, presets={"huge": {"scale": 1e300}}
    )
    refused(scaled, "not finite")


def test_an_architecture_that_serves_no_task_asks_for_one() -> None:
    refused(architecture(narrow), "with its parameters it serves none of")
    check_component(architecture(narrow), tasks=[FLAT])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layer_rules": lambda: {"Linear": None}}, "subclasses of nn.Module"),
        ({"linear_maps": lambda network, task: []}, "non-empty sequence of LinearMap"),
        ({"linear_maps": lambda network, task: [network[1].weight]}, "non-empty sequence of LinearMap"),
        ({"linear_maps": lambda network, task: [dense(network[1].weight)] * 2}, "one name twice"),
    ],
)
def test_linear_maps_of_its_own_are_checked(fields, message) -> None:
    refused(architecture(linear, **fields), message)


# Data sets


def splits(generator: torch.Generator | None, train_size: int = 40, **changes) -> Splits:
    inputs = torch.stack([torch.randn(6, generator=generator) for _ in range(20 + train_size)])
    labels = torch.arange(train_size + 20) % 3
    fields: dict[str, Any] = {
        "task": FLAT,
        "train": Split(inputs=inputs[20:], labels=labels[20:]),
        "test": Split(inputs=inputs[:20], labels=labels[:20]),
    }
    return Splits(**{**fields, **changes})


def seeded_with(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dataset(load, **fields) -> Dataset:
    return Dataset(name="points", summary="Points", load=load, **fields)


def fixed(**changes) -> Dataset:
    return dataset(lambda params, context: splits(seeded_with(0), **changes))


def from_seed(params, context):
    return splits(seeded_with(context.seed), context.train_size)


def test_a_good_dataset_passes() -> None:
    check_component(fixed())
    check_component(dataset(from_seed, seeded=True), train_size=10)


def relabelled(**changes) -> Split:
    split = splits(seeded_with(0)).train
    return replace(split, **{name: change(getattr(split, name)) for name, change in changes.items()})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": relabelled(inputs=lambda x: x.double())}, "must be uint8 (scaled on the fly) or float32"),
        ({"train": relabelled(inputs=lambda x: x[:, :5])}, "must have the shape (n, 6)"),
        ({"train": relabelled(inputs=lambda x: x / 0)}, "are not all finite"),
        ({"train": relabelled(labels=lambda y: y.int())}, "must be int64"),
        ({"train": relabelled(labels=lambda y: y[:, None])}, "must be int64 of shape (n,)"),
        ({"train": relabelled(labels=lambda y: y + 1)}, "must lie in [0, 3), got 1 to 3"),
        ({"train": relabelled(labels=lambda y: y - 1)}, "must lie in [0, 3), got -1 to 1"),
        ({"train": relabelled(labels=lambda y: y * 0)}, "all the same class"),
        ({"test": relabelled(inputs=lambda x: x[:0], labels=lambda y: y[:0])}, "`test` is empty"),
        ({"test": None}, "`test` must be a Split"),
        ({"validation": relabelled(labels=lambda y: y + 1)}, "`validation.labels` must lie in"),
        ({"mean": (0.0, 0.0)}, "`mean` must hold one value"),
        ({"unit": 3}, "`unit` must be a line of at most 200 characters, got 3"),
        ({"fingerprint": "two\nlines"}, "`fingerprint` must be a line"),
        ({"std": (0.0,)}, "`std` must be positive"),
        ({"population_error": lambda network: 1.5}, "`population_error` must return"),
    ],
)
def test_data_that_break_the_contract_are_found(changes, message) -> None:
    refused(fixed(**changes), message)


class Unsteady:
    """Gives other data at every call."""

    def __init__(self):
        self.generator = seeded_with(0)

    def __call__(self, params, context):
        return splits(self.generator)


def not_nested(params, context):
    return splits(seeded_with(context.seed + 1000 * context.train_size), context.train_size)


def moving_test(params, context):
    train = from_seed(params, context).train
    test = splits(seeded_with(1000 * context.seed + context.train_size)).test
    return splits(seeded_with(context.seed), train=train, test=test)


@pytest.mark.parametrize(
    ("load", "fields", "message"),
    [
        (lambda params, context: None, {}, "must return Splits"),
        (lambda params, context: splits(None), {}, "changes torch's global generator"),
        (lambda params, context: splits(seeded_with(torch.initial_seed())), {}, "two loads differ"),
        (Unsteady(), {}, "two loads differ"),
        (from_seed, {}, "declare seeded=True"),
        (lambda params, context: splits(seeded_with(0)), {"seeded": True}, "do not change with context.seed"),
        (lambda params, context: splits(seeded_with(context.seed), 10), {"seeded": True}, "asked for 64"),
        (not_nested, {"seeded": True}, "not the first of more"),
        (moving_test, {"seeded": True}, "test examples change with context.train_size"),
    ],
)
def test_a_way_of_loading_that_breaks_the_contract_is_found(load, fields, message) -> None:
    refused(dataset(load, **fields), message)


# Complexity measures


NO_FLOAT: Any = torch.tensor(1.0)
NO_EXACTNESS: Any = "sharp"


def measure(function, **fields) -> ComplexityMeasure:
    return ComplexityMeasure(name="some_norm", summary="A norm", measure=function, **fields)


def log_frobenius(context) -> float:
    return 0.5 * log(sum(float((m.weight**2).sum()) for m in context.linear_maps))


def frobenius(params, context):
    return MeasuredValue(log_value=log_frobenius(context))


def dense_only(params, context):
    if any(m.operation != "dense" for m in context.linear_maps):
        raise InputError("dense layers only")
    return frobenius(params, context)


def moved(params, context):
    return MeasuredValue(
        log_value=log(sum(context.moved_entry_norms(m).frobenius for m in context.linear_maps))
    )


def initial(params, context):
    return MeasuredValue(log_value=log(sum(float(m.weight.norm()) for m in context.initial_linear_maps)))


def after(effect):
    def function(params, context):
        value = frobenius(params, context)
        effect(context.network)
        return value

    return function


def backward(network):
    sum(weight.sum() for weight in network.parameters()).backward()


def scale(network):
    with torch.no_grad():
        next(network.parameters()).mul_(2)


def of_layers(context, name=lambda m: m.name) -> dict[str, float]:
    return {name(m): log(float(m.weight.norm())) for m in context.linear_maps}


def spectra_of(context) -> dict[str, list[float]]:
    return {m.name: torch.linalg.svdvals(m.matrix().double()).tolist() for m in context.linear_maps}


count = iter(map(float, range(1000)))


def in_parts(make):
    return lambda params, context: MeasuredValue(log_value=log_frobenius(context), parts=make(context))


def in_spectra(make):
    return lambda params, context: MeasuredValue(log_value=log_frobenius(context), spectra=make(context))


@pytest.mark.parametrize(
    ("function", "gives", "message"),
    [
        (in_parts(of_layers), (), "does not say so: ComplexityMeasure(..., gives=('parts',))"),
        (in_spectra(spectra_of), ("parts",), "says that it gives parts, and gives none"),
        (frobenius, ("spectra",), "says that it gives spectra, and gives none"),
        (in_parts(lambda context: {"a": 1}), ("parts",), "must be a finite float"),
        (in_parts(lambda context: {"a": math.inf}), ("parts",), "must be a finite float"),
        (
            in_parts(lambda context: {"a/b": 1.0, "a b": 2.0}),
            ("parts",),
            "both called 'some_norm.a_b' at MLflow",
        ),
        (in_parts(lambda context: {"x" * 200: 1.0}), ("parts",), "has over 180 characters"),
        (in_spectra(lambda context: {"a": [1.0, 2.0]}), ("spectra",), "the largest first"),
        (in_spectra(lambda context: {"a": [-1.0]}), ("spectra",), "finite floats of at least 0"),
        (in_spectra(lambda context: {"a": []}), ("spectra",), "must hold singular values"),
        (
            in_parts(lambda context: of_layers(context, lambda m: f"{float(m.weight.norm()):g}")),
            ("parts",),
            "with other weights it has other parts",
        ),
        (
            in_parts(lambda context: {"a": next(count)}),
            ("parts",),
            "differ in their parts or spectra",
        ),
    ],
)
def test_a_vector_that_breaks_the_contract_is_found(function, gives, message) -> None:
    refused(measure(function, gives=gives), message)


@pytest.mark.parametrize("gives", [("layers",), "parts", None])
def test_what_a_measure_gives_is_one_of_two_vectors(gives) -> None:
    with pytest.raises(InvalidComponentError, match="`gives` is a tuple of parts and spectra"):
        measure(frobenius, gives=gives)


def test_a_good_measure_passes() -> None:
    check_component(measure(in_parts(of_layers), gives=("parts",)))
    check_component(measure(in_spectra(spectra_of), gives=("spectra",)))
    check_component(measure(frobenius))
    check_component(measure(dense_only))
    check_component(measure(moved, needs_initial=lambda params: True))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda params, context: log_frobenius(context), "must return MeasuredValue"),
        (lambda params, context: MeasuredValue(log_value=math.nan), "must be a finite float"),
        (lambda params, context: MeasuredValue(log_value=NO_FLOAT), "must be a finite float"),
        (
            lambda params, context: MeasuredValue(log_value=1.0, exactness=NO_EXACTNESS),
            "`exactness` must be one of",
        ),
        (lambda params, context: MeasuredValue(log_value=1.0, tolerance=0.0), "`tolerance` must be"),
        (lambda params, context: MeasuredValue(log_value=1.0, layers={"fc": {"norm": 1}}), "must be a float"),
        (lambda params, context: MeasuredValue(log_value=1.0), "have different norms: read"),
        (after(scale), "changes the weights"),
        (after(backward), "changes the gradients"),
        (after(lambda network: torch.rand(1)), "changes the generator"),
        (after(lambda network: network.train()), "changes the mode"),
        (moved, "needs_initial"),
        (initial, "needs_initial"),
    ],
)
def test_a_measure_that_breaks_the_contract_is_found(function, message) -> None:
    refused(measure(function), message)


def test_a_measure_that_is_never_the_same_is_found() -> None:
    draws = seeded_with(0)
    noisy = measure(lambda params, context: MeasuredValue(log_value=float(torch.rand(1, generator=draws))))
    refused(noisy, "two measurements of the same weights differ")


def test_a_measure_that_serves_no_network_asks_for_one() -> None:
    def deep_only(params, context):
        if len(context.linear_maps) < 9:
            raise InputError("nine layers at least")
        return frobenius(params, context)

    refused(measure(deep_only), "serves none of the networks")
    network = nn.Sequential(*(nn.Linear(6, 6) for _ in range(9)))
    check_component(measure(deep_only), networks=[(network, FLAT)])


# Fitters


@dataclass
class Line:
    """An ordinary line with switches to break it."""

    points: Any
    sign: float = -1.0
    response: str = "log_error"
    unnatural: float = 1.0

    def __post_init__(self):
        import statsmodels.api as sm

        self.results = sm.OLS(self.points[self.response] * self.unnatural, self.design(self.points)).fit()
        self.params, self.bse, self.nobs = self.results.params, self.results.bse, len(self.points)

    def design(self, points):
        import numpy as np
        import pandas as pd

        return pd.DataFrame({"gamma_meas": self.sign * np.log(points["train_size"]), "log_k": 1.0})

    def conf_int(self, alpha=0.05):
        return self.results.conf_int(alpha)

    def predict(self, points):
        return self.results.predict(self.design(points)).to_numpy()

    def summary(self):
        return str(self.results.summary())

    def to_dict(self):
        return {"params": self.params.to_dict(), "nobs": self.nobs}


def endpoint(make=Line, least: int = 3) -> Fitter:
    def fit(points, params):
        if len(points) < least:
            raise InputError(f"at least {least} points")
        return make(points)

    return Fitter(name="line", summary="A line", law="endpoint_law", fit=fit)


def broken(**members):
    return type("BrokenLine", (Line,), members)


class Swapped(Line):
    def conf_int(self, alpha=0.05):
        return self.results.conf_int(alpha)[[1, 0]].set_axis([0, 1], axis=1)


class Unnamed(Line):
    def __post_init__(self):
        super().__post_init__()
        self.params = self.params.rename({"gamma_meas": "gamma"})


class Overconfident(Line):
    def __post_init__(self):
        super().__post_init__()
        self.bse = self.bse * 1e-6


def spoil(points):
    points["log_error"] *= 2
    return Line(points.assign(log_error=points["log_error"] / 2))


class Jittered(Line):
    calls = 0

    def __post_init__(self):
        super().__post_init__()
        Jittered.calls += 1
        self.params = self.params + 1e-6 * Jittered.calls


def test_a_good_fitter_passes() -> None:
    check_component(endpoint())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda points: {"gamma_meas": 0.5}, "must return a FitResult, it lacks params, bse"),
        (spoil, "changes the points"),
        (Unnamed, "must report 'gamma_meas'"),
        (lambda points: Line(points, sign=1.0), "check the sign"),
        (lambda points: Line(points, unnatural=1 / log(10)), "natural logs"),
        (Overconfident, "the standard error"),
        (broken(conf_int=lambda self, alpha=0.05: self.results.conf_int(1 - alpha)), "do not nest"),
        (broken(conf_int=lambda self, alpha=0.05: self.results.conf_int()), "do not nest"),
        (Swapped, "lower limits come first"),
        (broken(conf_int=lambda self, alpha=0.05: self.results.conf_int().T), "a row a parameter"),
        (broken(predict=lambda self, points: Line.predict(self, points)[:, None]), "one value a point"),
        (broken(predict=lambda self, points: 10 ** Line.predict(self, points)), "must return the natural log"),
        (broken(summary=lambda self: self.results.summary()), "`summary` must return a str"),
        (broken(to_dict=lambda self: {"params": self.params}), "JSON's own types"),
        (broken(to_dict=lambda self: {"window": (1, 2)}), "on its way through JSON"),
        (broken(to_dict=lambda self: {"rsquared": math.nan}), "JSON's own types, finite"),
        (Jittered, "two fits of the same points differ"),
    ],
)
def test_a_fit_that_breaks_the_contract_is_found(make, message) -> None:
    refused(endpoint(make), message)


@pytest.mark.filterwarnings("ignore")  # of statsmodels, which says so too
def test_a_fitter_that_takes_a_single_point_is_found() -> None:
    refused(endpoint(least=1), "one point is too few")


# Theories


def predictions(params, alphas, norms):
    if min(alphas) <= 0:
        raise InputError("loads above 0")
    return [Prediction(alpha=a, norm=n, error=0.5 / (1 + a * n)) for a in alphas for n in norms]


def theory(predict, **fields) -> Theory:
    return Theory(name="model", summary="A model", predict=predict, **fields)


def predicted_with(**changes):
    def predict(params, alphas, norms):
        return [replace(p, **{k: f(p) for k, f in changes.items()}) for p in predictions(params, alphas, norms)]

    return predict


def grid_bound(params, alphas, norms):
    return [replace(p, error=p.error / len(alphas)) for p in predictions(params, alphas, norms)]


def transposed(params, alphas, norms):
    return sorted(predictions(params, alphas, norms), key=lambda p: p.norm)


def unguarded(params, alphas, norms):
    return [Prediction(alpha=a, norm=n, error=0.25) for a in alphas for n in norms]


def test_a_good_theory_passes() -> None:
    check_component(theory(predictions, references={"bayes": lambda alpha: 0.44 / (1 + alpha)}))


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        (lambda *arguments: predictions(*arguments)[1:], "need 6 predictions, got 5"),
        (lambda *arguments: [p.error for p in predictions(*arguments)], "must return Prediction objects"),
        (transposed, "loads are outermost"),
        (predicted_with(error=lambda p: 50.0), "must be a fraction in [0, 1]"),
        (predicted_with(error=lambda p: math.nan), "must be a fraction in [0, 1]"),
        (predicted_with(order_parameters=lambda p: {"chi": math.inf}), "order parameter 'chi'"),
        (grid_bound, "depends on what else is asked for"),
        (unguarded, "a load below zero"),
    ],
)
def test_a_prediction_that_breaks_the_contract_is_found(predict, message) -> None:
    refused(theory(predict), message)


def test_a_reference_answers_an_error() -> None:
    refused(theory(predictions, references={"bayes": lambda alpha: alpha}), "reference 'bayes'")


# Theories of any axes

EXAMPLES = Axis(name="examples", meaning="training examples", role="examples", low=1.0, tried=(10, 100))
TIME = Axis(name="time", meaning="time of training", role="time", tried=(0.5, 1, 2))
LOSS = Observable(name="test_loss", meaning="test loss", low=0.0)


def decay(params, grid):
    return [{"test_loss": 1 / p + math.exp(-t)} for p in grid["examples"] for t in grid["time"]]


def in_time(solve=decay, **fields) -> Theory:
    declared = {"axes": (EXAMPLES, TIME), "observables": (LOSS,), **fields}
    return Theory(name="model", summary="A model", solve=solve, **declared)


def at_infinite_time(value=lambda params, held: 1 / held["examples"], **fields) -> Reference:
    declared = {"observable": "test_loss", "axes": ("examples",), "meaning": "at infinite time", **fields}
    return Reference(value=value, **declared)


def changed_decay(change):
    return lambda params, grid: [change(point) for point in decay(params, grid)]


def shared_out(params, grid):
    return [{"test_loss": point["test_loss"] / len(grid["time"])} for point in decay(params, grid)]


class Drifting:
    calls = 0

    def __call__(self, params, grid):
        Drifting.calls += 1
        return [{"test_loss": point["test_loss"] + 1e-12 * Drifting.calls} for point in decay(params, grid)]


def test_a_good_theory_of_time_passes() -> None:
    check_component(in_time(compared={"limit": at_infinite_time()}))
    found = in_time().points(Params(), {"time": [0.0, 1.0], "examples": [4]})
    assert [list(point) for point in found] == [["examples", "time", "test_loss"]] * 2
    assert found[1] == {"examples": 4.0, "time": 1.0, "test_loss": 0.25 + math.exp(-1.0)}
    with pytest.raises(InputError, match="not one of load and norm"):
        in_time().predict(Params(), [1.0], [1.0])


def test_an_axis_may_be_asked_for_by_another_of_its_names() -> None:
    named = in_time(axes=(replace(EXAMPLES, also=("size", "p")), TIME))
    check_component(named)
    (point,) = named.points(Params(), {"p": [4], "time": [1.0]})
    assert point == in_time().points(Params(), {"examples": [4], "time": [1.0]})[0]
    with pytest.raises(InputError, match="size and p are one axis"):
        named.points(Params(), {"p": [4], "size": [4], "time": [1.0]})
    with pytest.raises(InvalidComponentError, match="'test_loss' must be"):
        in_time(axes=(replace(EXAMPLES, also=("test_loss",)), TIME))


def test_a_theory_of_load_and_norm_is_a_theory_of_two_axes() -> None:
    first = theory(predictions, references={"bayes": lambda alpha: 0.44 / (1 + alpha)})
    assert first.points(Params(), {"alpha": [1.0], "lambda": [1.0]}) == [
        {"alpha": 1.0, "lambda": 1.0, "test_error": 0.25}
    ]
    assert first.compared["bayes"].value(Params(), {"alpha": 1.0}) == 0.22


@pytest.mark.parametrize(
    ("solve", "message"),
    [
        (changed_decay(lambda point: {}), "the point at examples = 10, time = 0.5 lacks 'test_loss'"),
        (changed_decay(lambda point: {"test_loss": -1.0}), r"'test_loss' at examples = 10, time = 0.5 must be"),
        (changed_decay(lambda point: {"test_loss": math.nan}), "must be a float in [0, inf], got nan"),
        (lambda params, grid: decay(params, grid)[1:], "gave 5 points for 6 combinations"),
        (shared_out, "depends on what else is asked for"),
        (Drifting(), "the same points solved again differ"),
    ],
)
def test_a_point_that_breaks_the_contract_is_found(solve, message) -> None:
    with pytest.raises(NormlawError) as found:
        check_component(in_time(solve))
    assert message in str(found.value)


def test_a_reference_lies_in_the_range_of_its_observable() -> None:
    refused(in_time(compared={"limit": at_infinite_time(lambda params, held: -1.0)}), "reference 'limit'")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"solve": None}, "give one of `solve` and `predict`"),
        ({"predict": predictions}, "give one of `solve` and `predict`"),
        ({"observables": ()}, "`solve` needs `axes` and `observables`"),
        ({"axes": (TIME, TIME)}, "the name of one axis or observable only"),
        ({"observables": (replace(LOSS, name="time"),)}, "the name of one axis or observable only"),
        ({"axes": (replace(TIME, tried=(1,)),)}, "`tried` has at least two values"),
        ({"compared": {"limit": at_infinite_time(axes=("width",))}}, "must name an observable and axes"),
    ],
)
def test_declarations_that_do_not_fit_together_are_refused(fields, message) -> None:
    with pytest.raises(InvalidComponentError) as found:
        in_time(**fields)
    assert message in str(found.value)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"time": [1.0]}, "no values of examples are given"),
        ({"time": [1.0], "examples": [1.0], "tim": [1.0]}, "has no axis 'tim': did you mean time?"),
        ({"time": [math.nan], "examples": [1.0]}, "time = nan is outside [0, inf]"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused(grid, message) -> None:
    with pytest.raises(InputError) as found:
        in_time().points(Params(), grid)
    assert message in str(found.value)


# All kinds


def test_parameters_without_a_default_must_be_given() -> None:
    class Needed(Params):
        width: int

    needy = Architecture(name="linear", summary="One layer", params=Needed, build=linear)
    refused(needy, "width of its parameters have no default")
    check_component(needy, params=Needed(width=3))


def test_what_is_no_component_is_refused() -> None:
    with pytest.raises(InvalidComponentError, match="is no component"):
        check_component(3)  # type: ignore[arg-type]


# Protocols


def lines(curves, params, context, **changes):
    from normlaw_registry.curves import early_points, run_optima, size_optima

    if curves["train_size"].nunique() < 3:
        raise InputError("at least 3 train sizes")
    optima, level = run_optima(curves), context.confidence
    early = early_points(curves, size_optima(optima), (-4.0, -1.0))
    one = Estimate.of_fit(context.fit("early_power_law", early), "gamma_1", level)
    two = Estimate.of_fit(context.fit("optimal_norm_power_law", optima), "gamma_2", level)
    end = Estimate.of_fit(context.fit("endpoint_power_law", optima), "gamma_meas", level)
    product = Estimate.normal(one.value * two.value, one.stderr, level)
    found = Findings(gamma_1=one, gamma_2=two, gamma_pred=product, gamma_meas=end)
    return replace(found, **{name: change(found, level) for name, change in changes.items()})


LINES = ("early_power_law", "optimal_norm_power_law", "endpoint_power_law")


def protocol(analyse, fitters=LINES) -> AnalysisProtocol:
    return AnalysisProtocol(name="lines", summary="Straight lines", analyse=analyse, fitters=fitters)


def changed(**changes):
    return lambda curves, params, context: lines(curves, params, context, **changes)


def marks(curves, params, context):
    curves["mine"] = 1.0
    return lines(curves.drop(columns="mine"), params, context)


class Counting:
    calls = 0

    def __call__(self, curves, params, context):
        Counting.calls += 1
        found = lines(curves, params, context)
        moved = replace(found.gamma_1, value=found.gamma_1.value + 1e-9 * Counting.calls)
        return replace(found, gamma_1=moved)


def at_95(found, level):
    return Estimate.normal(found.gamma_2.value, 0.01, 0.95)


def model(high):
    import numpy as np
    import pandas as pd

    def predict(train_sizes, log_norms):
        value = -0.4 * np.log(train_sizes)
        return pd.DataFrame({"log_error": value, "log_error_low": value - 0.1, "log_error_high": value + high})

    return lambda found, level: predict


NOT_A_NUMBER = Estimate(value=math.nan, stderr=math.nan, low=math.nan, high=math.nan)
WARNING = AnalysisWarning(code="bent", message="the optima do not lie on a line")


def test_a_good_protocol_passes() -> None:
    check_component(protocol(lines))
    check_component(protocol(changed(gamma_2=lambda f, _: NOT_A_NUMBER, warnings=lambda f, _: (WARNING,))))
    judging = changed(
        further=lambda f, level: {"gamma_0": Estimate.normal(0.5, 0.1, level, "slope at first")},
        verdict=lambda f, _: "fail",
        reasons=lambda f, _: (WARNING,),
        predict=model(0.1),
    )
    check_component(protocol(judging))


@pytest.mark.parametrize(
    ("analyse", "message"),
    [
        (lambda curves, params, context: {"gamma_1": 0.5}, "must return Findings, got dict"),
        (marks, "changes the curves"),
        (Counting(), "two analyses of the same curves differ"),
        (changed(gamma_1=lambda f, _: 0.5), "`gamma_1` must be an Estimate, got float"),
        (changed(gamma_2=lambda f, _: NOT_A_NUMBER), "`gamma_2` is nan and no warning says why"),
        (changed(gamma_2=lambda f, _: Estimate.normal(-0.8, 0.01, 0.95)), "check the sign"),
        (changed(gamma_2=at_95), "no wider at the level 0.95"),
        (changed(gamma_1=lambda f, _: replace(f.gamma_1, low=9.0)), "limits in the wrong order"),
        (changed(gamma_1=lambda f, _: replace(f.gamma_1, high=9.0, low=8.0)), "does not hold its estimate"),
        (changed(further=lambda f, _: {"gamma_0": f.gamma_1}), "'gamma_0' without a definition"),
        (changed(further=lambda f, _: {"gamma_1": f.gamma_1}), "none of the four"),
        (changed(verdict=lambda f, _: "perhaps"), "`verdict` must be None or one of hold, fail, cannot_tell"),
        (changed(verdict=lambda f, _: "fail"), "the verdict 'fail' needs a reason"),
        (changed(warnings=lambda f, _: ("bent",)), "must be AnalysisWarning, got str"),
        (changed(extras=lambda f, _: {"model": f}), "JSON's own types"),
        (changed(tables=lambda f, _: {"envelope": []}), "lacks the columns log_norm, log_error, low, high"),
        (changed(predict=model(-1.0)), "limits must hold the predicted error"),
    ],
)
def test_a_protocol_that_breaks_the_contract_is_found(analyse, message) -> None:
    refused(protocol(analyse), message)


def test_a_protocol_that_answers_for_one_train_size_is_found() -> None:
    from normlaw_registry.testing.protocol import synthetic_curves

    def unmoved(curves, params, context):
        return lines(synthetic_curves(), params, context)

    refused(protocol(unmoved), "one train size is too little")


def test_a_protocol_must_declare_its_fitters_and_have_them_installed() -> None:
    with pytest.raises(InputError, match="does not declare it in `fitters`"):
        check_component(protocol(lines, fitters=("early_power_law",)))
    with pytest.raises(UnknownComponentError, match=r"needs the fitter 'eraly_power_law'.*mean early"):
        check_component(protocol(lines, fitters=("eraly_power_law",)))
    with pytest.raises(InvalidComponentError, match="must be a tuple of fitters' names"):
        protocol(lines, fitters=["early_power_law"])
