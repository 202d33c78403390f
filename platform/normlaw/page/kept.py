"""Answers that are kept: what was drawn once is sent to every reader, as long as nothing has changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

LARGEST = 32_000_000
"""Bytes of all answers together."""


class KeptAnswers:
    """The latest answer to each of the questions that were asked last.

    Args:
        largest: bytes that the answers may take together.

    """

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest, self._size = largest, 0
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[Hashable, bytes]] = OrderedDict()

    def answer(self, question: Hashable, version: Hashable, work_out: Callable[[], bytes]) -> bytes:
        """Return the answer to a question, worked out unless it is known of this version.

        Args:
            question: what is asked.
            version: changes with all that the answer rests on.
            work_out: returns the answer.

        """
        with self._lock:
            known = self._known.get(question)
            if known is not None and known[0] == version:
                self._known.move_to_end(question)
                return known[1]
        answer = work_out()
        with self._lock:
            self._forget(question)
            if len(answer) <= self._largest:
                self._known[question] = version, answer
                self._size += len(answer)
            while self._size > self._largest:
                self._forget(next(iter(self._known)))
        return answer

    def _forget(self, question: Hashable) -> None:
        known = self._known.pop(question, None)
        self._size -= 0 if known is None else len(known[1])
