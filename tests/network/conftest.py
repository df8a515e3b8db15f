from collections.abc import Callable, Iterator

import numpy as np
import pytest

from amaas_kit.errors import AmaasError


@pytest.fixture
def says() -> Callable[..., None]:
    """Assert that an error has all four parts and that its text holds every one of some words."""

    def check(error: pytest.ExceptionInfo[AmaasError], *words: str) -> None:
        text = str(error.value)
        assert error.value.situation
        assert error.value.seen
        assert error.value.wrong
        assert error.value.fix
        for word in words:
            assert word in text, f"{word!r} is not in:\n{text}"

    return check


@pytest.fixture(autouse=True)
def no_silent_overflow() -> Iterator[None]:
    """Turn NumPy's warnings into errors, but for results that vanish towards 0."""
    with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
        yield
