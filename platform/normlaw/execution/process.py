"""A process of this machine that works off errands: whatever becomes of it harms no other one.

Python's own ProcessPoolExecutor ends all processes when one dies, does not say which signal ended it, cannot
be left at once, and its queues and events stay locked for ever when a process is killed at the wrong moment.
Here each process has a pipe of its own.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import Any

from normlaw.base.failures import Failure, shortened
from normlaw.execution.death import describe_exit, exit_code_of, is_its_own_fault, place_of
from normlaw.execution.signals import SIGNALS, beginning, put_off

MAX_ATTEMPTS = 3
"""How often what a process was at is begun again when it dies (out of memory, say), before it has failed."""
CONTEXT: BaseContext = multiprocessing.get_context("spawn")
"""How processes begin. They are not forked from the launcher: torch's threads do not survive that. `nest` may
have them forked from a process that has no threads."""
SECONDS_TO_END = 5.0
_STOP, _END = "stop", "end"

Work = Callable[..., Any]
"""Called in the process with the arguments given, and then `tell`, which sends news to the launcher, and
`stopped`, which says whether the launcher has asked to stop."""


@dataclass(frozen=True)
class Ready:
    """The process has started, and waits for an errand."""


@dataclass(frozen=True)
class News:
    """What an errand tells on its way."""

    item: Any


@dataclass(frozen=True)
class Done:
    """An errand's result."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """An errand has raised an exception."""

    failure: Failure


@dataclass(frozen=True)
class Died:
    """The process is no more."""

    exit_code: int
    failure: Failure

    @property
    def by_itself(self) -> bool:
        """Whether it ended by a fault of its own, and was not killed."""
        return is_its_own_fault(self.exit_code)


Message = Ready | News | Done | Failed | Died


class WorkerProcess:
    """A process in training for one device. Nobody but the one who holds it talks to it.

    Attributes:
        device: what its errands use.
        ready: whether it has started and has no errand; only then may it be given one.
        busy: whether it is at an errand.

    """

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.ready = self.busy = False
        self._connection, theirs = CONTEXT.Pipe()
        self._last_words, words = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=_serve, args=(theirs, words), name="normlaw worker")  # type: ignore[attr-defined]
        resource_tracker.ensure_running()  # it would unblock the signals
        with put_off(), beginning, main_module_hidden():
            self._process.start()
        theirs.close()
        words.close()

    @property
    def handles(self) -> tuple[Connection, int]:
        """What `multiprocessing.connection.wait` is to wait for."""
        return self._connection, self._process.sentinel

    def give(self, errand: Work, *arguments: Any) -> None:
        """Have the process do an errand; if it has died, its messages say so."""
        self.ready, self.busy = False, True
        self._send((errand, arguments))

    def messages(self) -> Iterator[Message]:
        """Yield what has arrived, without waiting; the death of the process comes last."""
        dead = not self._process.is_alive()  # asked before the last messages are read
        while True:
            with put_off():  # a message that was read but not taken in would be waited for for ever
                message = self._receive(dead)
            if message is None:
                return
            yield message
            if isinstance(message, Died):
                return

    def _receive(self, dead: bool) -> Message | None:
        try:
            if self._connection.poll():
                message: Message = self._connection.recv()
                if not isinstance(message, News):
                    self.ready, self.busy = True, False
                return message
        except (EOFError, OSError):  # killed, perhaps in the middle of a message
            self._process.join()
            dead = True
        return self._death() if dead else None

    def ask_to_stop(self) -> None:
        """Ask the errand to stop at its next safe place; a process that is not at one is killed."""
        if self.busy:
            self._send(_STOP)
        else:
            self.kill()

    def end(self) -> None:
        """Let an idle process come to its end; kill another."""
        if self.ready:
            self._send(_END)
            self._process.join(SECONDS_TO_END)
        self.kill()

    def kill(self) -> None:
        """End the process at once, whatever it is at."""
        self.ready = self.busy = False
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._last_words.close()

    def _send(self, message: Any) -> None:
        with suppress(OSError), put_off():  # half a message would be worse than none
            self._connection.send(message)

    def _death(self) -> Died:
        self.ready = self.busy = False
        words = b""
        with suppress(OSError):
            while self._last_words.poll() and (some := os.read(self._last_words.fileno(), 1 << 16)):
                words += some
        exit_code = self._process.exitcode or 0
        return Died(exit_code, failure_of_death(exit_code, words.decode(errors="replace")))


def failure_of_death(exit_code: int | None, last_words: str) -> Failure:
    """Return why a process died.

    Args:
        exit_code: minus the number of the signal that ended it; None where only its last words tell.
        last_words: what faulthandler wrote; one that leaves none was killed.

    """
    code = exit_code_of(last_words) if exit_code is None else exit_code
    text = describe_exit(-signal.SIGKILL if code is None else code)
    at = place_of(last_words)
    return Failure(f"{text}, at {at}" if at else text, shortened(last_words))


def _serve(connection: Connection, last_words: Connection) -> None:
    """Work off errands until told to end, or until the launcher is no more."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:  # functions, since what is ignored would be ignored by its own child processes too
        signal.signal(number, _leave_it_to_the_launcher)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    # One thread's frames fit a pipe; a fault must not hang in telling of itself.
    faulthandler.enable(last_words.fileno(), all_threads=False)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products need
    from normlaw.training.threads import use_one_thread

    def tell(item: Any) -> None:
        connection.send(News(item))

    use_one_thread()
    connection.send(Ready())
    while (message := connection.recv()) != _END:
        if message == _STOP:  # the errand had ended when it was sent
            continue
        errand, arguments = message
        try:
            answer: Message = Done(errand(*arguments, tell, connection.poll))
        except BaseException as error:  # noqa: BLE001  # a plugin may call sys.exit
            answer = Failed(Failure.of(error))
        connection.send(answer)


def _leave_it_to_the_launcher(*_: object) -> None:
    pass


def _end_with_parent() -> None:
    """End at once when the launcher is killed: the runs' locks are free then for whoever goes on with them.

    And when the process is killed that this one was forked from: the launcher takes this one for dead then.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    ends = [parent.sentinel]
    with suppress(AttributeError, OSError):  # another system than Linux
        ends.append(os.pidfd_open(os.getppid()))
    wait(ends)
    os._exit(1)


@contextmanager
def main_module_hidden() -> Iterator[None]:
    """Keep processes that are spawned meanwhile from running the main script once more.

    A spawned process imports it, for functions that it might define; ours come from normlaw. Without this, a
    script or a program on standard input that calls `normlaw.run` would have to guard itself by
    `if __name__ == "__main__"`.
    """
    main = sys.modules["__main__"]
    names: tuple[str, ...] = ("__file__", "__spec__")
    kept = {name: vars(main)[name] for name in names if name in vars(main)}
    try:
        vars(main).pop("__file__", None)
        main.__spec__ = None
        yield
    finally:
        vars(main).update(kept)
