"""The rules of the house that no single module can keep: folders, arrows between packages, lazy imports."""

import ast
import os
import platform as stdlib_platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from normlaw_registry import load_catalogue
from normlaw_registry.findings import TABLES
from normlaw_tests import processes

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "torchvision", "mlflow", "pandas", "statsmodels", "scipy", "matplotlib", "sklearn", "pyarrow")


def python(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return processes.python(*arguments, cwd=cwd, env={**os.environ, **environment})


def test_platform_is_the_standard_librarys_when_python_starts_in_the_root() -> None:
    # `python -c` puts the working directory first on sys.path, where the folder named platform lies.
    done = python("-c", "import platform; print(platform.__file__); platform.system()", PYTHONSAFEPATH="")
    assert done.stdout.strip() == stdlib_platform.__file__, done.stderr


@pytest.mark.parametrize("folder", ["platform", "plugins", "registry"])
def test_a_top_level_folder_holds_no_module_of_its_own(folder) -> None:
    found = [path.name for path in (ROOT / folder).iterdir() if not path.is_dir()]
    assert found == [], f"{folder}/ would shadow another package of that name"


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(root / folder) for folder in ("registry", "plugins", "platform"))
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    return python("-c", code, cwd=root, PYTHONPATH=paths)


@pytest.fixture
def copy_of_the_house(tmp_path) -> Path:
    for folder in ("registry", "plugins", "platform"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_arrows_between_the_packages_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_forbidden_arrow_is_found(copy_of_the_house) -> None:
    planted = {
        "plugins/normlaw_plugins/planted.py": "import normlaw.study\nimport normlaw_registry.host\n",
        "platform/normlaw/planted.py": "import normlaw_plugins.datasets\n",
        "registry/normlaw_registry/planted.py": "import normlaw_plugins\n",
        "platform/normlaw/analysis/planted.py": "import mlflow\n",
        "platform/normlaw/training/planted.py": "import normlaw.tracking\n",
        "platform/normlaw/tracking/planted.py": "import distributed\n",
        "platform/normlaw/observing/planted.py": "import transformers\n",
        "platform/normlaw/following/planted.py": "import normlaw.launching.plan\n",
        "platform/normlaw/page/planted.py": "import normlaw.verbs.run\n",
        "platform/normlaw/study/planted.py": "import starlette\n",
    }
    for place, text in planted.items():
        (copy_of_the_house / place).write_text(text)
    done = lint_imports(copy_of_the_house)
    assert done.returncode == 1
    assert "0 kept" in done.stdout, done.stdout


def test_without_a_planted_arrow_the_copy_is_as_good_as_the_house(copy_of_the_house) -> None:
    assert lint_imports(copy_of_the_house).returncode == 0


TELLING = (
    ["--help"],
    ["run", "--help"],
    ["analyse", "--help"],
    ["studies", "--help"],
    ["plugins"],
    ["plugins", "list"],
)


def test_what_only_tells_imports_nothing_heavy() -> None:
    """One process tells it all; the first line that is not empty is of the command that imports."""
    code = (
        "import sys\n"
        "from normlaw.cli.program import main\n"
        f"for arguments in {TELLING!r}:\n"
        "    main(arguments, standalone_mode=False)\n"
        f"    found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    print(*(found and [*arguments, *found]), file=sys.stderr)\n"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "\n" * len(TELLING)


def test_the_contract_itself_imports_nothing_heavy() -> None:
    code = (
        f"import sys, normlaw_registry.testing; print([n for n in {(*HEAVY, 'numpy')!r} if n in sys.modules])"
    )
    assert python("-c", code).stdout.strip() == "[]"


@pytest.mark.slow
def test_whether_anything_is_missing_is_found_out_without_torch() -> None:
    """And what is to be trained without MLflow too, which is loaded while another process loads torch.

    What tries runs out and trains them on the CPU are other processes: the launcher loads no torch for it.
    Offline it loads no MLflow, nor does an observer.
    """
    code = (
        "import sys, normlaw.launching.launch, normlaw.launching.preflight, normlaw.observing.recording; "
        "before = 'mlflow' in sys.modules; import normlaw.tracking.online; "
        "from normlaw.execution import devices; devices.choose_device('cpu'); devices.processors('cpu'); "
        "print(before, 'mlflow' in sys.modules, 'torch' in sys.modules)"
    )
    assert python("-c", code).stdout.strip() == "False True False"


SHARED = {
    "analysis/figures/layer_norms.py": {"group_norm_2_1", "frobenius_norm", "l1_norm"},
    "analysis/figures/captions.py": {"singular_values"},
    "analysis/cause/points.py": {"logit_scale"},
}
"""Quantities of single layers, and what norms are compared with, that measures share their names with."""
DRAWN = ("analysis/figures/", "analysis/interactive/")
"""Where tables are called by their names."""
BEFORE = {
    "study/run_options.py": {"adam", "adamw", "muon", "sgd", "sign_descent", "cross_entropy", "squared"}
    | {"constant", "cosine", "linear"},
    "study/identity.py": {"squared"},
    "study/spec.py": {"cross_entropy"},
    "study/trainer.py": {"cross_entropy"},
    "training/data.py": {"squared"},
    "training/evaluation.py": {"squared"},
}
"""Losses, optimisers and schedules that runs were identified by before plugins gave them: what a run is called
stays as it was. The paths in the norm are for one loss, the exact population error is that of another."""
WORDS = {
    "automatic",
    "constant",
    "diagonal",
    "digits",
    "envelope",
    "linear",
    "perceptron",
    "released",
    "squared",
}
"""Names that are English words too: in a sentence they name no component."""
COLUMNS = {"step", "linear"}
"""Names of columns, or of a scale, that components share."""


def named_in(code: str, names: set[str]) -> set[str]:
    """Return the names of components that stand in a program's texts, docstrings apart."""
    tree = ast.parse(code)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    # the explanation below a constant or a field is a docstring too
    docstrings |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
    found = {text for text in texts if text in names}
    return found | {word for text in texts for word in re.findall(r"[\w/-]+", text) if word in names - WORDS}


@pytest.mark.slow
def test_the_platform_names_no_built_in_component() -> None:
    records = [r for r in load_catalogue().records if r.distribution == "normlaw"]
    names = {component.name for record in records for component in record.components}
    assert names > {"automatic", "released", "early_power_law", "cnn", "weight_norm"}
    folder = ROOT / "platform" / "normlaw"
    found = {
        (place, name)
        for path in folder.rglob("*.py")
        for place in [str(path.relative_to(folder))]
        for name in named_in(path.read_text(), names - COLUMNS)
        - SHARED.get(place, set())
        - BEFORE.get(place, set())
    }
    tables = {pair for pair in found if pair[0].startswith(DRAWN) and pair[1] in TABLES}
    assert found - tables == set()


@pytest.mark.parametrize(
    "code",
    [
        'x = catalogue.get(Fitter, "early_power_law")',
        'help="automatic, or weight_norm"',
        'f"protocol {name} is not released: take early_power_law"',
        'if protocol == "released": pass',
    ],
)
def test_a_name_of_a_component_in_the_platform_would_be_found(code) -> None:
    assert named_in(code, {"automatic", "released", "early_power_law", "weight_norm"})


def test_a_sentence_or_a_docstring_names_no_component() -> None:
    code = '"""As in `early_power_law`."""\nx = "16 digits of a released file"\n"""Such as `weight_norm`."""\n'
    assert named_in(code, {"released", "digits", "early_power_law", "weight_norm"}) == set()
