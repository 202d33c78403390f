"""`normlaw doctor` on the machine as it is, and on one where things are broken."""

from __future__ import annotations

import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from normlaw.machine import examine, installed, numerics, plugins, processor, room, server, versions
from normlaw.machine.finding import Finding
from normlaw_tests import forked

BROKEN = """
[console_scripts]
[normlaw]
missing = fake_normlaw_plugin.missing_import
"""


def doctor(folder: Path, *arguments: str, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = forked.normlaw("doctor", "--json", *arguments, folder=folder, env={**os.environ, **environment})
    assert done.stdout, done.stderr
    return done.returncode, {finding["check"]: finding for finding in json.loads(done.stdout)}


@pytest.mark.slow
def test_a_broken_plugin_an_unreachable_server_and_a_folder_that_cannot_be_written_are_bad(tmp_path):
    info = tmp_path / "fake-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(BROKEN)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    gone = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "NORMLAW_HOME": "/proc/normlaw", "PYTHONPATH": path}
    code, found = doctor(tmp_path, "mlp", "no-such-network", **gone)
    assert code == 1
    for check, told in {
        "plugin": "fake 1.0",
        "mlflow": "no MLflow server answers at http://127.0.0.1:9",
        "folder": "cannot be written",
        "disk": "0.0 GB free",
        "gradients no-such-network": "no-such-network",
    }.items():
        assert found[check]["state"] == "bad", check
        assert told in found[check]["said"]
        assert found[check]["advice"]
    assert {found[check]["state"] for check in ("versions", "gradients mlp")} == {"good"}
    assert found["bfloat16"]["state"] in ("good", "doubtful")
    assert not list(tmp_path.glob("mlflow.db*"))


def test_a_crash_is_a_line(monkeypatch, catalogue, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    [found] = numerics.check(catalogue, ("mlp",))
    assert (found.state, found.said) == ("bad", "the process was killed by signal 6")


@pytest.mark.slow  # the second itself
def test_what_takes_too_long_is_a_line(monkeypatch, catalogue):
    monkeypatch.setattr(numerics, "SECONDS", 1)  # torch alone takes more
    monkeypatch.setattr(numerics, "PATIENCE", 600)
    [found] = numerics.check(catalogue, ("resnet",))
    assert (found.state, found.said) == ("bad", "not done after 1 s of processor time")


@pytest.mark.slow
def test_a_server_tells_its_version(mlflow_server):
    [found] = server.check(mlflow_server.uri)
    assert found.state == "good"
    assert mlflow_server.uri in found.said
    assert "MLflow 3." in found.said


@pytest.mark.parametrize(("load", "state"), [((9.0, 0.1, 0.1), "good"), ((9e3, 9e3, 9e3), "doubtful")])
def test_cores_are_doubtful_only_when_others_keep_all_of_them_busy(monkeypatch, load, state):
    monkeypatch.setattr("os.getloadavg", lambda: load)
    [found] = processor.share()
    assert found.state == state
    assert bool(found.advice) == (state == "doubtful")


def test_a_launch_tells_nothing_of_the_load_of_the_moment(monkeypatch, catalogue, tmp_path):
    monkeypatch.setattr("os.getloadavg", lambda: (9e3, 9e3, 9e3))
    assert "cores" not in [found.check for found in examine.quick(catalogue, tmp_path)]


def test_a_folder_is_left_as_it_was(tmp_path):
    found = room.folder(tmp_path / "home")
    assert [each.check for each in found] == ["disk", "folder"]
    assert found[1].state == "good"
    assert list(tmp_path.iterdir()) == []


def test_versions_are_those_that_python_finds():
    for name in versions.SHOWN:
        assert installed.version(name) == metadata.version(name)
    with pytest.raises(metadata.PackageNotFoundError):
        installed.version("nothing-of-this-name")


def test_plugins_as_they_are(catalogue):
    assert plugins.check(catalogue) == [
        Finding("plugins", "good", f"{len(catalogue.records)} loaded, none failed")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet"])
def test_gradients_differ_by_rounding(name):
    """As the process tells that `doctor` begins for each network."""
    assert 0 < numerics.difference(name) < numerics.TOLERANCE
