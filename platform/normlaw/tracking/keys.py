"""The names under which normlaw stores things in MLflow. They are what users query by: permanent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from normlaw.study.protocol_choice import OwnChoices
from normlaw_registry import InputError
from normlaw_registry.errors import brief
from normlaw_registry.theory import LAMBDA

KIND = "normlaw.kind"
"""Tag: training, theory, imported, analysis or launch."""
SPEC_HASH = "normlaw.spec_hash"
"""Tag: a run's identity."""
SCHEMA = "normlaw.schema"
"""Tag: the schema number that the identity is of; runs without it are of the first."""
MEASURES = "normlaw.measures"
"""Tag: what was measured, JSON: measure -> its parameters that are not at default."""
EXACTNESS = "normlaw.exactness"
"""Tag: measure -> exact, upper_bound or estimate, the weakest of its values, as JSON; none where not noted."""
PLUGINS = "normlaw.plugins"
"""Tag: distributions with versions that a run's components came from."""
FAILURE = "normlaw.failure"
"""Tag: why a run failed."""
MEMORY_FORMAT = "normlaw.memory_format"
"""Tag: how images and weights were laid out, channels_last or contiguous, whatever was asked for."""
SUPERSEDED = "normlaw.superseded"
"""Tag: why a killed run is not gone on with; another run of the same specification takes its place."""
CLEANED = "normlaw.cleaned"
"""Tag: why `normlaw clean`, or an analysis made again, deleted a run; it stays where the run is restored."""
ORIGIN = "normlaw.origin"
"""Tag of an imported run: which run of another program, at its place, the curve was taken of."""
COPY = "normlaw.copy"
"""Tag of a run that was copied from another store or an archive: what was copied."""
COMMIT = "normlaw.commit"
"""Tag: the git commit of the folder that a run was launched in; '+changes' where files differed from it."""
ARM = "normlaw.arm"
"""Tag of a run with an intervention that starts on its way: what its study calls the arm."""
TRUNK = "normlaw.trunk"
"""Tag of such a run: the identity (`normlaw.spec_hash`) of the run that it is until then."""
UNIT = "normlaw.unit"
"""Tag: what train_size counts, where it is not examples: such as 'sequences of 64 tokens'."""
FINGERPRINT = "normlaw.data"
"""Tag: a digest of the files that a run's data set read, where these may change."""
LASTING = (
    *(ARM, TRUNK, SCHEMA, MEASURES, EXACTNESS, PLUGINS, MEMORY_FORMAT, ORIGIN, COMMIT),
    *(UNIT, FINGERPRINT),
)
"""Tags that belong to a run wherever it is stored, besides its kind and identity."""
LAUNCH = "normlaw.launch"
"""Tag: the launch that a run is, or that began it."""
COMMAND = "normlaw.command"
"""Tag of an analysis: the command that repeats it."""
NOT_FITTED = ": not fitted"
"""How the name of an analysis ends that could fit no law."""
SETTING = "normlaw.setting"
"""Tag of a fit of the laws: what tells the runs that it is of from the study's others."""
WHOLE_STUDY = "all"
"""Its value where the study has no others."""
NORM = "normlaw.norm"
"""Tag of an experiment: the measure that its laws are read in."""
ANALYSIS = "normlaw.analysis"
"""Tag of an experiment: the protocol that its laws are fitted by, with its parameters, as JSON."""
NOTE = "mlflow.note.content"
"""Tag: the description that MLflow's pages show, as Markdown."""
DESCRIPTION = "normlaw.description"
"""Tag of an experiment: the study's description as it was shown last, before anyone edited it."""
OF_A_STUDY = (NORM, ANALYSIS, DESCRIPTION)
"""Tags of an experiment that belong to the study wherever it is stored."""

REFERENCE = "reference/"
"""Metrics of a theory run: errors to compare with, such as the Bayes-optimal one."""
THEORY_NORM = LAMBDA
"""The measure that a theory's norm lambda is, for a network that is one linear map."""

CURVE = "curve.parquet"
"""Artifact of a training run: its whole curve, a row a measuring point."""
SPECTRUM = "spectrum/"
"""Columns of that file alone: singular values of a layer, a list at each point, the largest first."""
RUN = "run.json"
"""Artifact of a training run: specification, environment, memory format with its reason, the
norms that are not exact with their steps, and the layers' norms at both ends of its curve."""
TRACEBACK = "traceback.txt"
"""Artifact of a failed run: where its exception came from, or where its process crashed."""


def plugins_tag(versions: Mapping[str, str]) -> str:
    """Return the value of `PLUGINS`: 'my-norm 0.1.0, normlaw 0.1.0'."""
    return ", ".join(f"{distribution} {version}" for distribution, version in versions.items())


def analysis_tag(own: OwnChoices) -> str:
    """Return the value of `ANALYSIS`: what the study says, and nothing else."""
    said = {name: value for name, value in asdict(own).items() if value is not None}
    if own.protocol is None:
        del said["params"]
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def read_analysis_tag(tags: Mapping[str, str]) -> OwnChoices | None:
    """Return what an experiment's tags say about its analysis; None where they say nothing."""
    if not (text := tags.get(ANALYSIS)):
        return None
    try:
        found = json.loads(text)
        return OwnChoices(**found)
    except (ValueError, TypeError):
        raise InputError(
            f"the experiment's tag {ANALYSIS} cannot be read: {brief(text)}; `normlaw run` writes it anew"
        ) from None


def log_norm(measure: str) -> str:
    """Return the metric of a measure: the natural log of the norm."""
    return f"log_norm/{measure}"
