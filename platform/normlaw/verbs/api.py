"""The verbs as functions: what the command line does, from Python. Heavy modules are imported inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normlaw.study.study import Study, at_scale, find_study, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError, load_catalogue

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from normlaw.analysis import Analysis
    from normlaw.analysis.figures.style import Use
    from normlaw.launching.launch import Summary
    from normlaw.machine.finding import Finding
    from normlaw.verbs.against_theory import Compared
    from normlaw.verbs.analyse import Result
    from normlaw.verbs.predict import Predicted
    from normlaw.verbs.rehearse import Rehearsal
    from normlaw.verbs.sync import Synchronised


def load_study(study: str | Path | Mapping[str, Any] | Study, *, scale: str | None = None) -> Study:
    """Return a study.

    Args:
        study: a shipped study's name, the path of a YAML file, or what such a file holds as a mapping.
        scale: a variant of it in another size, such as 'small'.

    Raises:
        InputError: there is none, or it is wrong; says where, and the nearest valid names.

    """
    return parse_study(_source(study, scale))


def run(study: str | Path | Study, *, scale: str | None = None, **options: Any) -> Summary:
    """Train the runs of a study that are not finished yet, and log them to MLflow; `normlaw run`.

    Args:
        study: a study, or what `load_study` takes.
        scale: a variant of it in another size.
        options: as the options of `normlaw run`, with the same names and defaults: tracking_uri, home (folder
            of the journals), device, download, max_parallel, offline, ..., and debug, which
            shows the tracebacks of failed runs (see `normlaw.launching.launch.launch`).

    Returns:
        How many runs were trained, how many were there, and which failed and why.

    Raises:
        InputError: the study asks for what cannot be done, or the server does not answer.
        KeyboardInterrupt: passed on after the runs have stopped at their next measuring point; `resume` or the
            same call goes on.

    """
    return launch_source(_source(study, scale), options)


def resume(study: str, **options: Any) -> Summary:
    """Go on with a study, named as in MLflow, where it was begun; `normlaw resume`. Options as `run`."""
    from normlaw.study.home import HOME, begun_study

    return launch_source(begun_study(options.get("home", HOME), study), options)


def launch_source(source: YamlSource, options: Mapping[str, Any]) -> Summary:
    """Train what a study lacks, showing what happens on standard error; options that are None are left out."""
    study = parse_study(source)
    from normlaw.launching.display import Display
    from normlaw.launching.launch import launch

    given = {name: value for name, value in options.items() if value is not None}
    display = Display(debug=bool(given.pop("debug", False)))
    return launch(study, source, load_catalogue(), display, **given)


def rehearse(
    study: str | Path | Study, *, scale: str | None = None, home: Path | None = None, device: str = "auto"
) -> Rehearsal:
    """Return what `run` would do here, without doing it; `normlaw run --dry-run`. Nothing is written.

    Args:
        study: a study, or what `load_study` takes.
        scale: a variant of it in another size.
        home: folder of the journals; default NORMLAW_HOME, else .normlaw in the working folder.
        device: where it would train.

    Returns:
        The runs with their cost, and what cannot be trained and why.

    Raises:
        InputError: the study asks for what is not there.

    """
    from normlaw.study.home import HOME
    from normlaw.verbs.rehearse import rehearse as carry_out

    source = _source(study, scale)
    return carry_out(parse_study(source), source, load_catalogue(), home=home or HOME, device=device)


def doctor(*architectures: str, tracking_uri: str | None = None) -> list[Finding]:
    """Check this machine before days are spent on it; `normlaw doctor`.

    Args:
        architectures: whose gradients are compared with float64; default: all that are installed.
        tracking_uri: MLflow server.

    """
    from normlaw.machine.examine import examine
    from normlaw.study.home import HOME

    return list(examine(load_catalogue(), HOME, tracking_uri, architectures))


def sync(study: str | None = None, *, tracking_uri: str | None = None) -> list[Synchronised]:
    """Send to MLflow what journals hold and it does not have, of one study or of all; `normlaw sync`.

    Raises:
        InputError: no such study was begun here, or no server answers.

    """
    from normlaw.study.home import HOME, begun_studies, begun_study
    from normlaw.verbs.sync import synchronise

    sources = [begun_study(HOME, name) for name in ([study] if study is not None else begun_studies(HOME))]
    return list(synchronise(sources, HOME, tracking_uri))


def runs(
    study: str | Study, *, kinds: Sequence[str] = ("training", "imported"), tracking_uri: str | None = None
) -> pd.DataFrame:
    """Return a study's runs at MLflow, a row a run, oldest first.

    Columns: run (the specification's hash), run_id, name, kind, status, start_time, the parameters by their
    MLflow names, and the last value of each metric.

    Args:
        study: a study or its name.
        kinds: kinds of runs: training, imported, theory, analysis.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no such study, or no server answers.

    """
    from normlaw.verbs.frames import runs_frame

    return runs_frame(_name(study), kinds, tracking_uri)


def curves(
    study: str | Study, *, kinds: Sequence[str] = ("training", "imported"), tracking_uri: str | None = None
) -> pd.DataFrame:
    """Return a study's learning curves, a row a measuring point, from the finished runs at MLflow.

    Columns: run (the specification's hash), train_size, seed, step, epoch, test/error, test/loss, train/error,
    train/loss, log_norm/<measure> (natural log) for each measure, and each parameter in which the study's runs
    differ.

    Args:
        study: a study or its name.
        kinds: kinds of runs: training, imported, theory.
        tracking_uri: MLflow server; default MLFLOW_TRACKING_URI, else mlflow.db in the working folder.

    Raises:
        InputError: no such study, no finished runs of these kinds, or no server answers.

    """
    from normlaw.verbs.frames import curves_frame

    return curves_frame(_name(study), kinds, tracking_uri)


def results(*studies: str | Study, tracking_uri: str | None = None) -> pd.DataFrame:
    """Return the exponents of studies' latest analyses at MLflow; no study means all of them.

    Columns: analysis (study and setting), norm, exponent, value, stderr, low, high (confidence limits).

    Raises:
        InputError: no such study, no analysis of any of them, or no server answers.

    """
    from normlaw.verbs.frames import results_frame

    return results_frame([_name(study) for study in studies], tracking_uri)


def analyse(
    study: str | Study,
    *,
    norm: str | None = None,
    reports: Path | str = Path("reports"),
    figures: Use = "page",
    tracking_uri: str | None = None,
    **choices: Any,
) -> list[Result]:
    """Fit the laws of every setting of a study and log each as a run of the study; `normlaw analyse`.

    Args:
        study: a study or its name.
        norm: the measure to read the laws in; default: the study's own.
        reports: folder for tables and figures.
        figures: what they are for: "page", as SVG and PNG across a page, or "paper", as PDF and as wide as a
            column of print too.
        tracking_uri: MLflow server.
        choices: fields of `Options`, such as response, floor, confidence, hold_out, compare_norms, fitters
            (names, or names with parameters), protocol (by default the study's own) and protocol_params.

    Raises:
        InputError: no such study, too few runs for the laws, or a choice that makes no sense.

    """
    from normlaw.verbs.analyse import analyse_study

    found = analyse_study(
        _name(study),
        load_catalogue(),
        norm=norm,
        options=_options(choices),
        tracking_uri=tracking_uri,
        reports=Path(reports),
        figures=figures,
    )
    return list(found)


def against_theory(
    study: str | Study, *, reports: Path | str = Path("reports"), tracking_uri: str | None = None
) -> Compared | None:
    """Set a study's trained curves against its theory runs; None where it has not both."""
    from normlaw.verbs.against_theory import compare_study

    return compare_study(_name(study), tracking_uri=tracking_uri, reports=Path(reports))


def fit(curves: pd.DataFrame | Path | str, *, norm: str | None = None, **choices: Any) -> Analysis:
    """Fit the laws to curves; pure: no server, no file is written.

    Args:
        curves: what `curves` returns, all of one setting; a frame with the columns train_size, log_norm
            (natural log) and test_error (fraction) or test_loss; or the path of a CSV file with these.
        norm: the measure to read the laws in, where there are several; default: the first.
        choices: fields of `Options`, such as response, floor, confidence, hold_out, compare_norms, fitters
            (names, or names with parameters), protocol (by default the study's own) and protocol_params.

    Raises:
        InputError: the curves cannot be used, belong to several settings, or hold too little for the laws.

    """
    from normlaw.analysis import analyse as analyse_curves
    from normlaw.analysis.curves import restricted
    from normlaw.analysis.curves_file import read_curves_file, read_every_measure
    from normlaw.verbs.frames import is_own_norm, name_of_norm, of_one_norm, own_choices

    options = _options(choices)
    if isinstance(curves, str | Path):
        points, chosen = read_curves_file(Path(curves), norm, options.measured)
        whole = read_every_measure(Path(curves), options.measured) if options.compare_norms else None
    else:
        points, whole, chosen = of_one_norm(curves, norm), curves, name_of_norm(curves, norm)
        options = options.within(own_choices(curves), is_own_norm(curves, norm))
    whole = None if whole is None else restricted(whole, options, chosen)
    return analyse_curves(points, load_catalogue(), options, whole)


def predict(
    source: str | Study | pd.DataFrame | Path,
    train_sizes: float | Sequence[float],
    *,
    norm_values: Sequence[float] = (),
    log_norms: Sequence[float] = (),
    norm: str | None = None,
    hold_out: int | None = None,
    tracking_uri: str | None = None,
    **choices: Any,
) -> list[Predicted]:
    """Predict errors at other train sizes and norms by the model that a protocol fits; `normlaw predict`.

    Args:
        source: a study or its name; or curves, as a frame that `fit` takes or the `Path` of a CSV file; these
            need no server.
        train_sizes: one or several, of any size.
        norm_values: norms to predict at. With no norm: the least error of each train size.
        log_norms: norms as natural logs, in addition.
        norm: the measure that the norms are of; default: the study's own.
        hold_out: how many of the largest train sizes are left out, in order, to score the predictions; 0: none;
            default: 4, or as many as leave 3 to fit.
        tracking_uri: MLflow server.
        choices: fields of `Options`: protocol, protocol_params, response, floor, from_norm, from_train_size,
            confidence.

    Returns:
        For each setting of the study its prediction: `.prediction.table`, `.scores`, `.by_size`.

    Raises:
        InputError: no such study, a train size below 1, a norm that is not positive, curves that cannot be
            used, or a protocol that has no model to predict with.

    """
    import pandas as pd

    from normlaw.analysis.prediction import log_of_norm
    from normlaw.analysis.prediction import predict as of_curves
    from normlaw.verbs.predict import Predicted, predict_study

    options = _options(choices)
    sizes = [train_sizes] if isinstance(train_sizes, int | float) else list(train_sizes)
    logs = [*(log_of_norm(value) for value in norm_values), *log_norms]
    if isinstance(source, str | Study):
        found = predict_study(
            _name(source),
            load_catalogue(),
            sizes,
            logs,
            norm=norm,
            options=options,
            hold_out=hold_out,
            tracking_uri=tracking_uri,
        )
        return list(found)
    if isinstance(source, pd.DataFrame):
        from normlaw.verbs.frames import is_own_norm, name_of_norm, of_one_norm, own_choices

        points, chosen = of_one_norm(source, norm), name_of_norm(source, norm)
        options = options.within(own_choices(source), is_own_norm(source, norm))
    else:
        from normlaw.analysis.curves_file import read_curves_file

        points, chosen = read_curves_file(source, norm, options.measured)
    prediction = of_curves(points, load_catalogue(), sizes, logs, options, hold_out)
    return [Predicted(setting={}, norm=chosen, prediction=prediction)]


def plot(analysis: Analysis, figure: str = "error_against_norm") -> Figure:
    """Return a figure of an analysis.

    Args:
        analysis: what `fit` returns, or `.analysis` of what `analyse` returns.
        figure: error_against_norm, collapse, optimal_norm, endpoint_law; where the protocol gives their tables,
            departure, local_exponent, joint_region and sensitivity.

    Raises:
        InputError: the analysis has no such figure; names those that it has.

    """
    from normlaw.analysis.figures import figures
    from normlaw_registry.errors import suggestion

    drawn = figures(analysis)
    if figure not in drawn:
        raise InputError(f"no figure {figure!r} of this analysis: {suggestion(figure, list(drawn))}")
    return drawn[figure]


def import_curves(path: Path | str, study: str, *, tracking_uri: str | None = None) -> tuple[int, int]:
    """Log the curves of a CSV file into a study; `normlaw import`.

    Returns:
        How many curves were logged, and how many were there already.

    Raises:
        InputError: the file cannot be used (names file, line and column), or no server answers.

    """
    from normlaw.verbs.import_curves import import_file

    return import_file(Path(path), study, tracking_uri)


def report(
    *studies: str | Study, page: Path | str = Path("reports/comparison.html"), tracking_uri: str | None = None
) -> list[str]:
    """Write a page that compares the latest analyses of studies (none: all); `normlaw report`.

    Returns:
        The names of the analyses on the page.

    Raises:
        InputError: no such study, no analysis of any of them, or the page cannot be written.

    """
    from normlaw.verbs.report import compare

    return compare([_name(study) for study in studies], Path(page), tracking_uri)


def plugins() -> pd.DataFrame:
    """Return what is installed, a row a component; `normlaw plugins`.

    Columns: distribution, version, module, requires, failure, kind, name, summary, source, devices, dtypes. A
    plugin that failed is a row without a component, its reason under failure.
    """
    import pandas as pd

    from normlaw.verbs.listing import component_rows

    return pd.DataFrame(component_rows(load_catalogue()))


def studies() -> pd.DataFrame:
    """Return the shipped studies and their scales with the number of runs and steps; `normlaw studies`."""
    import pandas as pd

    from normlaw.verbs.listing import study_rows

    return pd.DataFrame([row for row, _ in study_rows(())])


def theory(
    name: str,
    alphas: Sequence[float],
    norms: Sequence[float],
    *,
    params: Mapping[str, Any] | None = None,
    study: str | None = None,
    dimension: int = 1000,
    tracking_uri: str | None = None,
) -> pd.DataFrame:
    """Return exact learning curves of a solvable model, a row a pair of load and norm; `normlaw theory`.

    Args:
        name: of the theory.
        alphas: loads P/N.
        norms: norms lambda themselves, not their logs.
        params: its parameters.
        study: log the curves to MLflow too, as runs of the study of this name.
        dimension: with `study`: N, which makes train_size = alpha N.
        tracking_uri: MLflow server.

    Returns:
        Columns alpha, lambda, the theory's order parameters, error.

    Raises:
        InputError: a load, norm or parameter is out of range.

    """
    import pandas as pd

    from normlaw.verbs.theory import as_rows, log_curves, require_store, solve, train_sizes

    if study is not None:
        train_sizes(study, alphas, dimension)  # what cannot be logged is told before it is solved
        require_store(tracking_uri)
    component, checked, predictions = solve(name, params or {}, alphas, norms)
    if study is not None:
        log_curves(component, checked, predictions, study, dimension, tracking_uri)
    return pd.DataFrame(as_rows(predictions))


def new_plugin(name: str, kinds: Sequence[str], *, folder: Path | str = ".") -> Path:
    """Write a plugin of one's own and return its folder; `normlaw plugins new`.

    Args:
        name: of the distribution, such as 'my-norm'.
        kinds: what it provides: architecture, dataset, complexity-measure, fitter, theory, protocol.
        folder: where the package's folder is made.

    Raises:
        InputError: the name cannot be used or is taken, or the folder cannot be made.

    """
    from normlaw.verbs.new_plugin import new_plugin as write

    return write(name, kinds, load_catalogue(), folder)[0]


def _source(study: str | Path | Mapping[str, Any] | Study, scale: str | None) -> YamlSource:
    if isinstance(study, Study):
        source = YamlSource(study.to_yaml(), study.name)
    elif isinstance(study, Mapping):
        source = YamlSource.of(dict(study), str(study.get("name", "study")))
    else:
        source = find_study(str(study))
    return source if scale is None else at_scale(source, scale)


def _name(study: str | Study) -> str:
    return study.name if isinstance(study, Study) else study


def _options(choices: Mapping[str, Any]) -> Any:
    from dataclasses import fields

    from normlaw.analysis import Options
    from normlaw_registry.errors import suggestion

    known = [field.name for field in fields(Options)]
    for name in choices:
        if name not in known:
            raise InputError(f"unknown choice {name!r} of an analysis: {suggestion(name, known)}")
    return Options(**choices)
