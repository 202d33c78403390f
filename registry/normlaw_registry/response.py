"""What is measured of a network on its test examples, and what an analysis takes of it: the response."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

from normlaw_registry.errors import InputError, suggestion

Quantity = Literal["test_error", "test_loss"]
NOUNS = {"test_error": "error", "test_loss": "loss"}


@dataclass(frozen=True, kw_only=True)
class Response:
    """The quantity that falls with the norm, less a floor that is known: any positive number.

    Raises:
        InputError: there is no such quantity, or the floor is no number that it could have.

    """

    quantity: Quantity = "test_error"
    """The test error, a fraction; or the test loss, a mean over examples that may exceed 1."""
    floor: float = 0.0
    """What no network can be better than, such as the error of the Bayes-optimal rule or the entropy of the
    labels. The response is what is measured less the floor, the excess."""

    def __post_init__(self) -> None:
        """Refuse what no analysis could use."""
        if self.quantity not in get_args(Quantity):
            known = list(get_args(Quantity))
            raise InputError(
                f"response: unknown quantity {self.quantity!r}: {suggestion(self.quantity, known)}"
            )
        if not isfinite(self.floor) or self.floor < 0 or (self.is_fraction and self.floor >= 1):
            limit = "in [0, 1)" if self.is_fraction else "of at least 0"
            raise InputError(f"floor: that of the {self.plain} is a number {limit}, got {self.floor:g}")

    @property
    def is_fraction(self) -> bool:
        """Whether it counts examples: then it lies in [0, 1], and a test set's counting noise is binomial."""
        return self.quantity == "test_error"

    @property
    def plain(self) -> str:
        """What is measured: 'test error' or 'test loss'."""
        return self.quantity.replace("_", " ")

    @property
    def noun(self) -> str:
        """One word or two for a sentence: 'error', 'loss', 'excess error' or 'excess loss'."""
        return f"excess {NOUNS[self.quantity]}" if self.floor else NOUNS[self.quantity]

    @property
    def name(self) -> str:
        """For columns and keys: 'test_error', 'test_loss', 'excess_test_error' or 'excess_test_loss'."""
        return f"excess_{self.quantity}" if self.floor else self.quantity

    @property
    def described(self) -> str:
        """For readers: 'test error', 'test loss', or 'excess test loss over the floor 1.69'."""
        return f"excess {self.plain} over the floor {self.floor:g}" if self.floor else self.plain

    def told(self, text: str) -> str:
        """Return a text about the error as one about this response.

        >>> Response(quantity="test_loss").told("measured endpoint law: least error ~ P^-gamma_meas")
        'measured endpoint law: least loss ~ P^-gamma_meas'
        >>> Response(quantity="test_loss", floor=1.7).told("mean test error, std. error of it")
        'mean excess test loss, std. error of it'
        """
        if self == Response():
            return text
        text = re.sub(r"\btest error\b", f"excess {self.plain}" if self.floor else self.plain, text)
        return re.sub(r"(?<!std\. )(?<!standard )(?<!excess test )(?<!test )\berror\b", self.noun, text)

    def column(self, name: str) -> str:
        """Return what a column about the error is called.

        >>> Response(quantity="test_loss").column("log_error_low"), Response().column("log_error")
        ('log_loss_low', 'log_error')
        >>> Response(quantity="test_loss", floor=1.7).column("test_error")
        'excess_test_loss'
        """
        if self == Response():
            return name
        if name == "test_error":
            return self.name
        return name.replace("log_error", "log_" + self.noun.replace(" ", "_"))


TEST_ERROR = Response()
"""What is analysed where nothing else is asked for."""
