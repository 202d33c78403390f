from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from normlaw.cli.program import main


@pytest.mark.slow
def test_lists_each_study_and_scale():
    result = CliRunner().invoke(main, ["studies", "--json"])
    rows = {(row["name"], row["scale"]): row for row in json.loads(result.stdout)}
    assert rows["cnn_mnist", None]["runs"] == 11 * 31
    assert rows["cnn_mnist", "small"]["runs"] == 12
    assert rows["cnn_mnist", "small"]["steps"] == 2 * 40 * (1 + 2 + 4 + 8 + 16 + 32)
    assert "hours" not in rows["quickstart", None]


def test_estimates_hours_of_the_studies_named():
    result = CliRunner().invoke(main, ["studies", "--time", "ablation_perceptron_loss"])
    header, whole, small = result.stdout.splitlines()
    assert header.split() == ["study", "runs", "steps", "hours", "description"]
    assert whole.startswith("ablation_perceptron_loss ")
    assert small.startswith("ablation_perceptron_loss --scale small ")
    assert float(whole.split()[3].replace(",", "")) > float(small.split()[5])


def test_an_unknown_study_is_told():
    result = CliRunner().invoke(main, ["studies", "cnn_mnits"])
    assert result.exit_code == 2
    assert "did you mean cnn_mnist" in result.stderr
