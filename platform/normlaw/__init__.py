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
    from normlaw.launching.launch import Summary
    from normlaw.machine.finding import Finding
    from normlaw.study.study import Study
    from normlaw.verbs.analyse import Result
    from normlaw.verbs.api import (
        against_theory,
        analyse,
        curves,
        doctor,
        fit,
        import_curves,
        load_study,
        new_plugin,
        plot,
        plugins,
        predict,
        rehearse,
        report,
        results,
        resume,
        run,
        runs,
        studies,
        sync,
        theory,
    )
    from normlaw.verbs.predict import Predicted
    from normlaw.verbs.rehearse import Rehearsal
    from normlaw_registry import InputError, NormlawError

_ELSEWHERE = {
    "Analysis": "normlaw.analysis",
    "Options": "normlaw.analysis",
    "Result": "normlaw.verbs.analyse",
    "Finding": "normlaw.machine.finding",
    "Summary": "normlaw.launching.launch",
    "Predicted": "normlaw.verbs.predict",
    "Rehearsal": "normlaw.verbs.rehearse",
    "Study": "normlaw.study.study",
    "InputError": "normlaw_registry",
    "NormlawError": "normlaw_registry",
}
"""Where the names of the API are that are not in `normlaw.verbs.api`."""

__all__ = [
    "Analysis",
    "Finding",
    "InputError",
    "NormlawError",
    "Options",
    "Predicted",
    "Rehearsal",
    "Result",
    "Study",
    "Summary",
    "against_theory",
    "analyse",
    "curves",
    "doctor",
    "fit",
    "import_curves",
    "load_study",
    "new_plugin",
    "plot",
    "plugins",
    "predict",
    "rehearse",
    "report",
    "results",
    "resume",
    "run",
    "runs",
    "studies",
    "sync",
    "theory",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("normlaw")
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, "normlaw.verbs.api")), name)
    raise AttributeError(f"module 'normlaw' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
