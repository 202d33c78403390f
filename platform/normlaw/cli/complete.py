"""What the shell offers when Tab is pressed: names of components and studies, of plugins of one's own too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from normlaw_registry import Component

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def component(kind: str) -> Completion:
    """Return the completion of components of a kind, each with its summary; 'Theory' for instance."""

    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        import normlaw_registry

        catalogue = normlaw_registry.load_catalogue()
        of_kind: type[Component] = getattr(normlaw_registry, kind)
        found = [c for record in catalogue.records for c in record.components if isinstance(c, of_kind)]
        return [
            CompletionItem(c.name, help=c.summary)
            for c in sorted(found, key=lambda c: c.name)
            if c.name.startswith(incomplete)
        ]

    return complete


def study(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a study: a shipped one or a YAML file; where only names count, one that was begun here."""
    from normlaw.study.named import shipped_studies

    names = [CompletionItem(name) for name in shipped_studies() if name.startswith(incomplete)]
    if ctx.info_name in ("analyse", "predict", "plan", "report", "compare", "cause", "export", "clean"):
        shipped = {item.value for item in names}
        names += [item for item in begun(ctx, param, incomplete) if item.value not in shipped]
        if ctx.info_name != "plan":  # which takes a file too
            return names
    head = incomplete.rpartition("/")[0]
    folder = Path(head or ".")
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]) if folder.is_dir() else []
    paths = [f"{head}/{file.name}" if head else file.name for file in files]
    return names + [CompletionItem(path) for path in paths if path.startswith(incomplete)]


def begun(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a study that was begun here."""
    from normlaw.study.home import HOME, begun_studies

    return [CompletionItem(name) for name in begun_studies(HOME) if name.startswith(incomplete)]


def setting(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the key of a setting of a study."""
    from normlaw.study.overrides import KEYS

    return [CompletionItem(f"{key}=") for key in KEYS if key.startswith(incomplete)]


def norm(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a norm: of the study that stands on the command line one that it measures, else any."""
    from normlaw.study.home import HOME, begun_studies, begun_study
    from normlaw.study.named import find_study
    from normlaw_registry import NormlawError

    offered = component("ComplexityMeasure")(ctx, param, incomplete)
    named = _named(ctx)
    try:
        study = begun_study(HOME, named) if named in begun_studies(HOME) else find_study(named or "")
    except NormlawError:  # none that is known here
        return offered
    choices = study.fixed.get("measures", ())
    measured = {choice if isinstance(choice, str) else choice.get("name") for choice in choices}
    return [item for item in offered if item.value in measured]


def scale(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a scale of the study that stands on the command line."""
    from normlaw.study.named import find_study
    from normlaw_registry import NormlawError

    named = _named(ctx)
    try:
        scales = find_study(named).scales if named else {}
    except NormlawError:  # there is no such study: nothing to offer
        return []
    return [CompletionItem(name) for name in scales if name.startswith(incomplete)]


def _named(ctx: click.Context) -> str | None:
    """Return the study that stands on the command line; click leaves it in `args` before options."""
    named: str | None = ctx.params.get("study")
    return named or next(iter(ctx.params.get("names") or ctx.args), None)
