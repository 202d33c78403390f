from __future__ import annotations

from normlaw_tests.shapes import check_all

check_all()
