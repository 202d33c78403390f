"""An analysis in a norm that is not exact says so, and one of data that differ."""

from mlflow.entities import Run, RunData, RunInfo, RunTag

from normlaw.analysis import Options, analyse
from normlaw.tracking import keys
from normlaw.tracking.study_run import StudyRun, unit_of
from normlaw.verbs._analysis_run import with_doubts
from normlaw_registry.testing.protocol import synthetic_curves


def run(exactness: str | None, **more: str) -> StudyRun:
    found = {**({} if exactness is None else {keys.EXACTNESS: exactness}), **more}
    tags = [RunTag(key, value) for key, value in found.items()]
    return StudyRun.of(Run(RunInfo("a", "", "", "FINISHED", 0, None, "active"), RunData(tags=tags)))


def test_bounds_and_estimates_are_a_warning_with_how_many_runs(catalogue) -> None:
    analysis = analyse(synthetic_curves(), catalogue, Options(protocol="automatic", draws=100))
    runs = [
        run('{"path_norm": "exact"}'),
        run('{"path_norm": "upper_bound"}'),
        run('{"path_norm": "estimate"}'),
        run('{"path_norm": "estimate"}'),
        run("edited by hand"),
        run(None),
    ]
    warned = with_doubts(analysis, runs, "path_norm")
    assert warned.warnings[:-1] == analysis.warnings
    assert str(warned.warnings[-1]) == (
        "norm_not_exact: values of path_norm are estimates without a bound in 2 and upper bounds in 1 of 6 "
        "runs: `run.json` has the steps"
    )
    assert with_doubts(analysis, runs, "weight_norm") is analysis


def test_files_that_changed_between_runs_are_a_warning(catalogue) -> None:
    analysis = analyse(synthetic_curves(), catalogue, Options(protocol="automatic", draws=100))
    before, after = ({keys.FINGERPRINT: f"2 files, digest {name}"} for name in ("aa", "bb"))
    runs = [run(None, **before), run(None, **after), run(None, **before), run(None)]
    assert str(with_doubts(analysis, runs, "weight_norm").warnings[-1]) == (
        "data_differ: files that the data were read from have changed between runs: 2 files, digest aa in 2; "
        "2 files, digest bb in 1"
    )
    assert with_doubts(analysis, runs[::2], "weight_norm") is analysis


def test_train_sizes_count_what_the_runs_noted() -> None:
    noted = run(None, **{keys.UNIT: "sequences of 9 tokens"})
    assert unit_of([run(None)]) == "examples"
    assert unit_of([run(None), noted, noted]) == "sequences of 9 tokens"
