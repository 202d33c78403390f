"""A process that trains uses one thread, whatever the libraries in it would take."""

from __future__ import annotations

import json
import os

import pytest

from normlaw_tests.processes import python

COUNT = """
import json, sys
import numpy, torch
from threadpoolctl import threadpool_info
from normlaw.training.threads import one_thread, use_one_thread

def threads():
    import scipy.linalg
    return [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]

if sys.argv[1] == "block":
    before = threads()
    with one_thread():
        within = threads()
    print(json.dumps([within, before, threads()]))
else:
    use_one_thread()
    print(json.dumps([threads(), [], []]))
"""


@pytest.mark.parametrize("how", ["block", "process"])
@pytest.mark.slow
def test_every_library_has_one_thread(how: str) -> None:
    two = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    done = python("-c", COUNT, how, env=os.environ | two, check=True)
    within, before, after = json.loads(done.stdout)
    assert len(within) >= 3  # torch, and the BLAS of NumPy and of SciPy at least
    assert set(within) == {1}
    assert after == before
