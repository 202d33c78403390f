"""A process that trains uses one thread, whatever the libraries in it would take."""

from __future__ import annotations

import json
import os

import pytest

from normlaw_tests.processes import python

COUNT = """
import json, os, sys
import numpy, torch
from threadpoolctl import threadpool_info
from normlaw.training.threads import one_thread, use_one_thread

def threads():
    import scipy.linalg
    return [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]

if os.fork() == 0:  # nothing has been computed yet: torch has no threads
    before = threads()
    with one_thread():
        within = threads()
    print(json.dumps([within, before, threads()]))
else:
    os.wait()
    use_one_thread()
    print(json.dumps([threads(), [], []]))
"""


@pytest.mark.slow
def test_every_library_has_one_thread_in_a_block_and_in_a_process() -> None:
    two = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    done = python("-c", COUNT, env=os.environ | two, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == 2
    for within, before, after in told:
        assert len(within) >= 3  # torch, and the BLAS of NumPy and of SciPy at least
        assert set(within) == {1}
        assert after == before
