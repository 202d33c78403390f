"""How an observed run begins, or is gone on with: what it is, checked, and its journal opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from normlaw.machine import environment
from normlaw.observing.network import observed, rank, told_by_first
from normlaw.observing.norms import Norms
from normlaw.observing.observer import Observer, Point
from normlaw.observing.recording import Recording, new_study, study_in
from normlaw.study.observed import ObservedSpec
from normlaw.study.spec import ComponentChoice
from normlaw.study.storable import unstorable
from normlaw_registry import Catalogue, ComplexityMeasure, InputError, LayerRule, load_catalogue
from normlaw_registry.errors import describe_problem, known_keys, suggestion
from normlaw_registry.host.vectors import measure_of

AnyMeasure = str | Mapping[str, Any]
"""A measure by its name, or a mapping of `name` and `params`."""
Measures = AnyMeasure | Sequence[AnyMeasure] | None


def begin(
    model: nn.Module,
    batch: Any,
    *,
    study: str,
    what: Mapping[str, Any],
    measures: Measures,
    schedule: tuple[int, int] | None,
    layer_rules: Mapping[type[nn.Module], LayerRule] | None,
    home: Path,
    tracking_uri: str | None,
    offline: bool,
) -> Observer:
    """Return the observer of a run; in processes other than the first, one that takes nothing.

    Args:
        model: see `normlaw.observe`, as for all that is not told here.
        batch: see there.
        study: see there.
        what: train_size, seed and about.
        measures: see there.
        schedule: length of the training in steps, and number of points.
        layer_rules: see there.
        home: see there.
        tracking_uri: see there.
        offline: see there.

    Raises:
        InputError: see there; in each process.

    """
    if rank() != 0:
        told = told_by_first(None)
        if isinstance(told, str):
            raise InputError(f"process 0: {told}")
        return Observer(None, None, told, schedule)
    try:
        catalogue = load_catalogue()
        chosen = chosen_measures(measures, catalogue, study, home)
        spec = _spec(what, chosen)
        norms = Norms(chosen, observed(model, batch), catalogue, layer_rules)
        recording = _recording(spec, study, home, norms, catalogue, tracking_uri, offline)
    except BaseException as error:
        told_by_first(f"{type(error).__name__}: {error}")
        raise
    points: Sequence[Point] = told_by_first(recording.points)
    return Observer(norms, recording, points, schedule)


def chosen_measures(
    measures: Measures, catalogue: Catalogue, study: str = "", home: Path | None = None
) -> tuple[ComponentChoice, ...]:
    """Return measures with every parameter written out; by default those of a study that was begun in a home.

    Raises:
        InputError: there are none, or one is unknown or has parameters that are not allowed.

    """
    if measures is None:
        begun = study_in(home, study) if home is not None else None
        measures = begun.fixed.get("measures", ()) if begun is not None else ()
    listed = [measures] if isinstance(measures, str | Mapping) else list(measures or ())
    if not listed:
        known = catalogue.names(ComplexityMeasure)
        raise InputError(f"give `measures`, the norms to be taken: {suggestion('', list(known))}")
    try:
        chosen = [ComponentChoice.model_validate(measure) for measure in listed]
    except ValidationError as error:
        raise InputError(_problems(error, "measures: ")) from None
    return tuple(choice.resolved(ComplexityMeasure, catalogue) for choice in chosen)


def _spec(what: Mapping[str, Any], measures: tuple[ComponentChoice, ...]) -> ObservedSpec:
    try:
        spec = ObservedSpec.model_validate({**what, "measures": measures})
    except ValidationError as error:
        raise InputError(_problems(error)) from None
    if (reason := unstorable(spec)) is not None:
        raise InputError(reason)
    return spec


def _problems(error: ValidationError, begin: str = "") -> str:
    found = []
    for problem in error.errors(include_url=False):
        known = known_keys(ObservedSpec, problem["loc"])
        found.append(f"{'.'.join(map(str, problem['loc']))}: {describe_problem(problem, known)}")
    return begin + "; ".join(found)


def _recording(
    spec: ObservedSpec,
    name: str,
    home: Path,
    norms: Norms,
    catalogue: Catalogue,
    tracking_uri: str | None,
    offline: bool,
) -> Recording:
    begun = study_in(home, name)
    study = begun or new_study(name, [measure.model_dump(mode="json") for measure in spec.measures])
    if measure_of(study.abscissa) not in (names := [measure.name for measure in spec.measures]):
        raise InputError(
            f"study {name!r} reads its laws in {study.abscissa!r}, which is not measured: add it to `measures` "
            f"({', '.join(names)}), or name another study"
        )
    about = {**environment.describe(catalogue), "network": norms.described}
    recording = Recording(spec, study, home, about, tracking_uri=tracking_uri, offline=offline)
    try:
        if recording.points:
            norms.take_over_initial(recording.initial)
        else:
            norms.keep_initial(recording.initial)
    except BaseException:
        recording.close()
        raise
    return recording
