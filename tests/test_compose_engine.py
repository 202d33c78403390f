"""All of docker-compose.yml on a real engine, by the commands of docs/compose.md.

Build, up, a study, its analysis, kills, down and up, a cluster, plugins, backup and restore, accounts.
It takes minutes and gigabytes, so it runs only when asked for:

    NORMLAW_TEST_COMPOSE=1 python -m pytest -n 0 tests/test_compose_engine.py

TORCH_INDEX is passed on to the build (see the Dockerfile). What the project `normlaw-test` leaves is deleted.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from normlaw_tests.processes import run
from normlaw_tests.servers import free_port
from normlaw_tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
TINY = """\
name: compose_check
description: The least that can be fitted.
norm: weight_norm
fixed:
  architecture: {name: mlp, params: {hidden: [8]}}
  dataset: digits
  loss: cross_entropy
  optimizer: {name: adam, learning_rate: 1.0e-2}
  batch_size: 32
  steps: 60
  measuring_points: 12
  measures: [weight_norm]
vary:
  train_size: [60, 120, 240, 480]
  seed: {count: 2}
"""

PLUGIN_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "my-normlaw-plugin"
version = "1.0"
[project.entry-points.normlaw]
mine = "my_normlaw_plugin"
"""
PLUGIN = """\
from normlaw_registry import ComplexityMeasure, MeasuredValue, hookimpl

@hookimpl
def normlaw_complexity_measures():
    yield ComplexityMeasure(name="test_measure", summary="One.", measure=lambda *_: MeasuredValue(0.0))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),  # it may build the images
    pytest.mark.skipif(
        not os.environ.get("NORMLAW_TEST_COMPOSE"), reason="takes minutes: set NORMLAW_TEST_COMPOSE=1"
    ),
]


def documented(name: str, kind: str = "command") -> str:
    """Return the code block of docs/compose.md that follows a marker."""
    page = (ROOT / "docs" / "compose.md").read_text()
    found = re.search(rf"<!-- {kind}: {name} -->\s*```\w+\n(.+?)```", page, re.DOTALL)
    assert found, name
    return found[1]


class Stack:
    """The compose file as a project of its own, on a free port, with passwords of its own."""

    def __init__(self, folder: Path, mlflow_api: Callable[[str], Any]) -> None:
        self.port = free_port()
        self.api = mlflow_api(f"http://127.0.0.1:{self.port}")
        (folder / "studies").mkdir()
        (folder / "studies" / "tiny.yaml").write_text(TINY)
        names = ("POSTGRES_PASSWORD", "MLFLOW_ADMIN_PASSWORD", "MLFLOW_SECRET_KEY")
        self.passwords = {name: secrets.token_hex(24) for name in names}
        self.folder = folder
        self.env_file = folder / ".env"
        self.write_env()

    def write_env(self, **more: str) -> None:
        settings = {
            **self.passwords,
            "NORMLAW_PORT": str(self.port),
            "NORMLAW_STUDIES": str(self.folder / "studies"),
            **more,
        }
        self.env_file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def sh(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as it stands in the documentation, for this project."""
        own = {
            "COMPOSE_PROJECT_NAME": "normlaw-test",
            "COMPOSE_ENV_FILES": str(self.env_file),
            "COMPOSE_FILE": str(ROOT / "docker-compose.yml"),
        }
        kept = {k: v for k, v in os.environ.items() if k not in self.passwords}
        done = run(["bash", "-euo", "pipefail", "-c", command], cwd=self.folder, env=kept | own)
        if check:
            assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done

    def compose(self, arguments: str) -> str:
        return self.sh(f"docker compose {arguments}").stdout


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, mlflow_api: Callable[[str], Any]) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("compose"), mlflow_api)
    try:
        stack.compose("--profile run build mlflow runner")
        stack.sh(documented("start"))
        yield stack
    finally:
        stack.sh("docker compose --profile '*' down --volumes --timeout 5", check=False)


@pytest.fixture(scope="module")
def analysed(stack: Stack) -> dict[str, dict[str, float]]:
    """The runs after the documented commands on a study."""
    study = documented("study").replace("run quickstart", "run studies/tiny.yaml")
    assert "8 trained" in stack.sh(study.replace("analyse quickstart", "analyse compose_check")).stdout
    return stack.api.runs()


def test_a_study_is_run_and_analysed_and_nothing_is_lost(stack: Stack, analysed: dict[str, Any]) -> None:
    assert len(analysed) >= 9
    stack.compose("down")
    stack.compose("up -d --wait")
    assert stack.api.runs() == analysed
    assert "8 already there" in stack.compose("run --rm runner run studies/tiny.yaml")


@pytest.mark.parametrize("service", ["mlflow", "postgres"])
def test_a_killed_service_comes_back_with_everything(
    stack: Stack, analysed: dict[str, Any], service: str
) -> None:
    stack.compose(f"kill {service}")
    stack.compose("up -d --wait")
    assert stack.api.runs() == analysed


def test_a_service_that_dies_is_started_again(stack: Stack, analysed: dict[str, Any]) -> None:
    inspect = "docker inspect --format '{{.RestartCount}}' normlaw-test-mlflow-1"
    assert stack.sh(inspect).stdout.strip() == "0"
    stack.sh("docker compose exec -T mlflow sh -c 'kill -TERM 1' || true")  # from inside: not a user's stop
    wait_until(lambda: stack.sh(inspect).stdout.strip() != "0")
    stack.compose("up -d --wait")
    assert stack.sh(inspect).stdout.strip() == "1"
    assert stack.api.runs() == analysed


def test_no_service_that_stays_runs_as_root(stack: Stack) -> None:
    assert stack.compose("exec -T mlflow id -u").strip() == "10001"
    assert stack.compose("run --rm --no-deps --entrypoint id runner -u").strip() == "10001"


def test_the_passwords_stand_in_no_process_list(stack: Stack) -> None:
    listed = stack.compose("top mlflow") + stack.compose("top postgres")
    assert "mlflow" in listed
    assert not any(password in listed for password in stack.passwords.values())


def test_plugins_come_from_a_folder_or_from_an_image_of_two_more_lines(stack: Stack) -> None:
    package = stack.folder / "studies" / "plugin"
    (package / "my_normlaw_plugin").mkdir(parents=True)
    (package / "pyproject.toml").write_text(PLUGIN_PROJECT)
    (package / "my_normlaw_plugin" / "__init__.py").write_text(PLUGIN)
    name = "my-normlaw-plugin"  # the documentation's, taken from a package index; here from this disk
    assert "test_measure" not in stack.compose("run --rm runner plugins")
    assert "test_measure" in stack.sh(documented("plugin").replace(name, "/work/studies/plugin")).stdout
    first, second = documented("Dockerfile", "file").splitlines()
    lines = [first, "COPY plugin /tmp/plugin", second.replace(name, "/tmp/plugin")]
    (stack.folder / "studies" / "Dockerfile").write_text("\n".join(lines))
    stack.sh("docker build -t normlaw-with-plugin studies")
    assert "test_measure" in stack.sh("docker run --rm normlaw-with-plugin plugins").stdout


def test_a_cluster_of_workers_trains_a_study(stack: Stack, analysed: dict[str, Any]) -> None:
    (stack.folder / "studies" / "other.yaml").write_text(TINY.replace("compose_check", "on_the_cluster"))
    commands = documented("cluster").replace("run quickstart", "run studies/other.yaml")
    done = stack.sh(commands.replace("worker=4", "worker=2"))
    assert "8 trained" in done.stdout
    assert len(stack.api.runs()) >= len(analysed) + 8
    for service in ("scheduler", "worker"):
        stack.compose(f"kill {service}")
        stack.compose("--profile cluster up -d --wait --scale worker=2")
    (stack.folder / "studies" / "third.yaml").write_text(TINY.replace("compose_check", "after_the_kills"))
    again = stack.compose(
        "run --rm runner run studies/third.yaml --executor dask --scheduler tcp://scheduler:8786"
    )
    assert "8 trained" in again
    stack.compose("--profile cluster rm --stop --force scheduler worker")


def test_backup_and_restore_bring_back_the_whole_store_even_on_a_new_machine(stack: Stack) -> None:
    before = stack.api.runs()
    stack.sh(documented("backup"))
    stack.compose("down --volumes")
    stack.compose("up -d --wait")
    assert stack.api.runs() == {}
    stack.sh(documented("restore"))
    assert stack.api.runs() == before
    assert "8 already there" in stack.compose("run --rm runner run studies/tiny.yaml")
    stack.compose("run --rm runner analyse compose_check")  # reads the artifacts, and writes as their owner
    assert stack.compose("run --rm --no-deps --entrypoint ls runner /var/lib/normlaw/journal/compose_check")


def test_accounts_are_on_for_every_command_once_env_names_the_profile(stack: Stack) -> None:
    unarmed = stack.sh("docker compose --profile auth up -d --wait", check=False)
    assert unarmed.returncode != 0, "the server answers strangers, and nobody was told"
    runs = stack.api.runs()
    stack.sh(documented("auth"))
    with pytest.raises(HTTPError) as refused:
        stack.api.runs()
    assert refused.value.code == 401
    assert stack.api.runs(stack.passwords["MLFLOW_ADMIN_PASSWORD"]) == runs
    assert "8 already there" in stack.compose("run --rm runner run studies/tiny.yaml")
