"""What every process that trains imports, imported once by the one that tests fork them from; see forked.py.

Nothing looks for garbage meanwhile, nor ever among what was imported: it is much, it is kept, and a process
that looked through it would take a copy of all of it.
"""

from __future__ import annotations

import gc
from importlib import import_module

from normlaw_tests import huge_pages

IMPORTED = (
    "normlaw.execution.recorder",
    "normlaw.execution.worker",
    "normlaw.training.loop",
    "normlaw.training.together",
    "normlaw.training.trial",
)

gc.disable()
for name in IMPORTED:
    import_module(name)
gc.freeze()
gc.enable()
huge_pages.collapse()
