"""An analysis in a norm that is not exact says so."""

from mlflow.entities import Run, RunData, RunInfo, RunTag

from normlaw.analysis import Options, analyse
from normlaw.tracking import keys
from normlaw.tracking.study_run import StudyRun
from normlaw.verbs._analysis_run import with_exactness
from normlaw_registry.testing.protocol import synthetic_curves


def run(exactness: str | None) -> StudyRun:
    tags = [] if exactness is None else [RunTag(keys.EXACTNESS, exactness)]
    return StudyRun.of(Run(RunInfo("a", "", "", "FINISHED", 0, None, "active"), RunData(tags=tags)))


def test_bounds_and_estimates_are_a_warning_with_how_many_runs(catalogue) -> None:
    analysis = analyse(synthetic_curves(), catalogue, Options(protocol="automatic"))
    runs = [
        run('{"path_norm": "exact"}'),
        run('{"path_norm": "upper_bound"}'),
        run('{"path_norm": "estimate"}'),
        run('{"path_norm": "estimate"}'),
        run("edited by hand"),
        run(None),
    ]
    warned = with_exactness(analysis, runs, "path_norm")
    assert warned.warnings[:-1] == analysis.warnings
    assert str(warned.warnings[-1]) == (
        "norm_not_exact: values of path_norm are estimates without a bound in 2 and upper bounds in 1 of 6 "
        "runs: `run.json` has the steps"
    )
    assert with_exactness(analysis, runs, "weight_norm") is analysis
