"""The 1,797 handwritten digits that travel with the kit."""

from __future__ import annotations

import hashlib
import io
from importlib import resources

import numpy as np

from amaas_kit.data.dataset import Dataset
from amaas_kit.data.split import Split
from amaas_kit.errors import DataError

SHA256 = "f10b077e7e3037d11006b85b6b71a63e15b2bf746d91c4e4122e42d304e5e54b"

SHEET_STARTS = (0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667)
"""The first row of each sheet of the file, as the labels show it.

Each writer filled in the same form, so that the labels start over where a new sheet begins. They
do so fourteen times, with a few digits left out; UCI names thirteen writers and does not say who
wrote which sheet, so that one of them may have filled in two.
"""


def read_digits() -> Dataset:
    """All 1,797 digits in the order of the file, writer by writer.

    Returns:
        x (1797, 64) float32 from 0 to 1: 8 rows of 8 pixels from the top left, each the share of
        black among 4 x 4 dots. y (1797,) int64, the digit.

    Raises:
        DataError: the file that came with the kit was changed.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, DOI
    10.24432/C50P49, CC BY 4.0; `digits.md` beside the file says more.
    Taught in: notebooks/04_first_network, "Split without leakage".
    """
    content = resources.files("amaas_kit.data").joinpath("digits.npz").read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DataError(
            situation="While reading the digits",
            seen=f"digits.npz with the SHA-256 {found}",
            wrong=f"the file that came with the kit has {SHA256}",
            fix="install the kit again: pip install --force-reinstall --no-deps amaas-kit",
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        x = file["x"].astype(np.float32) / np.float32(16)
        return Dataset(x, file["y"], name="digits", labels=tuple(range(10)), bounds=(0.0, 1.0))


def load_digits(
    by: str = "random",
    seed: int | np.random.Generator = 0,
    validation: float = 0.1,
    test: float = 0.15,
) -> Split:
    """The digits, divided for training, validation and test.

    by="random" draws rows, each digit in its share: the same hands are on both sides, and the
    test flatters the model. by="block" draws whole sheets of the file (`SHEET_STARTS`), so that
    the test holds hands that the network never saw, as a stranger's will be. Where sheets begin
    is read from the labels and certain to a digit or two; were one writer to have filled in two
    sheets, the two could fall on both sides.

    Args:
        by: "random" or "block".
        seed: a whole number, for the same split each time, or a generator to draw from.
        validation: share of the validation part; by block, of the fourteen sheets, rounded.
        test: share of the test part, likewise.

    Returns:
        The split; x (n, 64) float32 from 0 to 1, y (n,) int64, labels 0 to 9.

    Raises:
        DataError: an argument makes no sense, or the file that came with the kit was changed.

    Taught in: notebooks/00_start_here, "Load"; 04_first_network, "Split without leakage".
    """
    return read_digits().split(by, validation, test, seed, blocks=SHEET_STARTS)
