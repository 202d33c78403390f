"""Keys of `vary` that change together: their runs, what goes over them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import normlaw
from normlaw.study.expansion import expand, planned_runs
from normlaw.study.study import Study
from normlaw_registry import Catalogue, InputError, load_catalogue

TOGETHER = "architecture.params.hidden, steps"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def study(vary: Mapping[str, Any], **fixed: Any) -> dict[str, Any]:
    return {
        "name": "widths",
        "fixed": {
            "architecture": "mlp",
            "dataset": "digits",
            "batch_size": 16,
            "train_size": 64,
            "measures": ["weight_norm"],
            **fixed,
        },
        "vary": dict(vary),
    }


WIDTHS = study({TOGETHER: [[[8], 100], [[16], 200]], "seed": {"count": 2}})


def pairs(found: Study, catalogue: Catalogue) -> list[tuple[Any, int | None, int]]:
    return [(spec.architecture.params["hidden"], spec.steps, spec.seed) for spec in expand(found, catalogue)]


def test_they_take_their_values_in_pairs(catalogue) -> None:
    found = normlaw.load_study(WIDTHS)
    assert pairs(found, catalogue) == [([8], 100, 0), ([8], 100, 1), ([16], 200, 0), ([16], 200, 1)]
    alone = normlaw.load_study(
        study({"seed": [0]}, steps=200, architecture={"name": "mlp", "params": {"hidden": [16]}})
    )
    assert expand(alone, catalogue)[0].spec_hash == expand(found, catalogue)[2].spec_hash
    assert found.run_name(expand(found, catalogue)[0]) == "mlp digits P=64 seed=0 hidden=[8] steps=100"


def test_a_setting_may_take_one_of_them_away(catalogue) -> None:
    fixed = normlaw.load_study(WIDTHS, overrides={"steps": 50})
    assert pairs(fixed, catalogue) == [([8], 50, 0), ([8], 50, 1), ([16], 50, 0), ([16], 50, 1)]
    varied = normlaw.load_study(WIDTHS, overrides={"steps": [10, 20], "seed": 0})
    assert pairs(varied, catalogue) == [([8], 10, 0), ([8], 20, 0), ([16], 10, 0), ([16], 20, 0)]
    epochs = normlaw.load_study(WIDTHS, overrides={"epochs": 2, "seed": 0})
    assert [(s.architecture.params["hidden"], s.epochs) for s in expand(epochs, catalogue)] == [
        ([8], 2),
        ([16], 2),
    ]
    both = normlaw.load_study(WIDTHS, overrides={TOGETHER: [[[4], 7]], "seed": 1})
    assert pairs(both, catalogue) == [([4], 7, 1)]


def test_they_may_replace_keys_that_stood_alone(catalogue) -> None:
    plain = study({"architecture.params.hidden": [[2], [3]], "seed": [0]}, steps=9)
    over = normlaw.load_study(plain, overrides={f"vary.{TOGETHER}": [[[8], 100], [[16], 200]]})
    assert pairs(over, catalogue) == [([8], 100, 0), ([16], 200, 0)]


@pytest.mark.parametrize(
    ("vary", "fixed", "message"),
    [
        (
            {TOGETHER: [[[8], 100], [[16]]], "seed": [0]},
            {},
            "a value is a list of 2, one for each key, got [[16]]",
        ),
        ({TOGETHER: [8, 16], "seed": [0]}, {}, "a value is a list of 2, one for each key, got 8"),
        ({TOGETHER: [[[8], 100]], "steps": [1, 2], "seed": [0]}, {}, "`steps` stands under `vary` twice"),
        ({TOGETHER: [[[8], 100]], "seed": [0]}, {"steps": 3}, "stands under `fixed` too; keep one of the two"),
    ],
)
def test_what_is_wrong_with_them_is_told(vary, fixed, message, catalogue) -> None:
    with pytest.raises(InputError) as caught:
        expand(normlaw.load_study(study(vary, **fixed)), catalogue)
    assert message in str(caught.value)


def test_messages_name_the_line(tmp_path, catalogue) -> None:
    file = tmp_path / "widths.yaml"
    text = normlaw.load_study(WIDTHS).to_yaml().replace("200", "-200")
    file.write_text(text)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "-200" in row)
    with pytest.raises(InputError, match=rf"widths.yaml:{line}: .*steps.*1\b") as caught:
        planned_runs(normlaw.load_study(file), catalogue)
    assert "greater than 0" in str(caught.value)
