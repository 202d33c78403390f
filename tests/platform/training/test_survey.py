"""Nine in ten of the networks that people train are measured, and the page that lists them says how."""

from __future__ import annotations

from pathlib import Path

import pytest

from normlaw_tests.survey import BEGIN, CONVENTION, EXACT, table, torchvision_models, transformers_models

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "networks.md"


@pytest.mark.slow
def test_every_network_is_measured_or_refused_by_name() -> None:
    pytest.importorskip("transformers")
    found = [*torchvision_models(), *transformers_models()]
    assert len(found) > 80
    refused = [one for one in found if one.how not in (EXACT, CONVENTION)]
    assert all("layer '" in one.how for one in refused)
    assert len(refused) <= len(found) / 10
    assert PAGE.read_text().partition(BEGIN)[2] == "\n" + table(found), (
        "tests/support/normlaw_tests/survey.py --write docs/reference/networks.md"
    )
