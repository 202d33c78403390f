"""What docs/studies.md shows and lists is what there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from normlaw.cli.program import main
from normlaw.study.expansion import expand
from normlaw.study.named import shipped_studies
from normlaw.study.parents import whole
from normlaw.study.run_options import Augmentation, RateSchedule, Stopping
from normlaw.study.spec import RunSpec
from normlaw.study.study import at_scale, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import load_catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "studies.md").read_text()


def test_the_study_and_its_scale_expand() -> None:
    found = re.search(r"<!-- example: scales -->\s*```yaml\n(.+?)```", PAGE, re.DOTALL)
    assert found
    source = YamlSource(found[1], "docs/studies.md")
    study = parse_study(source)
    assert len(expand(study, load_catalogue())) == 5 * 10
    assert len(expand(at_scale(study, "small"), load_catalogue())) == 5 * 2


def test_the_study_that_extends_differs_as_the_page_says() -> None:
    found = re.search(r"<!-- example: extends -->\s*```yaml\n(.+?)```", PAGE, re.DOTALL)
    assert found
    source = whole(YamlSource(found[1], "docs/studies.md"), Path())
    specs = expand(parse_study(source), load_catalogue())
    assert len(specs) == 3 * 2
    assert {(s.epochs, s.steps, s.optimizer.params["momentum"], s.optimizer.learning_rate) for s in specs} == {
        (10, None, 0.9, 0.1)
    }


def test_the_command_with_settings_is_as_the_page_shows_it() -> None:
    (line,) = re.findall(r"^normlaw run quickstart --set .+$", PAGE, re.MULTILINE)
    shown = CliRunner().invoke(main, shlex.split(line)[1:])
    assert shown.exit_code == 0, shown.output
    assert "quickstart: 12 runs" in shown.stdout


def test_every_option_and_study_it_names_exists() -> None:
    options = re.findall(
        r"^\| `(\w+)` \|", PAGE.partition("## Training options")[2].partition("## Data")[0], re.M
    )
    assert set(options) <= set(RunSpec.model_fields)
    for model in (RateSchedule, Augmentation, Stopping):
        assert all(f"`{key}" in PAGE for key in model.model_fields if key not in ("name", "params"))
    named = set(re.findall(r"`((?:cnn|ablation)_\w+)`", PAGE))
    assert named <= set(shipped_studies())
    assert {name for name in shipped_studies() if name.startswith("ablation_")} <= named
