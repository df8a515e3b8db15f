"""NPZ files: arrays by name, never pickle, damage named."""

import numpy as np
import pytest

from amaas_kit.data import Dataset
from amaas_kit.errors import DataError

X = np.arange(24.0).reshape(4, 6)


@pytest.fixture
def arrays(tmp_path):
    def write(**named):
        np.savez_compressed(tmp_path / "own.npz", **named)
        return tmp_path / "own.npz"

    return write


def test_features_and_targets_are_read(arrays):
    data = Dataset.from_npz(arrays(x=X, y=np.array(["b", "a", "b", "a"])))
    assert data.x.tolist() == X.tolist()
    assert (data.y.tolist(), data.labels) == ([1, 0, 1, 0], ("a", "b"))
    assert (data.columns, data.name) == (None, "own.npz")


def test_arrays_may_have_other_names_and_be_images(arrays):
    path = arrays(pictures=X.reshape(4, 2, 3), kinds=[0, 1, 0, 1])
    data = Dataset.from_npz(path, x="pictures", y="kinds", bounds=(0, 23), name="pictures")
    assert data.x.shape == (4, 2, 3)
    assert (data.labels, data.bounds, data.name) == ((0, 1), (0.0, 23.0), "pictures")


def test_the_rule_and_its_override_are_those_of_csv(arrays):
    path = arrays(x=X, y=[1.0, 2.0, 1.0, 2.0])
    assert Dataset.from_npz(path).labels == (1, 2)
    assert Dataset.from_npz(path, task="regression").y.dtype == np.float32
    assert Dataset.from_npz(arrays(x=X, y=np.ones((4, 2)))).task == "regression"
    with pytest.raises(DataError, match="argmax"):
        Dataset.from_npz(arrays(x=X, y=np.eye(4)), task="classification")


@pytest.mark.parametrize(
    ("named", "quoted"),
    [
        ({"x": X}, "no array 'y'; the file holds 'x'"),
        ({"x": X, "y": np.array([{}, 1, 2, 3])}, "Object arrays"),
        ({"x": X, "y": [0, 1, 0]}, "(3,)"),
        ({"x": X.astype(str), "y": [0, 1, 0, 1]}, "dtype <U"),
        ({"x": np.where(X == 7, np.nan, X), "y": [0, 1, 0, 1]}, "x[1, 1] is nan"),
        ({"x": X, "y": [0.5, np.inf, 0, 1]}, "row index 1 is inf"),
        ({"x": np.empty((0, 3)), "y": []}, "(0,)"),
    ],
)
def test_a_wrong_file_is_refused_and_named(arrays, named, quoted):
    with pytest.raises(DataError) as caught:
        Dataset.from_npz(arrays(**named))
    assert "own.npz" in caught.value.situation
    assert quoted in caught.value.seen


def test_a_file_that_unpickles_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("pickle was run",))

    np.save(tmp_path / "trap.npy", np.array([Trap()], dtype=object))
    with pytest.raises(DataError):
        Dataset.from_npz(tmp_path / "trap.npy")


def test_another_kind_of_file_is_refused(tmp_path):
    np.save(tmp_path / "one.npy", X)
    (tmp_path / "text.npz").write_text("x,y\n1,2\n")
    for name in ("one.npy", "text.npz"):
        with pytest.raises(DataError, match=r"NPZ|no array"):
            Dataset.from_npz(tmp_path / name)
    with pytest.raises(DataError, match="nothing of this name"):
        Dataset.from_npz(tmp_path / "absent.npz")


def test_a_file_cut_anywhere_is_refused(arrays):
    path = arrays(x=X, y=[0, 1, 0, 1])
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            Dataset.from_npz(path)


def test_a_changed_byte_is_refused_or_harmless(arrays):
    path = arrays(x=X, y=[0, 1, 0, 1])
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0xA5
        path.write_bytes(damaged)
        try:
            data = Dataset.from_npz(path)
        except DataError:
            continue
        assert data.x.tolist() == X.tolist()
        assert data.y.tolist() == [0, 1, 0, 1]
