"""`normlaw export`: a study's curves and laws as files for other programs and for papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.base.files import require_replaceable
from normlaw.base.html import listed, paragraph, together
from normlaw.study.study import Study
from normlaw.verbs._options import choices_of
from normlaw.verbs.load_study import name_of
from normlaw_registry import load_catalogue

if TYPE_CHECKING:
    from normlaw.analysis import Options
    from normlaw.analysis.exporting import Format
    from normlaw.tracking.study_run import Kind
    from normlaw_registry.response import Quantity


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path
    files: tuple[str, ...]
    """Their paths in the folder."""
    missing: dict[str, str]
    """Setting -> why no law could be fitted to its curves; these are among the curves all the same."""

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        told = listed(f"not fitted: {setting or 'the study'}: {why}" for setting, why in self.missing.items())
        return together(paragraph(f"{len(self.files)} files in {self.folder}"), listed(self.files), told)


def export(
    study: str | Study,
    to: Path | str | None = None,
    *,
    formats: Sequence[Format] = ("csv", "parquet", "latex", "pdf"),
    norm: str | None = None,
    tracking_uri: str | None = None,
    protocol: str | None = None,
    protocol_params: Mapping[str, Any] | None = None,
    confidence: float = 0.95,
    response: Quantity | None = None,
    floor: float | None = None,
    from_norm: float | None = None,
    from_train_size: int | None = None,
) -> Exported:
    """Write a study's curves and laws as files for other programs and for papers; `normlaw export`.

    The laws are fitted as `analyse` fits them with the same options, and nothing is logged. `curves.csv` is
    read back by `import_curves`, `fit` and `predict`, to the last bit.

    Args:
        study: a study or its name.
        to: folder to write, all of it or nothing; an earlier export is replaced. Default: export/STUDY.
        formats: of "csv" and "parquet" (curves and tables), "latex" (tables for the package booktabs) and
            "pdf" (figures as wide as one of two columns of print).
        norm: the measure to read the laws in; default: the study's own.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.
        protocol: how the laws are fitted, by name; default: the study's own, else what `normlaw plugins` marks.
        protocol_params: the protocol's parameters; those left out have their defaults.
        confidence: level of the confidence limits.
        response: what falls with the norm: "test_error" or "test_loss"; default: the study's, else the error.
        floor: what the response is known to be at least; the laws of its excess are fitted.
        from_norm: norms below are left out.
        from_train_size: train sizes below are left out.

    Raises:
        InputError: no such study, no finished runs, a choice that makes no sense, or a folder that holds
            something else or cannot be written.

    """
    return exported(name_of(study), to, formats, norm, choices_of(locals()), tracking_uri)


def exported(
    study: str,
    to: Path | str | None,
    formats: Sequence[str],
    norm: str | None,
    options: Options,
    tracking_uri: str | None,
) -> Exported:
    """Do what `export` does."""
    from normlaw.analysis import Analysis, NotFittedError, analyse, command_line
    from normlaw.analysis.curves import restricted
    from normlaw.analysis.exporting import MARK, WHAT, checked_formats, write_export
    from normlaw.study.names import path_part
    from normlaw.tracking.settings import label
    from normlaw.tracking.store import StudyStore
    from normlaw.tracking.tidy import tidy
    from normlaw.verbs._compute import COMPUTE, with_compute
    from normlaw.verbs._curves import curves_of

    wanted, catalogue = checked_formats(formats), load_catalogue()
    folder = Path("export") / path_part(study) if to is None else Path(to)
    require_replaceable(folder, MARK, WHAT)  # before the laws are fitted
    store = StudyStore.open(study, tracking_uri)
    store.keep_curves()
    norm = norm or store.norm
    options = options.within(store.choices, norm == store.norm)
    analyses: dict[str, Analysis] = {}
    missing: dict[str, str] = {}
    chosen = norm or ""
    for setting, members in store.groups(norm):
        whole = store.curves(members)
        if options.collapse == COMPUTE:
            whole = with_compute(whole, store, members, catalogue)
        points, chosen = tidy(whole, norm)
        try:
            analyses[label(setting)] = analyse(points, catalogue, options, restricted(whole, options, chosen))
        except NotFittedError as found:
            missing[label(setting)] = str(found)
    about = {
        "study": study,
        "normlaw": version("normlaw"),
        "norm": chosen,
        "laws": command_line([study], chosen, options),
        "settings": list(analyses),
        "not_fitted": missing,
    }
    measured = store.finished("training", "imported")
    kinds: Sequence[Kind] = ("training", "imported") if measured else ("theory",)
    write_export(folder, curves_of(store, kinds), analyses, about, wanted)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return Exported(folder, tuple(files), missing)
