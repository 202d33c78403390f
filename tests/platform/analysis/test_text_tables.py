"""Tables as text fit 80 columns, and hold every number once."""

from __future__ import annotations

import pandas as pd

from normlaw.analysis.text_tables import WIDTH, table_lines


def test_a_table_that_is_too_wide_goes_on_below() -> None:
    wide = pd.DataFrame({"law": ["a", "b"], **{f"column_{i}": [i + 0.5, i + 1000] for i in range(12)}})
    lines = table_lines(wide)
    assert max(map(len, lines)) <= WIDTH
    parts = [part.splitlines() for part in "\n".join(lines).split("\n\n")]
    assert len(parts) == 2
    assert all(part[0].split()[0] == "law" for part in parts)
    shown: dict[str, list[float]] = {row.split()[0]: [] for row in parts[0][1:]}
    for part in parts:
        for row in part[1:]:
            law, *numbers = row.split()
            shown[law] += map(float, numbers)
    assert shown == {"a": [i + 0.5 for i in range(12)], "b": [float(i + 1000) for i in range(12)]}


def test_what_is_missing_is_a_gap_and_an_empty_column_is_left_out() -> None:
    table = pd.DataFrame(
        {"law": ["a", "b"], "value": [1.0, float("nan")], "problem": ["", ""], "P": [10, 20_000]}
    )
    assert table_lines(table) == ["law value      P", "  a     1     10", "  b       20,000"]
