from __future__ import annotations

import pytest

from normlaw.study.expansion import expand
from normlaw.study.study import at_scale, parse_study
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError, load_catalogue

TEXT = """\
name: mine
fixed:
  architecture: {name: cnn, params: {channels: [32, 64], init_factor: 0.5}}
  dataset: digits
  epochs: 100
  measures: [weight_norm]
vary:
  train_size: [100, 200, 400]
  seed: {count: 9}
scales:
  small:
    description: less
    fixed:
      architecture: {params: {channels: [4]}}
      epochs: null
      steps: 30
    vary:
      seed: [5]
  broken:
    fixed:
      optimizer:
        learning_rate: -1
  wider:
    vary:
      train_size: [100, 0]
"""


@pytest.fixture
def study():
    return parse_study(YamlSource(TEXT, "mine.yaml"))


def runs(study):
    return expand(study, load_catalogue())


def test_a_scale_goes_over_the_study(study):
    small = at_scale(study, "small")
    assert (small.name, small.description) == ("mine-small", "less")
    specs = runs(small)
    assert [(spec.train_size, spec.seed) for spec in specs] == [(100, 5), (200, 5), (400, 5)]
    assert {spec.total_steps for spec in specs} == {30}
    assert specs[0].architecture.params["channels"] == [4]
    assert specs[0].architecture.params["init_factor"] == 0.5


def test_the_study_itself_stays_as_it_is(study):
    at_scale(study, "small")
    assert study.name == "mine"
    assert len(runs(study)) == 27
    assert {spec.epochs for spec in runs(study)} == {100}


def test_an_unknown_scale_names_the_nearest(study):
    with pytest.raises(InputError, match=r"mine\.yaml:10: scales: no scale 'smal': did you mean small\?"):
        at_scale(study, "smal")


@pytest.mark.parametrize(("scale", "line"), [("broken", 22), ("wider", 25)])
def test_errors_point_at_the_scales_own_lines(study, scale, line):
    with pytest.raises(InputError, match=rf"^mine\.yaml:{line}: "):
        runs(at_scale(study, scale))


def test_errors_of_the_study_keep_their_lines():
    broken = parse_study(YamlSource(TEXT.replace("dataset: digits", "dataset: digitz"), "mine.yaml"))
    with pytest.raises(InputError, match=r"^mine\.yaml:4: .*did you mean digits"):
        runs(at_scale(broken, "small"))


def test_a_misspelt_key_of_a_scale_is_refused():
    broken = YamlSource(TEXT.replace("    vary:\n      seed", "    varry:\n      seed"), "mine.yaml")
    with pytest.raises(InputError, match=r"mine\.yaml:17: scales\.small\.varry: unknown key"):
        parse_study(broken)
