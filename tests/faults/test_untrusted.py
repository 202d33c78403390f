"""Files, names and texts that others wrote harm nobody: they are refused in one sentence, or shown as text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import normlaw
from normlaw.analysis import About, Options, analyse, write
from normlaw.analysis.curves_file import read_table
from normlaw.base.redaction import printable, redacted, redacted_tree
from normlaw.cli.plugins import as_lines
from normlaw.cli.program import main
from normlaw.execution.job import Outcome
from normlaw.launching.display import Display
from normlaw.study.expansion import expand
from normlaw.study.names import path_part
from normlaw.study.spec import RunSpec
from normlaw.study.study import parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw.tracking.note import as_note
from normlaw.tracking.record import JournalError, read_journal, validated_spec
from normlaw.tracking.writer import open_experiment
from normlaw_registry import InputError, load_catalogue
from normlaw_tests.processes import python

ROOT = Path(__file__).parents[2]

# journals


def line(kind: str, **content: Any) -> str:
    return json.dumps({"kind": kind, "time": 1, **content}) + "\n"


START = line("start", spec={"a": 1}, environment={})
POINT = line("point", values={"step": 0.0, "test/error": 0.5})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not JSON\n" + POINT, ":1: not a journal's line"),
        ("[1, 2]\n", ":1: not a journal's line: a journal begins with its only `start`"),
        (POINT, ":1: not a journal's line: a journal begins with its only `start`"),
        (START + START, ":2: not a journal's line: a journal begins with its only `start`"),
        (START + '{"kind": "point", "time": 1, "values": {"step": 0, "x": NaN}}\n', ":2: not a journal's line"),
        (
            START + '{"kind": "point", "time": 1, "values": {"step": 0, "x": 1e999}}\n',
            ":2: not a journal's line",
        ),
        (START + line("point", values={"step": 0.0, "x": "1"}), ":2: not a journal's line: values.x"),
        (
            START + line("point", values={"test/error": 0.5}),
            ":2: not a journal's line: a point without its step",
        ),
        (START + line("point", values={"step": 1e300}) + POINT, ":2: not a journal's line"),
        (START + line("point", values={"step": -1.0}), ":2: not a journal's line: a point without its step"),
        (START + POINT + POINT, ":3: not a journal's line: step 0 comes after step 0"),
        (START + line("end", status="won", reason=""), ":2: not a journal's line: status"),
        (START + line("data", name=3), ":2: not a journal's line: name"),
        (START + line("layers", rows=[{"x": {"y": 1}}]), ":2: not a journal's line: rows"),
        (START + line("point", values={"x" * 300: 1.0, "step": 0.0}), ":2: not a journal's line: values"),
        ("[" * 100_000 + "\n", ":1: not a journal's line"),
        (
            '{"kind": "start", "time": 1, "spec": ' + '{"a": ' * 5000 + "1" + "}" * 5001 + "\n",
            ":1: not a journal's",
        ),
        ('{"kind": "start", "time": -1, "spec": {}, "environment": {}}\n', ":1: not a journal's line: time"),
        ("\x00" * 50 + "\n", ":1: not a journal's line"),
    ],
)
def test_a_journal_that_is_none_is_refused_in_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "0123456789abcdef.jsonl"
    path.write_text(text)
    with pytest.raises(JournalError, match=re.escape(told)) as caught:
        read_journal(path)
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_huge_line_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("normlaw.tracking.record.MAX_LINE", 1000)
    path = tmp_path / "j.jsonl"
    path.write_text(START + line("layers", rows=[{"x": "y" * 2000}]))
    with pytest.raises(JournalError, match="larger than any journal"):
        read_journal(path)


def test_a_journal_of_another_run_than_its_name_says_is_not_sent(desk: Any) -> None:
    spec = desk.specs[0]
    desk.journal(spec)
    path = desk.path(spec)
    path.write_text(path.read_text().replace('"batch_size": 16', '"batch_size": 17'))
    record = read_journal(path)
    assert record is not None
    with pytest.raises(JournalError, match="holds another run than its name says"):
        validated_spec(record, path)
    sender = desk.send()
    assert list(sender.unsent) == [spec.spec_hash]
    assert desk.runs() == {}


@pytest.mark.slow
def test_sync_tells_of_every_file_that_it_cannot_send_and_sends_the_rest(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("normlaw.study.home.HOME", desk.home)
    desk.journal(desk.specs[0])
    folder = desk.path(desk.specs[0]).parent
    (folder / "copy of a journal.jsonl").write_text(START)
    (folder / "0123456789abcdef.jsonl").write_text("\x1b[31mred\n")
    done = CliRunner().invoke(main, ["sync", "--tracking-uri", desk.uri], catch_exceptions=False)
    assert done.exit_code == 1
    assert "small: 1 sent, 0 already there" in done.stdout
    assert "not sent: copy of a journal.jsonl: not the name of a journal" in done.stderr
    assert "not sent: 0123456789abcdef.jsonl: " in done.stderr
    assert "\x1b" not in done.output


# study files


def refusal(call: Callable[[], object]) -> str:
    """Return the message of the one error that input may cause, nothing where it is taken."""
    try:
        call()
    except InputError as error:
        return str(error)
    return ""


def study_of(study: str | dict[str, Any]) -> list[Any]:
    source = YamlSource(study, "s.yaml") if isinstance(study, str) else YamlSource.of(study, "s.yaml")
    return expand(parse_study(source), load_catalogue())


FIXED = (
    "fixed: {architecture: perceptron, dataset: digits, steps: 3, measures: [weight_norm]}\n"
    "vary: {train_size: [32], seed: [0]}\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "name: ../../etc/passwd\n" + FIXED,
        "name: a/b\n" + FIXED,
        "name: ..\n" + FIXED,
        'name: "a\\n"\n' + FIXED,
        "name: a\nfixed: {}\nvary: {seed: {count: 1000000000000}, train_size: [1]}\n",
        "name: a\nfixed: {}\nvary: {" + ", ".join(f"k{i}: {list(range(50))}" for i in range(8)) + "}\n",
        "x: " + "[" * 5000,
        "x: " + "{a: " * 2000 + "1" + "}" * 2000,
        "name: a\nfixed: {x: " + "[" * 150 + "]" * 150 + "}\nvary: {seed: [0], train_size: [1]}\n",
        "name: !!python/object/apply:os.system [true]\n" + FIXED,
        "name: a\nfixed: !!binary aGVsbG8=\nvary: {}\n",
        "name: a\n" + FIXED.replace("steps: 3", "steps: " + "9" * 4000),
        "name: a\n" + FIXED.replace("steps: 3", "steps: .inf"),
        "name: a\n" + FIXED.replace("measures: [weight_norm]", "measures: {a: 1}"),
        "name: a\n" + FIXED.replace("[32]", "[2001-01-01]"),
        "name: a\n" + FIXED.replace("digits", "../../secret"),
        "<<: {name: a}\n" + FIXED.replace("fixed: {", "fixed: {<<: 3, "),
    ],
    ids=range(18),
)
def test_a_hostile_study_is_refused_at_once(text: str) -> None:
    with pytest.raises(InputError) as caught:
        study_of(text)
    assert len(str(caught.value)) < 20_000


@pytest.mark.parametrize(
    "text",
    [
        "name: a\n" + FIXED + "".join(f"k{i}: 1\n" for i in range(30_000)),
        "name: a\n" + FIXED.replace("[32]", "[" + "x, " * 100_000 + "]"),
        "name: a\n" + FIXED.replace("[weight_norm]", str([f"m{i}" for i in range(25_000)])),
        "name: a\n" + FIXED.replace("[weight_norm]", "[" + "m, " * 300_000 + "]"),
        "name: " + "x" * 900_000 + "\n" + FIXED,
        "name: a\n" + FIXED + "? " + "x" * 900_000 + "\n: 3\n",
    ],
    ids=range(6),
)
@pytest.mark.slow
def test_a_hostile_study_of_up_to_a_megabyte_is_refused_in_a_few_lines(text: str) -> None:
    with pytest.raises(InputError) as caught:
        study_of(text)
    assert len(str(caught.value)) < 5_000


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**99, -(10**99), 2**63, 0, -1]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["cnn", "perceptron", "digits", "adam", "weight_norm", "<<", "test", "1e400", "off"]),
)
KEYS = st.one_of(
    st.sampled_from([*RunSpec.model_fields, "name", "params", "preset", "count", "log_norm", "optimizer.name"]),
    st.text(max_size=10),
    st.integers(0, 3),
    st.booleans(),
)
TREES = st.recursive(
    HOSTILE,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(fixed=st.dictionaries(KEYS, TREES, max_size=3), vary=st.dictionaries(KEYS, TREES, max_size=2), top=TREES)
def test_any_tree_is_a_study_or_one_error(fixed: Any, vary: Any, top: Any) -> None:
    base = {"architecture": "perceptron", "dataset": "digits", "steps": 3, "measures": ["weight_norm"]}
    tree = {"name": "a", "fixed": base | fixed, "vary": {"train_size": [32], "seed": [0]} | vary, "norm": top}
    for study in (tree, {**tree, "norm": None}, {**tree, "fixed": top}, {**tree, "scales": top}):
        assert len(refusal(partial(study_of, study))) < 5_000


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}?!&*<>|'\"%@`,#\\ \n\t0.1e_~x\x00\ud800é"), max_size=60))
def test_any_text_is_a_study_or_one_error(text: str) -> None:
    for whole in (text, "name: a\n" + FIXED + text, "name: a\n" + FIXED.replace("[32]", text)):
        assert len(refusal(partial(study_of, whole))) < 5_000


# names


@pytest.mark.parametrize("name", ["a/b", "..", "", "a b", "-a", "a\n", "é", "\udcff", "x" * 101, "x" * 10**6])
def test_a_study_is_called_alike_wherever_it_is_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.csv").write_text("train_size,log_norm,test_error\n10,1,0.5\n")
    ways: list[Callable[[], object]] = [
        lambda: parse_study(YamlSource(f"name: {json.dumps(name)}\n" + FIXED, "s.yaml")),
        lambda: normlaw.import_curves("c.csv", name),
        lambda: normlaw.theory("perceptron", [1.0], [1.0], study=name),
    ]
    no_file = {"\udcff": "not YAML", "x" * 10**6: "larger than"}  # refused before there is a name
    for way in ways:
        with pytest.raises(InputError) as caught:
            way()
        told = "cannot be the name of a study: use letters"
        assert (no_file.get(name, told) if way is ways[0] else told) in str(caught.value)
        assert len(str(caught.value)) < 500
    assert [path.name for path in tmp_path.iterdir()] == ["c.csv"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--checkpoint-seconds", "nan"], "checkpoint_seconds must be a finite number, 0 at least, got nan"),
        (["--checkpoint-seconds", "inf"], "got inf"),
        (["--checkpoint-seconds", "-1"], "got -1"),
        (["--checkpoint-seconds", "1e999"], "got inf"),
        (["--max-parallel", "0"], "--max-parallel"),
        (["--max-parallel", "1000000000"], "max_parallel must be 1024 at most, got 1000000000"),
        (["--stack", "-3"], "--stack"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_before_anything_is_written(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["run", "quickstart", *options])
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", "..", ".", "../../x", "/etc/passwd", "a\x00b", "a\nb", "C:\\x", "~", "x" * 9999, ". ./"]
)
def test_no_name_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / path_part(name) / "f"
    path.parent.mkdir()
    path.write_text("")
    assert path.resolve().parents[1] == tmp_path.resolve()
    assert path_part(name) not in ("", ".", "..")


def test_different_long_names_stay_different() -> None:
    assert path_part("x" * 500 + "a") != path_part("x" * 500 + "b")


# secrets


@pytest.mark.parametrize(
    "text",
    [
        "http://ada:hunter22@host:5000/x",
        "postgresql+psycopg://ada:hun%74er22@host/db",
        "postgresql+psycopg://ada:p/w@hunter22@host/db",
        "https://host/api?token=hunter22&x=1",
        "https://host/api?x=1&sig=hunter22",
        "https://host/?X-Amz-Signature=hunter22",
        "Authorization: Bearer hunter22hunter22",
        "the password hunter22xyz was refused",
        "percent%2Fencoded and plain percent/encoded",
    ],
)
def test_secrets_are_not_shown(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter22xyz")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "percent/encoded")
    shown = redacted(text)
    for secret in ("hunter22", "hun%74er22", "percent/encoded", "percent%2Fencoded"):
        assert secret not in shown
    assert redacted_tree({"a": [text, 1.5, None]}) == {"a": [shown, 1.5, None]}


def test_a_password_of_the_tracking_uri_is_hidden_wherever_it_turns_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ada:p%40ssw0rd@host")
    assert redacted("login of ada with p@ssw0rd failed, p%40ssw0rd") == "login of ada with *** failed, ***"


@pytest.mark.parametrize(
    "text", ["test/error 0.5 at http://host:5000/path", "architecture.hidden=[16]", "a: b@c"]
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.slow
def test_tags_parameters_and_files_of_a_run_hold_no_secret(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ps3cret")
    spec = desk.specs[0]
    desk.journal(spec, status="failed")
    path = desk.path(spec)
    path.write_text(
        path.read_text()
        .replace("it diverged", "GET https://x/?token=t0ps3cret failed")
        .replace('"normlaw": "1"', '"normlaw": "t0ps3cret"')
    )
    desk.send()
    (run,) = desk.runs()[spec.spec_hash]
    assert run.data.tags["normlaw.failure"] == "GET https://x/?token=*** failed"
    everything = [json.dumps(run.to_dictionary())]
    everything += [Path(desk.client.download_artifacts(run.info.run_id, "run.json")).read_text()]
    assert "***" in everything[1]
    assert "t0ps3cret" not in "".join(everything)


@pytest.mark.slow
def test_a_traceback_of_a_bug_holds_no_secret() -> None:
    code = (
        "import normlaw.cli.sync as sync\n"
        "def bug(*a, **k): raise ZeroDivisionError('at postgresql://ada:hunter22@host/db')\n"
        "sync.sync.callback = bug\n"
        "from normlaw.cli.program import main\n"
        "main(['sync'])\n"
    )
    done = python("-c", code, cwd="/")
    assert done.returncode == 1
    assert "ZeroDivisionError: at postgresql://ada:***@host/db" in done.stderr
    assert "hunter22" not in done.stderr


# markup


EVIL = "<script>alert(1)</script>{{ 7 * 7 }}{% raw %}[bold]$\\frac{$"


def test_a_studys_description_is_text_in_mlflows_notes(make_desk: Any) -> None:
    desk = make_desk(description=f"{EVIL} ![x](http://host/x.png)")
    note = open_experiment(desk.client, desk.study).tags["mlflow.note.content"]
    assert "<" not in note
    assert "![" not in note
    assert as_note("a < b") == "a &lt; b"


@pytest.mark.slow
def test_names_from_elsewhere_are_text_in_reports(tmp_path: Path) -> None:
    sizes, seeds, points = (100, 200, 400, 800, 1600), (0, 1, 2), 30
    rows = []
    for p in sizes:
        for s in seeds:
            for k in range(points):
                x = 0.2 * k
                low = 1.0 + 0.3 * sizes.index(p)
                error = 0.3 * 2.718 ** (-0.5 * x) + 0.02 * 2.718 ** (x - 2.5 * low) * (1 + 0.01 * s)
                rows.append(
                    {
                        "run": f"{EVIL}{p} {s}",
                        "train_size": p,
                        "seed": s,
                        "step": k,
                        "log_norm": x,
                        "test_error": min(error, 0.9),
                    }
                )
    analysis = analyse(pd.DataFrame(rows), load_catalogue(), Options(protocol="automatic", draws=100))
    about = About(title=EVIL, norm=EVIL, settings={EVIL: EVIL}, command=EVIL)
    write(analysis, tmp_path / "report", about)
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<script" not in page
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", page)[0]
    assert "default-src 'none'" in page


def test_names_that_look_like_markup_or_steer_the_terminal_are_shown_as_text(desk: Any) -> None:
    console = Console(record=True, width=200, file=StringIO())
    with Display(console).training(desk.specs, 0) as report:
        failure = "no [/such] tag, [red]red \x1b[2J and \x9b31m"
        report.ended(desk.specs[0], Outcome(desk.specs[0].spec_hash, failure))
        report.refused("[/bold] \x1b]0;title\x07")
    text = console.export_text()
    assert "no [/such] tag, [red]red" in text
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert printable("a\tb\nc\r\x00") == "a\tb\nc"


def test_a_plugins_summary_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = load_catalogue()
    record = next(record for record in catalogue.records if record.components)
    monkeypatch.setattr("normlaw_registry.component.Component.summary", "x\x1b[2J", raising=False)
    object.__setattr__(record.components[0], "summary", "erase \x1b[2J all")
    assert not any("\x1b[2J" in shown for shown in as_lines(catalogue))


# pickles


PICKLING = re.compile(
    r"\b(np|numpy)\.load\((?!.*allow_pickle=False)|torch\.load\((?!.*weights_only=True)"
    r"|\bread_pickle\(|\bjoblib\.load\(|\bpickle\.loads?\("
    r"|\byaml\.(unsafe_|full_)?load\(|\beval\(\s*['\"]|\bexec\("
)


def test_nothing_is_unpickled_or_executed_that_comes_from_a_file() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in ("platform", "plugins", "registry")
        for path in (ROOT / folder).rglob("*.py")
        for match in PICKLING.finditer(path.read_text())
    ]
    assert found == []


def test_a_measure_that_mlflow_would_refuse_is_refused_in_the_curve_file(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("train_size,log_norm,test_error,measure\n10,1,0.5,<b>$x\n")
    with pytest.raises(InputError, match="line 2, column 'measure': must be a name"):
        read_table(path)


def test_a_changed_file_of_a_begun_study_does_not_keep_the_others_from_being_sent(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("normlaw.study.home.HOME", desk.home)
    desk.journal(desk.specs[0])
    other = desk.home / "journal" / "other"
    other.mkdir()
    shutil.copy(desk.home / "journal" / "small" / "study.yaml", other)
    done = CliRunner().invoke(main, ["sync", "--tracking-uri", desk.uri], catch_exceptions=False)
    assert done.exit_code == 1
    assert "small: 1 sent" in done.stdout
    assert "not sent: other: " in done.stderr
    assert "is study 'small', not 'other' as its folder says" in done.stderr


def test_what_mlflow_refuses_is_one_line(desk: Any, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main, ["analyse", "small", "--tracking-uri", f"sqlite:////{tmp_path}/no/such/folder.db"]
    )
    assert done.exit_code in (1, 2)
    assert "Traceback" not in done.output
