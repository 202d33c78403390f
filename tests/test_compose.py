"""What docker-compose.yml promises; docker compose itself reads it too, where it is installed."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_only_loopback_is_published(services) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_no_secret_has_a_default(services) -> None:
    secrets = {
        name: value
        for service in services.values()
        for name, value in service.get("environment", {}).items()
        if re.search("PASSWORD|SECRET|TOKEN", name)
    }
    assert secrets
    for name, value in secrets.items():
        assert re.fullmatch(r"\$\{\w+:\?[^}]*\}", value), f"{name}: take it from .env or stop, never a default"


def test_what_stays_up_restarts_and_is_checked(services) -> None:
    for name, service in services.items():
        if "profiles" not in service:
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service, name


def test_the_health_check_asks_a_route_that_clients_ask_by_the_name_that_they_use(services) -> None:
    check = " ".join(services["mlflow"]["healthcheck"]["test"])
    assert "/api/2.0/mlflow/" in check
    assert '"Host": "mlflow:5000"' in check
    assert "mlflow:*" in services["mlflow"]["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")


def test_the_images_run_as_a_user_of_their_own() -> None:
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    final = {stage.split("AS ")[1].split()[0]: stage for stage in stages}
    for target in ("runner", "mlflow"):
        assert re.findall(r"^USER (\S+)", final[target], re.MULTILINE) == ["normlaw"]


def compose(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    return subprocess.run(
        [*command, "--env-file", os.devnull, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def has_compose() -> bool:
    found = shutil.which("docker-compose") or shutil.which("docker")
    return found is not None and compose("version").returncode == 0


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_docker_compose_accepts_the_file_and_stops_without_a_password() -> None:
    refused = compose("config", POSTGRES_PASSWORD="")
    assert refused.returncode != 0
    assert "write a password into .env first" in refused.stderr
    accepted = compose("--profile", "run", "config", "--format", "json", POSTGRES_PASSWORD="for-this-test")
    assert accepted.returncode == 0, accepted.stderr
    assert json.loads(accepted.stdout)["services"].keys() == {"postgres", "mlflow", "runner"}
