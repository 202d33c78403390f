"""Jupyter's own kernel, forked from what has imported what a notebook of normlaw's imports; see forked.py."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jupyter_client.provisioning import local_provisioner

from normlaw_tests import forked
from normlaw_tests.waiting import wait_until


class _Begun:
    """A kernel, asked as Popen is."""

    stdin = stdout = stderr = None

    def __init__(self, process: ForkServerProcess) -> None:
        assert process.pid is not None
        self._process, self.pid = process, process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


@contextmanager
def kernels(log: Path) -> Iterator[None]:
    """Have the kernels that this process begins while the block lasts forked; a file takes what they print."""

    def begin(command: Sequence[str], *, cwd: str, env: Mapping[str, str], **_: Any) -> _Begun:
        assert command[1:3] == ["-m", "ipykernel_launcher"], command
        process = forked.begin(_kernel, *command[3:], out=log, folder=Path(cwd), env=env)
        kernel = _Begun(process)
        wait_until(lambda: os.getpgid(kernel.pid) == kernel.pid, while_running=kernel.pid)
        return kernel

    with patch.object(local_provisioner, "launch_kernel", begin):
        yield


def _kernel(*arguments: str) -> None:
    os.setsid()  # a kernel is interrupted and killed with its group
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance([*arguments])
