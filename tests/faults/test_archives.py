"""Archives: what comes back is what was there, the same bytes each time; a hostile one is refused."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import normlaw
from normlaw.archiving import container, curves_table
from normlaw.archiving.manifest import CURVES, MANIFEST, RUNS, STUDY
from normlaw.cli.program import main
from normlaw_tests.two_settings import SETTING, two_settings

FITTED: dict[str, Any] = {"protocol": "released", "window": (None, 0.3)}
DIFFERENT = ["run_id", "start_time"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """Return a folder with a store of a study of two settings and a theory, and its archive."""
    folder = tmp_path_factory.mktemp("archived")
    shutil.copy(empty_database, folder / "mlflow.db")
    uri = f"sqlite:///{folder}/mlflow.db"
    two_settings().to_csv(folder / "curves.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        normlaw.import_curves(folder / "curves.csv", "s", tracking_uri=uri)
        normlaw.theory("perceptron", [0.5, 1.0], [0.1, 1.0], study="s", dimension=100, tracking_uri=uri)
        normlaw.archive("s", folder / "s.zip", tracking_uri=uri)
    return folder


@pytest.fixture
def here(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with the archive and a store of its own for what is imported."""
    shutil.copy(folder / "s.zip", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    return tmp_path


@pytest.mark.slow
def test_the_same_study_gives_the_same_bytes(here: Path) -> None:
    made = normlaw.archive("s", "again.zip")
    assert (made.runs, made.findings) == (26, ())
    assert Path("again.zip").read_bytes() == Path("s.zip").read_bytes()
    assert made.bytes == Path("s.zip").stat().st_size
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_a_copy_of_an_archive_has_what_the_store_has_and_nothing_twice(here: Path) -> None:
    assert normlaw.import_curves("s.zip", "copy") == (26, 0)
    assert normlaw.import_curves("s.zip", "copy") == (0, 26)
    assert normlaw.import_curves("s.zip", "s") == (0, 26)
    for kind in ("imported", "theory"):
        asked: Any = {"kinds": [kind]}
        one, two = normlaw.curves("s", **asked), normlaw.curves("copy", **asked)
        pd.testing.assert_frame_equal(one, two, check_exact=True)
        rows = [normlaw.runs(study, **asked).drop(columns=DIFFERENT) for study in ("s", "copy")]
        pd.testing.assert_frame_equal(rows[0], rows[1], check_like=True)


@pytest.mark.slow
@pytest.mark.usefixtures("one_figure")
def test_an_archive_has_the_laws_that_the_store_has(here: Path, folder: Path) -> None:
    normlaw.import_curves(folder / "curves.csv", "laws")
    normlaw.archive("laws", "laws.zip")
    found = normlaw.analyse("laws", norm="first", reports="one", **FITTED)
    of_archive = normlaw.analyse(Path("laws.zip"), norm="first", reports="two", **FITTED)
    assert [r.setting for r in found] == [r.setting for r in of_archive]
    assert len(found) == 2
    for ours, theirs in zip(found, of_archive, strict=True):
        assert ours.analysis.to_dict() == theirs.analysis.to_dict()
        assert theirs.run_id is None
    made = normlaw.archive("laws", "analysed.zip")
    assert len(made.findings) == 2
    with zipfile.ZipFile("analysed.zip") as archive:
        names = archive.namelist()
        of_setting = [name for name in names if name.startswith(f"findings/laws {SETTING}=0.0")]
        (summary,) = [name for name in of_setting if name.endswith("/summary.txt")]
        told = Path("one", "laws", f"{SETTING}=0.0", "summary.txt").read_bytes()
        assert archive.read(summary) == told
    assert any(name.endswith(".svg") for name in names)
    with pytest.raises(normlaw.InputError, match=rf"belong to 2 values of '{SETTING}'"):
        normlaw.fit("laws.zip", norm="first", **FITTED)


def test_a_trained_run_keeps_its_specification_and_versions(desk: Any, tmp_path: Path) -> None:
    for spec in desk.specs[:2]:
        desk.journal(spec)
    desk.send()
    path = tmp_path / "small.zip"
    asked: Any = {"tracking_uri": desk.uri}
    assert normlaw.archive(desk.study, path, **asked).runs == 2
    assert normlaw.import_curves(path, "copy", **asked) == (2, 0)
    assert normlaw.import_curves(path, desk.study.name, **asked) == (0, 2)
    rows = [normlaw.runs(study, **asked).drop(columns=DIFFERENT) for study in (desk.study.name, "copy")]
    pd.testing.assert_frame_equal(rows[0], rows[1], check_like=True)
    ids = [normlaw.runs(study, **asked)["run_id"][0] for study in (desk.study.name, "copy")]
    texts = [Path(desk.client.download_artifacts(run_id, "run.json")).read_text() for run_id in ids]
    assert texts[0] == texts[1]
    assert '"normlaw": "1"' in texts[0]
    tags = [desk.client.get_run(run_id).data.tags for run_id in ids]
    assert tags[0]["normlaw.measures"] == tags[1]["normlaw.measures"]
    assert tags[0]["normlaw.plugins"] == tags[1]["normlaw.plugins"] == "normlaw 1"


def test_a_citation_stands_in_the_archive(here: Path) -> None:
    Path("cite.yaml").write_text(
        "title: Norms\nlicence: cc-by-4.0\n"
        "authors:\n- {name: 'Curie, Marie', orcid: 0000-0002-1825-0097}\n- CERN\n"
    )
    done = CliRunner().invoke(
        main, ["archive", "s", "--to", "c.zip", "--citation", "cite.yaml", "--doi", "10.5281/zenodo.12"]
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("c.zip: 26 runs, 0 analyses, ")
    assert "no findings: `normlaw analyse s` first" in done.stderr
    with zipfile.ZipFile("c.zip") as archive:
        cff = yaml.safe_load(archive.read("CITATION.cff"))
        zenodo = json.loads(archive.read(".zenodo.json"))
    curie = {"family-names": "Curie", "given-names": "Marie", "orcid": "https://orcid.org/0000-0002-1825-0097"}
    assert cff["authors"] == [curie, {"name": "CERN"}]
    assert (cff["cff-version"], cff["title"], cff["license"]) == ("1.2.0", "Norms", "CC-BY-4.0")
    assert cff["doi"] == zenodo["doi"] == "10.5281/zenodo.12"
    assert zenodo["creators"][0] == {"name": "Curie, Marie", "orcid": "0000-0002-1825-0097"}


@pytest.mark.parametrize(
    ("citation", "told"),
    [
        ({"licence": "open"}, "licence: no licence of the SPDX list"),
        ({"doi": "https://doi.org/10.5281/x"}, "doi: string should match pattern"),
        ({"titel": "x"}, r"c\.yaml:1: titel: unknown key, did you mean title\?"),
        ({"authors": [{"name": "x", "orchid": "y"}]}, r"c\.yaml:\d: authors\.0\.orchid: unknown key"),
        ({"title": "a\nb"}, "title: string should match pattern"),
    ],
)
def test_a_citation_that_makes_no_sense_is_refused(here: Path, citation: Any, told: str) -> None:
    Path("c.yaml").write_text(yaml.safe_dump(citation))
    with pytest.raises(normlaw.InputError, match=told):
        normlaw.archive("s", "out.zip", citation="c.yaml")
    assert not Path("out.zip").exists()


def test_what_is_no_archive_is_not_replaced(here: Path) -> None:
    Path("mine.txt").write_text("mine")
    with pytest.raises(normlaw.InputError, match=r"mine\.txt exists and is no archive"):
        normlaw.archive("s", "mine.txt")
    with pytest.raises(normlaw.InputError, match="no study 'other'"):
        normlaw.archive("other")


# archives that others made

Members = dict[str, bytes]


def packed(members: Members, *, honest: bool = True) -> bytes:
    """Return an archive of these members; with a manifest that is right unless it is among them."""
    if honest:
        manifest = json.loads(members[MANIFEST])
        manifest["members"] = [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != MANIFEST
        ]
        members = {**members, MANIFEST: json.dumps(manifest).encode()}
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return place.getvalue()


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refused(data: bytes) -> str:
    """Return the one message that an archive is refused with, by both verbs that read one."""
    Path("bad.zip").write_bytes(data)
    told = []
    for call in (lambda: normlaw.import_curves("bad.zip", "new"), lambda: normlaw.analyse(Path("bad.zip"))):
        with pytest.raises(normlaw.InputError) as caught:
            call()
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert told[0].startswith("bad.zip")
    assert len(told[0]) < 500
    assert "\n" not in told[0]
    return told[0]


def with_curves(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Members], Members]:
    def changed(members: Members) -> Members:
        place = io.BytesIO()
        change(pd.read_parquet(io.BytesIO(members[CURVES]))).to_parquet(place, index=False)
        return {**members, CURVES: place.getvalue()}

    return changed


def with_run(**change: Any) -> Callable[[Members], Members]:
    def changed(members: Members) -> Members:
        first, *rest = members[RUNS].splitlines(keepends=True)
        run = {**json.loads(first), **change}
        return {**members, RUNS: json.dumps(run).encode() + b"\n" + b"".join(rest)}

    return changed


def with_text(name: str, text: bytes) -> Callable[[Members], Members]:
    return lambda members: {**members, name: text}


def at(frame: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    return frame.assign(**{column: frame[column].mask(frame.index == 3, value)})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: {**m, "../evil": b""}, "member '../evil' has a path that leads elsewhere"),
        (lambda m: {**m, "/etc/passwd": b""}, "has a path that leads elsewhere"),
        (lambda m: {**m, "a/../../b": b""}, "has a path that leads elsewhere"),
        (lambda m: {**m, "C:/x": b""}, "has a name that no file may have"),
        (lambda m: {**m, "a\\b": b""}, "has a name that no file may have"),
        (lambda m: {**m, "\x1b[2J\u202e": b""}, "has a name that no file may have"),
        (lambda m: {**m, "x" * 300: b""}, "has a name that no file may have"),
        (lambda m: {k: v for k, v in m.items() if k != CURVES}, f"lacks {CURVES}"),
        (with_text(STUDY, b'{"name": "../x", "tags": {}}'), "cannot be the name of a study"),
        (with_text(STUDY, b'{"name": "x", "tags": {"mlflow.user": "y"}}'), "no tag of a study"),
        (with_text(STUDY, b"[" * 100_000), "study.json: no JSON: too deep"),
        (with_text(CURVES, b"PAR1 nothing"), "curves.parquet is no Parquet file, or is damaged"),
        (with_run(params={"train_size": "many"}), "line 1: params.train_size must be a whole number"),
        (
            with_run(params={"train_size": "100", "x": "y" * 7000}),
            "line 1: params.x: String should have at most",
        ),
        (with_run(metrics={"test/error": float("nan")}), "line 1: no JSON: NaN is no number"),
        (with_run(run="<b>"), "line 1: run: String should match"),
        (with_run(kind="analysis"), "line 1: kind: "),
        (with_run(tags={"mlflow.user": "x"}), "line 1: no tag of a run: 'mlflow.user'"),
        (with_run(description={"layers": [{"measure": []}]}), "line 1: description.layers: each must have"),
        (with_run(points=29), "rows of run"),
        (with_run(points=10**15), "curves.parquet"),
        (lambda m: {**m, RUNS: m[RUNS] + m[RUNS].splitlines(keepends=True)[0]}, "is there twice"),
        (
            with_curves(lambda f: at(f, "test/error", 1.5)),
            "'test/error': must be a fraction in [0, 1], got 1.5",
        ),
        (with_curves(lambda f: at(f, "log_norm/first", 1e9)), "must lie within"),
        (with_curves(lambda f: at(f, "step", 0)), "has two points at one step"),
        (with_curves(lambda f: f.iloc[:-1]), "has fewer rows than the runs"),
        (with_curves(lambda f: pd.concat([f, f.tail(1)])), "has more rows than the runs"),
        (with_curves(lambda f: f.astype({"train_size": float})), "'train_size' must be there and hold int64"),
        (with_curves(lambda f: f.assign(x="text")), "column 'x' must be there and hold double"),
    ],
    ids=range(29),
)
def test_an_archive_that_no_study_gives_is_refused(here: Path, change: Any, told: str) -> None:
    assert told in refused(packed(change(members_of(Path("s.zip")))))


def test_a_manifest_is_held_to_what_it_says(here: Path) -> None:
    members = members_of(Path("s.zip"))
    assert "is not what the manifest says: wrong checksum" in refused(
        packed({**members, "README.md": members["README.md"].swapcase()}, honest=False)
    )
    assert "has another size" in refused(packed({**members, "README.md": b""}, honest=False))
    assert "the manifest does not name" in refused(packed({**members, "more": b""}, honest=False))
    assert f"it has no {MANIFEST}" in refused(
        packed({k: v for k, v in members.items() if k != MANIFEST}, honest=False)
    )
    manifest = json.loads(members[MANIFEST])
    for change, told in (
        ({"version": 2}, "is of version 2 and this normlaw reads 1: upgrade normlaw"),
        ({"format": "zip"}, "manifest.json: format: "),
        ({"members": manifest["members"] * 2}, "a member is named twice"),
        ({"extra": 1}, "manifest.json: extra: "),
    ):
        text = json.dumps({**manifest, **change}).encode()
        assert told in refused(packed({**members, MANIFEST: text}, honest=False))


def test_links_doubles_and_strange_methods_are_refused(here: Path) -> None:
    whole = Path("s.zip").read_bytes()

    def added(write: Callable[[zipfile.ZipFile], None]) -> bytes:
        place = io.BytesIO(whole)
        with zipfile.ZipFile(place, "a") as archive:
            write(archive)
        return place.getvalue()

    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "is no plain file but a link" in refused(added(lambda a: a.writestr(link, "/etc/passwd")))
    with pytest.warns(UserWarning, match="Duplicate name"):
        doubled = added(lambda a: a.writestr("README.md", "twice"))
    assert "two members are called 'README.md'" in refused(doubled)
    assert "is packed by method 14" in refused(added(lambda a: a.writestr("x", "y", zipfile.ZIP_LZMA)))
    assert "is a folder" in refused(added(lambda a: a.writestr("folder/", "")))


def test_bombs_and_what_is_cut_off_are_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Path("s.zip").read_bytes()
    monkeypatch.setattr(container, "FREE", 2**20)
    assert "would unpack to 3,000,000 bytes" in refused(
        packed({**members_of(Path("s.zip")), "zeros": b"0" * 3_000_000})
    )
    monkeypatch.setattr(container, "MOST_MEMBERS", 3)
    assert "members; 3 are the most" in refused(whole)
    monkeypatch.setattr(container, "MOST_MEMBERS", 100)
    monkeypatch.setattr(container, "MOST_BYTES", 1000)
    assert "which no archive does" in refused(whole)
    monkeypatch.setattr(container, "MOST_BYTES", 2**30)
    monkeypatch.setattr(curves_table, "MOST_GROUP", 100)
    assert "in one part are too many" in refused(whole)
    assert "is no archive, or is damaged" in refused(whole[: len(whole) // 2])
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    assert "bad.zip" in refused(bytes(flipped))


def test_members_that_lie_over_each_other_are_refused(here: Path) -> None:
    """As those of D. Fifield, "A better zip bomb", USENIX WOOT 2019: one packed text, unpacked many times."""
    whole = bytearray(Path("s.zip").read_bytes())
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        first, second = archive.infolist()[1:3]
        start = archive.start_dir
    entry = whole.index(b"PK\x01\x02", whole.index(b"PK\x01\x02", whole.index(b"PK\x01\x02", start) + 1) + 1)
    assert whole[entry + 46 : entry + 46 + len(second.filename)].decode() == second.filename
    whole[entry + 42 : entry + 46] = first.header_offset.to_bytes(4, "little")
    assert "overlaps" in refused(bytes(whole)).lower()
