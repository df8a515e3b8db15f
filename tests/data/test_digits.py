"""The digits that travel with the kit, against what UCI publishes about them."""

import hashlib
import itertools
import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

from amaas_kit.data import SHEET_STARTS, load_digits, read_digits
from amaas_kit.errors import DataError

PUBLISHED_ROWS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
"""Rows a digit, from the description of the data set at UCI."""


def test_the_digits_are_those_that_uci_describes():
    digits = read_digits()
    assert digits.x.shape == (1797, 64)
    assert digits.x.dtype == np.float32
    assert digits.y.dtype == np.int64
    assert tuple(np.bincount(digits.y)) == PUBLISHED_ROWS
    counts = digits.x * 16
    assert (counts == np.round(counts)).all()
    assert counts.min() == 0
    assert counts.max() == 16
    assert counts.astype(int).sum() == 561_718


def test_the_first_image_is_the_zero_that_opens_the_published_file():
    first = (read_digits().x[0].reshape(8, 8) * 16).astype(int)
    assert first[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert first[7].tolist() == [0, 0, 6, 13, 10, 0, 0, 0]
    assert read_digits().y[:10].tolist() == list(range(10))


def test_the_labels_start_over_where_a_sheet_begins():
    text = "".join(map(str, read_digits().y))
    for start, end in itertools.pairwise([*SHEET_STARTS, len(text)]):
        assert text[start:end].count("5565098") == 1
        assert text.index("5565098", start) - start in range(27, 33)
        assert 120 <= end - start <= 130


def test_facts_for_the_contract_are_set():
    digits = read_digits()
    assert digits.labels == tuple(range(10))
    assert digits.bounds == (0.0, 1.0)
    assert digits.task == "classification"
    assert (digits.rows, digits.features, digits.classes) == (1797, 64, 10)


def test_a_random_split_gives_each_digit_its_share():
    split = load_digits(seed=3)
    for part, share in ((split.train, 0.75), (split.validation, 0.1), (split.test, 0.15)):
        for digit, published in enumerate(PUBLISHED_ROWS):
            assert abs((part.y == digit).sum() - published * share) <= 1
        assert abs(part.rows - 1797 * share) <= 2


def test_a_block_split_keeps_each_sheet_in_one_part():
    digits = read_digits()
    sheets = np.split(np.arange(1797), SHEET_STARTS[1:])
    split = load_digits(by="block", seed=5)
    found = {"train": 0, "validation": 0, "test": 0}
    for sheet in sheets:
        homes = [
            part
            for part in found
            if any((getattr(split, part).x == digits.x[sheet[0]]).all(axis=1))
            and _holds(getattr(split, part).x, digits.x[sheet])
        ]
        assert len(homes) == 1
        found[homes[0]] += len(sheet)
    assert found == {part: getattr(split, part).rows for part in found}


def _holds(x, rows):
    held = {row.tobytes() for row in x}
    return all(row.tobytes() in held for row in rows)


def test_another_process_draws_the_same_split():
    program = (
        "import hashlib, amaas_kit as ak\n"
        "for by in ('random', 'block'):\n"
        "    s = ak.data.load_digits(by=by, seed=11)\n"
        "    print(hashlib.sha256(b''.join(p.x.tobytes() + p.y.tobytes()"
        " for p in (s.train, s.validation, s.test))).hexdigest())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == [
        _digest(load_digits(by=by, seed=11)) for by in ("random", "block")
    ]


def _digest(split):
    parts = (split.train, split.validation, split.test)
    return hashlib.sha256(b"".join(p.x.tobytes() + p.y.tobytes() for p in parts)).hexdigest()


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    whole = resources.files("amaas_kit.data").joinpath("digits.npz").read_bytes()
    (tmp_path / "digits.npz").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    monkeypatch.setattr("amaas_kit.data.digits.resources.files", lambda package: tmp_path)
    with pytest.raises(DataError, match="SHA-256") as caught:
        load_digits()
    assert "pip install" in caught.value.fix


def test_the_file_is_small_and_its_note_names_source_licence_and_checksum():
    folder = resources.files("amaas_kit.data")
    content = folder.joinpath("digits.npz").read_bytes()
    note = folder.joinpath("digits.md").read_text(encoding="utf-8")
    assert len(content) < 100_000
    for fact in ("10.24432/C50P49", "CC BY 4.0", hashlib.sha256(content).hexdigest()):
        assert fact in note


def test_importing_the_room_loads_no_heavy_package():
    program = (
        "import sys, amaas_kit.data\n"
        "heavy = {'polars', 'tensorflow', 'keras', 'matplotlib', 'bentoml', 'tqdm'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
