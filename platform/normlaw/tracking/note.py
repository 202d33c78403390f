"""The note of an experiment, which MLflow shows on top of its page: Markdown."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import urlencode

from mlflow import MlflowClient
from mlflow.entities import Experiment

from normlaw.base.redaction import redacted
from normlaw.tracking import keys
from normlaw.tracking.view import NAME, VIEW, link

LAWS = "\n\n## Laws\n\n"
"""Parts the description, which users may edit in MLflow's pages, from what the latest analysis found."""
MAX_LENGTH = 5000
"""Characters of an experiment's tag that every MLflow since 3.7 takes."""


def first(description: str) -> dict[str, str]:
    """Return the tags of a new experiment that show a study's description."""
    text = as_note(description)
    return {keys.NOTE: text, keys.DESCRIPTION: text}


def describe(client: MlflowClient, experiment: Experiment, description: str) -> None:
    """Show a study's description in the experiment's note, unless it was shown already: users may edit it."""
    text = as_note(description)
    if experiment.tags.get(keys.DESCRIPTION) == text:
        return
    _, heading, laws = experiment.tags.get(keys.NOTE, "").partition(LAWS)
    client.set_experiment_tag(experiment.experiment_id, keys.NOTE, text + heading + laws)
    client.set_experiment_tag(experiment.experiment_id, keys.DESCRIPTION, text)


def show_laws(
    client: MlflowClient, experiment: Experiment, table: Sequence[str], figures: Sequence[str]
) -> None:
    """Put the laws of a study below its description, in the place of those of an earlier analysis.

    Args:
        client: of the tracking server.
        experiment: the study's.
        table: lines of a Markdown table, then of text.
        figures: Markdown with an image; those that find room are shown.

    """
    found = client.get_experiment(experiment.experiment_id)
    description = found.tags.get(keys.NOTE, "").partition(LAWS)[0]
    note = description + LAWS
    charts = (
        [f"[{NAME}]({link(experiment.experiment_id)}), as MLflow's charts\n\n"] if VIEW in found.tags else []
    )
    for part in (*charts, "\n".join(table), *("\n\n" + figure for figure in figures)):
        if len(note) + len(part) <= MAX_LENGTH:
            note += part
    client.set_experiment_tag(experiment.experiment_id, keys.NOTE, note.rstrip())


def image(run_id: str, path: str) -> str:
    """Return the Markdown that shows an image artifact of a run on MLflow's own pages."""
    return f"![{PurePosixPath(path).stem}](get-artifact?{urlencode({'path': path, 'run_uuid': run_id})})"


def as_note(text: str) -> str:
    """Return a text as MLflow's notes, which are Markdown with HTML, show it: as text, not as markup.

    >>> as_note("<b>a</b> ![x](http://host)")
    '&lt;b&gt;a&lt;/b&gt; !\\\\[x](http://host)'
    """
    return html.escape(redacted(text), quote=False).replace("[", "\\[")[:MAX_LENGTH]
