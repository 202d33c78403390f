"""Part a study's runs into those whose curves one law describes: the same in all but train_size and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from normlaw.study.listed import MEASURES, unlisted

if TYPE_CHECKING:
    from normlaw.tracking.study_run import StudyRun

SHARED_BY_A_LAW = ("train_size", "seed", "alpha", "source")
"""What may differ between the curves of one law; runs that differ in anything else are fitted apart. (`alpha`
is the load of a theory's curve, `source` the file of an imported one.)"""


def by_setting(runs: Sequence[StudyRun]) -> list[tuple[dict[str, str], list[StudyRun]]]:
    """Part the runs into groups trained alike but for train_size and seed, in order of appearance.

    What was measured tells no groups apart. A parameter that is not listed of a run is at its default.

    Returns:
        For each group its setting and its runs. A setting has the fewest parameters that tell the groups
        apart: of a CNN and a ViT it is the architecture alone, not the parameters that one of them has.

    """
    listed = {name for run in runs for name in run.params} - {*SHARED_BY_A_LAW, MEASURES}
    names = sorted(listed, key=lambda name: (name.removesuffix(".name"), name))  # a component's name goes first
    return parted(runs, names)


def with_theory(
    measured: Sequence[StudyRun], exact: Sequence[StudyRun]
) -> list[tuple[dict[str, str], list[StudyRun]]]:
    """Return the settings of what was measured, then those of theories' curves, told by the theory's name."""
    groups = by_setting(measured)
    for setting, members in by_setting(exact):
        groups.append(({"theory": members[0].params["theory"], **setting}, members))
    return groups


def parted(runs: Sequence[StudyRun], names: Sequence[str]) -> list[tuple[dict[str, str], list[StudyRun]]]:
    """Return the runs that agree in these parameters, with the fewest that tell them from the others."""
    groups: dict[tuple[str, ...], list[StudyRun]] = {}
    for run in runs:
        known = params_of(run)
        groups.setdefault(tuple(known.get(name, "") for name in names), []).append(run)
    settings = [dict(zip(names, key, strict=True)) for key in groups]
    telling = telling_names(settings)
    return [
        ({name: setting[name] for name in telling}, members)
        for setting, members in zip(settings, groups.values(), strict=True)
    ]


def params_of(run: StudyRun) -> dict[str, str]:
    """Return a run's parameters; one that is not listed of it is at its default."""
    return {**unlisted(run.params), **run.params}


def telling_names(settings: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the names whose values tell all settings apart; none that those before it make needless.

    >>> cnn = {"architecture": "cnn", "architecture.channels": "8", "loss": "mse"}
    >>> vit = {"architecture": "vit", "architecture.channels": "", "loss": "mse"}
    >>> telling_names([cnn, vit]), telling_names([cnn])
    (['architecture'], [])
    """
    chosen: list[str] = []
    apart = 1
    for name in settings[0] if settings else ():
        split = len({tuple(setting[n] for n in (*chosen, name)) for setting in settings})
        if split > apart:
            chosen.append(name)
            apart = split
    return chosen


def shared_settings(runs: Sequence[StudyRun]) -> dict[str, str]:
    """Return the parameters that all runs have in common, by name."""
    first = runs[0].params
    return {
        name: value
        for name, value in sorted(first.items())
        if all(run.params.get(name) == value for run in runs)
    }


def label(setting: Mapping[str, str]) -> str:
    """Return a setting on one line.

    >>> label({"architecture": "cnn", "optimizer.weight_decay": "0.1"})
    'architecture=cnn optimizer.weight_decay=0.1'
    """
    return " ".join(f"{name}={value}" for name, value in setting.items())
