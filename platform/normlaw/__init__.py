"""Measure the scaling laws that a network's norm reveals in its learning curves: the Python API.

Every verb of the command line is one call:

    import normlaw

    study = normlaw.load_study("quickstart")
    normlaw.run(study)
    curves = normlaw.curves(study)
    analysis = normlaw.fit(curves)
    normlaw.plot(analysis)

Nothing is imported before it is asked for: `import normlaw` brings neither torch nor MLflow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from normlaw.analysis import Analysis, Options
    from normlaw.analysis.cause import Cause
    from normlaw.analysis.scaling_collapse import ScalingCollapse
    from normlaw.following.progress import Progress
    from normlaw.launching.launch import Summary
    from normlaw.machine.finding import Finding
    from normlaw.study.study import Study
    from normlaw.verbs._collapse_run import Collapsed
    from normlaw.verbs._compared import Compared
    from normlaw.verbs.against_theory import against_theory
    from normlaw.verbs.analyse import Result, Results, analyse
    from normlaw.verbs.archive import Archived, archive
    from normlaw.verbs.cause import Caused, cause
    from normlaw.verbs.clean import clean
    from normlaw.verbs.collapse import collapse
    from normlaw.verbs.compare import compare
    from normlaw.verbs.doctor import doctor
    from normlaw.verbs.export import Exported, export
    from normlaw.verbs.fit import fit
    from normlaw.verbs.horizons import horizons
    from normlaw.verbs.import_curves import import_curves
    from normlaw.verbs.load_study import load_study
    from normlaw.verbs.measure import measure
    from normlaw.verbs.new_plugin import new_plugin
    from normlaw.verbs.observe import observe
    from normlaw.verbs.plan import Planned, plan
    from normlaw.verbs.plot import plot
    from normlaw.verbs.plugins import plugins
    from normlaw.verbs.predict import Predicted, predict
    from normlaw.verbs.rehearse import Rehearsal, rehearse
    from normlaw.verbs.report import report
    from normlaw.verbs.results import results
    from normlaw.verbs.run import resume, run
    from normlaw.verbs.runs import curves, runs
    from normlaw.verbs.serve import serve
    from normlaw.verbs.status import status
    from normlaw.verbs.studies import studies
    from normlaw.verbs.sync import Synchronised, sync
    from normlaw.verbs.theory import theory
    from normlaw.verbs.theory_figure import theory_figure
    from normlaw_registry import InputError, NormlawError

_PLACES = {
    "Analysis": "normlaw.analysis",
    "Archived": "normlaw.verbs.archive",
    "Cause": "normlaw.analysis.cause",
    "Caused": "normlaw.verbs.cause",
    "Collapsed": "normlaw.verbs._collapse_run",
    "Compared": "normlaw.verbs._compared",
    "Exported": "normlaw.verbs.export",
    "Finding": "normlaw.machine.finding",
    "InputError": "normlaw_registry",
    "NormlawError": "normlaw_registry",
    "Options": "normlaw.analysis",
    "Planned": "normlaw.verbs.plan",
    "Predicted": "normlaw.verbs.predict",
    "Progress": "normlaw.following.progress",
    "Rehearsal": "normlaw.verbs.rehearse",
    "Result": "normlaw.verbs.analyse",
    "Results": "normlaw.verbs.analyse",
    "ScalingCollapse": "normlaw.analysis.scaling_collapse",
    "Study": "normlaw.study.study",
    "Summary": "normlaw.launching.launch",
    "Synchronised": "normlaw.verbs.sync",
    "against_theory": "normlaw.verbs.against_theory",
    "analyse": "normlaw.verbs.analyse",
    "archive": "normlaw.verbs.archive",
    "cause": "normlaw.verbs.cause",
    "clean": "normlaw.verbs.clean",
    "collapse": "normlaw.verbs.collapse",
    "compare": "normlaw.verbs.compare",
    "curves": "normlaw.verbs.runs",
    "doctor": "normlaw.verbs.doctor",
    "export": "normlaw.verbs.export",
    "fit": "normlaw.verbs.fit",
    "horizons": "normlaw.verbs.horizons",
    "import_curves": "normlaw.verbs.import_curves",
    "load_study": "normlaw.verbs.load_study",
    "measure": "normlaw.verbs.measure",
    "new_plugin": "normlaw.verbs.new_plugin",
    "observe": "normlaw.verbs.observe",
    "plan": "normlaw.verbs.plan",
    "plot": "normlaw.verbs.plot",
    "plugins": "normlaw.verbs.plugins",
    "predict": "normlaw.verbs.predict",
    "rehearse": "normlaw.verbs.rehearse",
    "report": "normlaw.verbs.report",
    "results": "normlaw.verbs.results",
    "resume": "normlaw.verbs.run",
    "run": "normlaw.verbs.run",
    "runs": "normlaw.verbs.runs",
    "serve": "normlaw.verbs.serve",
    "status": "normlaw.verbs.status",
    "studies": "normlaw.verbs.studies",
    "sync": "normlaw.verbs.sync",
    "theory": "normlaw.verbs.theory",
    "theory_figure": "normlaw.verbs.theory_figure",
}
"""Where each name of the API is."""

__all__ = [
    "Analysis",
    "Archived",
    "Cause",
    "Caused",
    "Collapsed",
    "Compared",
    "Exported",
    "Finding",
    "InputError",
    "NormlawError",
    "Options",
    "Planned",
    "Predicted",
    "Progress",
    "Rehearsal",
    "Result",
    "Results",
    "ScalingCollapse",
    "Study",
    "Summary",
    "Synchronised",
    "against_theory",
    "analyse",
    "archive",
    "cause",
    "clean",
    "collapse",
    "compare",
    "curves",
    "doctor",
    "export",
    "fit",
    "horizons",
    "import_curves",
    "load_study",
    "measure",
    "new_plugin",
    "observe",
    "plan",
    "plot",
    "plugins",
    "predict",
    "rehearse",
    "report",
    "results",
    "resume",
    "run",
    "runs",
    "serve",
    "status",
    "studies",
    "sync",
    "theory",
    "theory_figure",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("normlaw")
    if name in __all__:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'normlaw' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
