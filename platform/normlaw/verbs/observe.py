"""`normlaw.observe`: measure norms in a training loop of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.study import home as kept
from normlaw.study.names import study_name
from normlaw_registry import InputError

if TYPE_CHECKING:
    from torch import nn

    from normlaw.observing.beginning import Measures
    from normlaw.observing.observer import Observer
    from normlaw_registry import LayerRule


def observe(
    model: nn.Module,
    batch: Any,
    *,
    study: str,
    train_size: int,
    seed: int,
    about: Mapping[str, Any] | None = None,
    measures: Measures = None,
    steps: int | None = None,
    points: int = 50,
    layer_rules: Mapping[type[nn.Module], LayerRule] | None = None,
    home: Path | str | None = None,
    tracking_uri: str | None = None,
    offline: bool = False,
) -> Observer:
    """Return an observer, which takes the norms of a model in a training loop of your own.

    The loop calls `observer.point(step, test_error=..)` where it has measured its error, and
    `observer.finish()` at the end. The points go into the journal and to MLflow as those of normlaw's own runs
    do, so that `analyse`, `report` and MLflow's pages treat them alike. The model, its mode, its gradients and
    the random state stay as they are, to the last bit. Norms depend on the weights alone, not on earlier ones.

    The same call again, after a kill or in a longer training, goes on with the run: points that are there are
    kept, and later steps are added. Where several processes train one model (DDP), each makes an observer, and
    the first writes.

    Args:
        model: as it is initialised; compiled or wrapped by DDP, if it is.
        batch: what the model is called with, for the sizes of its layers: a tensor, a tuple of arguments or a
            mapping of keyword arguments, of which the first example is taken.
        study: the study, which is the MLflow experiment; it may be new.
        train_size: number of training examples, P.
        seed: tells repetitions apart.
        about: what else tells the run from the study's others, by name: architecture, data set, learning
            rate; runs that differ in it are other runs, and have laws of their own.
        measures: the norms, by name; by default those that the study has.
        steps: length of the training in optimiser steps, for a schedule: see `Observer.due`.
        points: of the schedule, log-spaced, besides step 0.
        layer_rules: for layer types that normlaw has no rule for.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        offline: ask no server; the journal keeps all, for `normlaw sync`.

    Raises:
        InputError: the model's weights are in shards (FSDP), a layer has no rule, the batch does not fit, the
            run was begun with another network or other measures, or the server does not answer.
        JournalInUseError: another process observes the same run.

    """
    from normlaw.observing.beginning import begin

    if steps is not None and (steps < 1 or points < 1):
        raise InputError(f"steps and points must be 1 at least, got {steps} and {points}")
    return begin(
        model,
        batch,
        study=study_name(study),
        what={"train_size": train_size, "seed": seed, "about": dict(about or {})},
        measures=measures,
        schedule=None if steps is None else (steps, points),
        layer_rules=layer_rules,
        home=Path(home) if home is not None else kept.HOME,
        tracking_uri=tracking_uri,
        offline=offline,
    )
