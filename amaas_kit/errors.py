"""The family of errors: each says the situation, what was seen, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self


class AmaasError(Exception):
    """An error that a learner can act on.

    Args:
        situation: what was being done, as the start of a sentence ("While reading digits.csv").
        seen: what was found there.
        wrong: why that cannot work.
        fix: what to do about it.
    """

    def __init__(self, situation: str, seen: str, wrong: str, fix: str) -> None:
        super().__init__(situation, seen, wrong, fix)
        self.situation = situation
        self.seen = seen
        self.wrong = wrong
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.situation}\n  seen:  {self.seen}\n  wrong: {self.wrong}\n  fix:   {self.fix}"

    def reworded(self, change: Callable[[str], str]) -> Self:
        """The same error, each of its four texts changed."""
        return type(self)(*map(change, (self.situation, self.seen, self.wrong, self.fix)))


class DataError(AmaasError, ValueError):
    """A data set, a split or a data file that cannot be used."""


class NetworkError(AmaasError, ValueError):
    """A network whose parts, or whose input, do not fit together."""


class ModelFileError(AmaasError, ValueError):
    """A model file that is damaged, or of a format that this version cannot read."""


class TrainingError(AmaasError, ValueError):
    """A training run that cannot start with these settings."""


class DivergedError(TrainingError):
    """A training run whose loss left the finite numbers; `history` says how it went until then."""

    history: Any = None


class ServingError(AmaasError, RuntimeError):
    """A model that cannot be packaged, or a server that cannot be started or asked."""


class RequestError(AmaasError, ValueError):
    """A request that breaks the contract of the served model."""


class EngineError(AmaasError, RuntimeError):
    """An engine that cannot be started or reached, or that failed in the middle of its work."""


class MissingError(AmaasError, RuntimeError):
    """A program, a package or a network that this step needs and this machine lacks."""


class ExerciseError(AmaasError, ValueError):
    """A lesson or an exercise that does not exist."""


class NotAttempted(AmaasError, RuntimeError):  # noqa: N818 - what an exercise says, no fault
    """An exercise's code that still holds the placeholder `____`."""
