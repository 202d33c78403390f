import shutil
import tomllib
from pathlib import Path

import pytest

FAKE_PLUGIN = Path(__file__).parents[1] / "fake_plugin"


@pytest.fixture(scope="session")
def site_with_fake_plugin(tmp_path_factory) -> Path:
    """Install the fake distribution into a folder of its own and return the folder, for PYTHONPATH.

    What an installer writes is written here: the package and the metadata that entry points are read from.
    No build backend or network is needed.
    """
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((FAKE_PLUGIN / "pyproject.toml").read_text())["project"]
    shutil.copytree(FAKE_PLUGIN / "fake_normlaw_plugin", site / "fake_normlaw_plugin")
    info = site / f"fake_normlaw_plugin-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"]["normlaw"]
    (info / "entry_points.txt").write_text(
        "[normlaw]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
    )
    return site
