"""The quickest analysis, for tests of which any laws will do: a tenth of the default's time."""

from __future__ import annotations

QUICK = ("--protocol", "automatic", "--draws", "100")
"""Options of `normlaw analyse`."""
