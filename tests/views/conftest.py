from collections.abc import Iterator

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def drawn_without_a_screen() -> Iterator[None]:
    """Draw into memory, and let no figure outlive its test."""
    mpl.use("agg")
    yield
    plt.close("all")
