"""All of docker-compose.yml on a real engine: build, up, a study, its analysis, kills, down, up, nothing lost.

It takes minutes and gigabytes, so it runs only when asked for:

    NORMLAW_TEST_COMPOSE=1 python -m pytest tests/test_compose_engine.py

TORCH_INDEX is passed on to the build (see the Dockerfile).
"""

import json
import os
import secrets
import socket
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

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

pytestmark = pytest.mark.skipif(
    not os.environ.get("NORMLAW_TEST_COMPOSE"), reason="takes minutes: set NORMLAW_TEST_COMPOSE=1"
)


class Stack:
    """The compose file as a project of its own, on a free port, with a password of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "studies").mkdir()
        (folder / "studies" / "tiny.yaml").write_text(TINY)
        settings = {
            "POSTGRES_PASSWORD": secrets.token_hex(24),
            "NORMLAW_PORT": str(self.port),
            "NORMLAW_STUDIES": str(folder / "studies"),
        }
        self.env_file = folder / "env"
        self.env_file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    def compose(self, *arguments: str, minutes: float = 5) -> str:
        command = ["docker", "compose", "-p", "normlaw-test", "--env-file", str(self.env_file), *arguments]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=60 * minutes, check=False
        )
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def ask(self, route: str, **body: object) -> dict:
        request = Request(
            f"http://127.0.0.1:{self.port}/api/2.0/mlflow/{route}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def runs(self) -> dict[str, dict[str, float]]:
        """Return the metrics of every run at the server, by run id."""
        experiments = self.ask("experiments/search", max_results=10)["experiments"]
        found = self.ask(
            "runs/search", experiment_ids=[e["experiment_id"] for e in experiments], max_results=100
        )
        return {
            run["info"]["run_id"]: {m["key"]: m["value"] for m in run["data"].get("metrics", [])}
            for run in found["runs"]
        }


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("compose"))
    try:
        stack.compose("--profile", "run", "build", minutes=30)
        stack.compose("up", "-d", "--wait")
        yield stack
    finally:
        stack.compose("--profile", "run", "down", "--volumes", "--timeout", "5")


def test_a_study_is_run_and_analysed_and_nothing_is_lost(stack) -> None:
    stack.compose("run", "--rm", "runner", "run", "studies/tiny.yaml")
    assert len(stack.runs()) == 8
    stack.compose("run", "--rm", "runner", "analyse", "compose_check")
    before = stack.runs()
    assert len(before) == 9

    stack.compose("down")
    stack.compose("up", "-d", "--wait")
    assert stack.runs() == before
    again = stack.compose("run", "--rm", "runner", "run", "studies/tiny.yaml")
    assert "8 already there" in again

    for service in ("mlflow", "postgres"):
        stack.compose("kill", service)
        stack.compose("up", "-d", "--wait")
        assert stack.runs() == before


def test_no_service_runs_as_root(stack) -> None:
    assert stack.compose("exec", "-T", "mlflow", "id", "-u").strip() == "10001"
    assert stack.compose("run", "--rm", "--no-deps", "--entrypoint", "id", "runner", "-u").strip() == "10001"


def test_the_password_stands_in_no_process_list(stack) -> None:
    password = stack.env_file.read_text().split("POSTGRES_PASSWORD=")[1].split()[0]
    listed = stack.compose("top", "mlflow") + stack.compose("top", "postgres")
    assert "mlflow" in listed
    assert password not in listed
