"""`normlaw.results`: the exponents of studies' latest analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from normlaw.study.study import Study
from normlaw.verbs.load_study import name_of

if TYPE_CHECKING:
    import pandas as pd


def results(*studies: str | Study, tracking_uri: str | None = None) -> pd.DataFrame:
    """Return the exponents of studies' latest analyses at MLflow; no study means all of them.

    Columns: analysis (study and setting), norm, exponent, value, stderr, low, high (confidence limits).

    Raises:
        InputError: no such study, no analysis of any of them, or no server answers.

    """
    import pandas as pd

    from normlaw.verbs.report import latest_findings

    rows = [
        {"analysis": name, "norm": found["norm"], "exponent": exponent, **estimate}
        for name, found in latest_findings(list(map(name_of, studies)), tracking_uri).items()
        for exponent, estimate in found["estimates"].items()
    ]
    return pd.DataFrame(rows)
