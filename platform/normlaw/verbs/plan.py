"""`normlaw plan`: which further runs narrow the interval of gamma_pred most for what they cost."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from math import isfinite
from pathlib import Path
from typing import Any

from normlaw.analysis.options import Options
from normlaw.analysis.planning.design import new_sizes
from normlaw.analysis.planning.plan import HOUR, Fitted, Outlook, fitted, outlooks
from normlaw.analysis.prediction import whole_sizes
from normlaw.base.html import listed, paragraph, preformatted, together
from normlaw.following.expected import as_expected, expected_runs
from normlaw.study import home as kept
from normlaw.study.further import Combination, combinations, with_runs
from normlaw.study.home import begun_studies, begun_study
from normlaw.study.named import find_study
from normlaw.study.study import Study
from normlaw.tracking.settings import label
from normlaw.tracking.store import Group, StudyStore
from normlaw.tracking.study_run import StudyRun, unit_of
from normlaw.tracking.tidy import tidy
from normlaw.verbs._options import choices_of
from normlaw.verbs._plan_setting import Priced, changed, changes_of, largest_size, priced
from normlaw_registry import Catalogue, InputError, load_catalogue
from normlaw_registry.errors import brief
from normlaw_registry.response import Quantity

UNITS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": HOUR, "d": 24 * HOUR}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What further runs would do to a study's interval of gamma_pred, and the study with those of the plan."""

    study_name: str
    norm: str
    outlooks: dict[str, Outlook]
    """By setting, as `normlaw.tracking.settings.label` writes it; of a sole one, by an empty name."""
    budget: float | None
    """Core-hours."""
    study: Study | None
    """What `normlaw.run` takes: the finished runs, which it does not train again, and those of the plan. None
    without a budget."""
    notes: tuple[str, ...] = ()
    """How costs are known, and what is not planned for."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from normlaw.analysis.planning.text import render_outlook

        parts = [
            together(paragraph(setting), preformatted(render_outlook(outlook, self.budget)))
            for setting, outlook in self.outlooks.items()
        ]
        return together(*parts, listed(self.notes))

    def to_dict(self) -> dict[str, Any]:
        """Return everything in JSON's own types."""
        return {
            "study": self.study_name,
            "norm": self.norm,
            "budget": self.budget,
            "settings": [
                {"setting": setting, **outlook.to_dict()} for setting, outlook in self.outlooks.items()
            ],
            "plan": None if self.study is None else self.study.to_yaml(compact=True),
            "notes": list(self.notes),
        }


def plan(
    study: str | Path | Study,
    budget: str | float | None = None,
    *,
    train_sizes: Sequence[float] = (),
    norm: str | None = None,
    tracking_uri: str | None = None,
    home: Path | None = None,
    protocol: str | None = None,
    protocol_params: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
    response: Quantity | None = None,
    floor: float | None = None,
    from_norm: float | None = None,
    from_train_size: int | None = None,
    offsets: bool = False,
    draws: int | None = None,
    bootstrap_seed: int | None = None,
    window: tuple[float | None, float | None] | None = None,
    first_index: int | None = None,
    gamma2_first_index: int | None = None,
) -> Planned:
    """Say which further runs narrow the interval of gamma_pred most for each core-hour; `normlaw plan`.

    Args:
        study: a study, its file, or the name of a shipped one or of one that was begun here. Its finished runs
            are read at MLflow.
        budget: what the plan may cost in core-hours, or as text with a unit, such as "90min"; None: what single
            actions would bring is said, and nothing is planned.
        train_sizes: sizes that may be added; default: one between any two neighbours, half the smallest and
            twice the largest, as far as the data set has examples and the laws are fitted.
        norm: the measure that the laws are read in; default: the study's own.
        tracking_uri: MLflow server.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        protocol: how the laws are fitted, by name; default: the study's own, else what `normlaw plugins` marks.
        protocol_params: the protocol's parameters; those left out have their defaults.
        confidence: level of the confidence limits.
        response: what falls with the norm: "test_error" or "test_loss"; default: the study's, else the error.
        floor: what the response is known to be at least; the laws of its excess are fitted.
        from_norm: norms below are left out.
        from_train_size: train sizes below are left out.
        offsets: parameter of the protocol, as are those below: fit q1 and q2 too, and compare with none.
        draws: how many draws the bootstrap makes.
        bootstrap_seed: seed of the bootstrap.
        window: limits of lambda/lambda_opt in the early fit; None leaves a side open.
        first_index: the early law is fitted from this train size on, counted from 0.
        gamma2_first_index: the law of the optimal norm likewise.

    Raises:
        InputError: no such study, none of its runs is finished, the laws cannot be fitted, the protocol cannot
            foretell, what runs cost is not known, or the budget pays for none.

    """
    arguments = locals()
    options = choices_of({name: value for name, value in arguments.items() if name != "train_sizes"})
    seconds = None if budget is None else seconds_of(budget)
    asked = whole_sizes(train_sizes) if train_sizes else None
    catalogue, home = load_catalogue(), home or kept.HOME
    whole = _the_study(study, home)
    store = StudyStore.open(whole.name, tracking_uri)
    norm = norm or store.norm or whole.abscissa
    options = options.within(store.choices, norm == store.norm)
    own = expected_runs(whole, catalogue)
    groups = _trained(whole, store, norm, catalogue)
    launches = store.launches()
    models: list[Fitted] = []
    prices: list[Priced] = []
    notes: list[str] = []
    for _, members, _ in groups:
        specs = {run.spec_hash: own[run.spec_hash].spec for run in members if run.spec_hash in own}
        price = priced(specs, members, launches, catalogue)
        curves, _ = tidy(store.curves(members), norm)
        sizes = asked or _sizes(price, members, options, catalogue, home, notes)
        changes = tuple(changes_of(whole, price.reference)) if len(groups) == 1 else ()
        unit = unit_of(members)
        models.append(fitted(curves, catalogue, options, price.seconds, sizes, changes, unit))
        prices.append(price)
        notes += price.notes
    found = outlooks(models, options.confidence, seconds)
    labels = [label(setting) for setting, _, _ in groups]
    return Planned(
        study_name=whole.name,
        norm=norm,
        outlooks=dict(zip(labels, found, strict=True)),
        budget=None if seconds is None else seconds / HOUR,
        study=None if seconds is None else _with_the_plan(whole, groups, found, prices),
        notes=tuple(dict.fromkeys(notes)),
    )


def seconds_of(budget: str | float) -> float:
    """Return a budget in core-seconds, given core-hours or text with a unit.

    >>> seconds_of("90min"), seconds_of(0.5), seconds_of("2d")
    (5400.0, 1800.0, 172800.0)

    Raises:
        InputError: it is no length of time above 0.

    """
    said = re.fullmatch(r"\s*([0-9.eE+]+)\s*([a-z]*)\s*", str(budget))
    try:
        found = float(said[1]) * UNITS[said[2] or "h"] if said else 0.0
    except (ValueError, KeyError):
        found = 0.0
    if not (isfinite(found) and found > 0):
        raise InputError(f"a budget is core-hours above 0, such as 10h, 90min or 2d, got {brief(budget)}")
    return found


Trained = tuple[dict[str, str], list[StudyRun], Combination]
"""A setting, its finished runs, and the combination of the study that trains it."""


def _the_study(study: str | Path | Study, home: Path) -> Study:
    found: Study
    if isinstance(study, Study):
        found = study
    elif str(study) in begun_studies(home):
        found = begun_study(home, str(study))
    else:
        found = find_study(str(study))
    if found.observed:
        raise InputError(
            f"study {found.name!r} was observed in loops of your own: normlaw can train no further runs of it, "
            "and does not know what they cost"
        )
    if found.arms:
        raise InputError(
            f"study {found.name!r} has arms, which every further run would have too: plan a study without "
            "`fork` and `arms`"
        )
    return found


def _trained(study: Study, store: StudyStore, norm: str, catalogue: Catalogue) -> list[Trained]:
    """Return the settings of a study that have finished runs.

    Raises:
        InputError: there are none that the study names.

    """
    expected = expected_runs(study, catalogue)
    mine = as_expected(store.finished("training", norm=norm), expected)
    by_id = {run.run_id: run.spec_hash for run in mine}
    found: list[Trained] = []
    groups: list[Group] = store.groups(norm)
    own = [(one, set(expected_runs(one.study, catalogue))) for one in combinations(study)]
    for setting, members in groups:
        hashes = {by_id[run.run_id] for run in members if run.run_id in by_id}
        matching = [one for one, there in own if hashes & there]
        if matching:
            renamed = [run for run in mine if run.run_id in {one.run_id for one in members}]
            found.append((setting, renamed, matching[0]))
    if not found:
        raise InputError(
            f"none of the finished runs at MLflow is one of study {study.name!r} as it stands in "
            f"{study.source.name}: name the file that they were trained from"
        )
    return found


def _sizes(
    price: Priced,
    members: Sequence[StudyRun],
    options: Options,
    catalogue: Catalogue,
    home: Path,
    notes: list[str],
) -> list[int]:
    """Return the train sizes that may be added, unless others are asked for."""
    least = options.from_train_size or 1
    there = sorted({run.train_size for run in members if run.train_size >= least})
    if not there:  # the analysis says what is wrong
        return []
    most = largest_size(price.reference, catalogue, home / "data", there[-1], notes)
    return new_sizes(there, least, most)


def _with_the_plan(
    study: Study, groups: Sequence[Trained], found: Sequence[Outlook], prices: Sequence[Priced]
) -> Study:
    """Return the study with its finished runs and those of the plan; or one of its own, trained again."""
    again = found[0].again
    if again is not None:
        spec = prices[0].reference
        key = changes_of(study, spec)[again.change]
        rows = [(groups[0][2].values, size, seed) for size, n in again.runs.items() for seed in range(n)]
        name = f"{study.name}-{again.change}"
        return with_runs(study, rows, name=name, fixed=changed(spec, key, again.factor))
    rows = []
    for (_, members, combination), outlook in zip(groups, found, strict=True):
        there = {(run.train_size, int(run.params["seed"])) for run in members}
        new = {
            (size, seed)
            for size, runs in outlook.added.items()
            for seed in islice((one for one in count() if (size, one) not in there), runs)
        }
        rows += [(combination.values, size, seed) for size, seed in sorted(there | new)]
    return with_runs(study, rows)
