"""What every process that trains imports, imported once by the one that tests fork them from; see forked.py.

Nothing looks for garbage meanwhile, nor ever among what was imported; see forkable.py.
"""

from __future__ import annotations

import gc
from importlib import import_module

from normlaw_tests import forkable

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
forkable.make_ready()
