"""What a data set accepts, keeps and refuses."""

import dataclasses

import numpy as np
import pytest

from amaas_kit.data import Dataset, class_numbers
from amaas_kit.errors import DataError

X = np.arange(12.0).reshape(4, 3)
Y = np.array([0, 1, 0, 1])


def test_classes_become_int64_and_values_float32():
    classes = Dataset(X, Y.astype(np.uint8))
    assert (classes.x.dtype, classes.y.dtype) == (np.float32, np.int64)
    assert (classes.task, classes.classes, classes.labels) == ("classification", 2, (0, 1))
    values = Dataset(X, Y.astype(float))
    assert values.y.dtype == np.float32
    assert (values.task, values.classes, values.labels) == ("regression", None, None)
    assert Dataset(X, np.ones((4, 2))).y.shape == (4, 2)


def test_it_unpacks_into_features_and_targets():
    x, y = Dataset(X, Y)
    assert x.tolist() == X.tolist()
    assert y.tolist() == Y.tolist()


def test_nobody_changes_it_from_outside():
    x, y = X.astype(np.float32), Y.astype(np.int64)
    data = Dataset(x, y)
    x[:], y[:] = -1, 0
    assert data.x.tolist() == X.tolist()
    assert data.y.tolist() == Y.tolist()
    for array in (data.x, data.y, data.take([0, 1]).x, data.take([0, 1]).y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.x = x


def test_a_read_only_view_of_a_writable_array_is_copied():
    x = X.astype(np.float32)
    view = x[:]
    view.setflags(write=False)
    data = Dataset(view, Y)
    x[:] = -1
    assert data.x.tolist() == X.tolist()


def test_taking_rows_does_not_copy_twice():
    data = Dataset(X, Y)
    assert Dataset(data.x, data.y).x is data.x


def test_images_count_their_pixels():
    images = Dataset(np.zeros((4, 8, 8)), Y)
    assert images.features == 64
    assert repr(images) == "Dataset('own data': 4 rows, 8 x 8 features, 2 classes)"


def test_what_it_shows_is_short():
    assert repr(Dataset(X, Y, name="trial")) == "Dataset('trial': 4 rows, 3 features, 2 classes)"
    assert repr(Dataset(X, X)) == "Dataset('own data': 4 rows, 3 features, values)"


def test_taken_rows_keep_labels_that_no_longer_occur():
    data = Dataset(X, [0, 1, 2, 1], columns=("a", "b", "c"), bounds=(0, 11), name="trial")
    taken = data.take([3, 1])
    assert taken.x.tolist() == X[[3, 1]].tolist()
    assert taken.labels == (0, 1, 2)
    assert (taken.columns, taken.bounds, taken.name) == (("a", "b", "c"), (0.0, 11.0), "trial")
    assert data.take(np.array([True, False, False, True])).y.tolist() == [0, 1]


@pytest.mark.parametrize("indices", [[4], [0.5], [[0]], [], [True], ["a"], 1])
def test_rows_that_are_not_there_cannot_be_taken(indices):
    with pytest.raises(DataError):
        Dataset(X, Y).take(indices)


def test_class_numbers_count_labels_in_sorted_order():
    y, labels = class_numbers(["dog", "cat", "dog"])
    assert (y.tolist(), labels) == ([1, 0, 1], ("cat", "dog"))
    y, labels = class_numbers([7.0, 3.0, 7.0])
    assert (y.tolist(), labels) == ([1, 0, 1], (3, 7))
    assert class_numbers(np.array(["b", "a"], dtype=object))[1] == ("a", "b")
    assert class_numbers([0.5, 1.0])[1] == ("0.5", "1.0")
    assert all(type(label) is int for label in class_numbers([True, False])[1])


@pytest.mark.parametrize(
    "labels", [[], ["a", None], [1.0, float("nan")], [b"a"], 3, [[1], [2, 3]], [[1, 2], [3, 4]]]
)
def test_labels_that_cannot_be_numbered_are_refused(labels):
    with pytest.raises(DataError):
        class_numbers(labels)


REFUSED = {
    "no row": ({"x": np.empty((0, 3)), "y": []}, "(0, 3)"),
    "no feature": ({"x": np.empty((4, 0))}, "(4, 0)"),
    "one flat row": ({"x": [1.0, 2.0]}, "(2,)"),
    "ragged rows": ({"x": [[1.0, 2.0], [1.0]]}, "x:"),
    "text": ({"x": [["red", "blue"]] * 4}, "such as 'red'"),
    "numbers as text": ({"x": X.astype(str)}, "x of dtype <U"),
    "text among numbers": ({"x": [[1, 2, "red"]] * 4}, "such as 'red'"),
    "text among objects": ({"x": np.array([[1, 2, "red"]] * 4, object)}, "such as 'red'"),
    "complex numbers": ({"x": X * 1j}, "complex128"),
    "NaN": ({"x": np.where(X == 7, np.nan, X)}, "x[2, 1] is nan"),
    "infinity": ({"x": np.where(X == 7, -np.inf, X)}, "x[2, 1] is -inf"),
    "beyond float32": ({"x": np.where(X == 7, 1e39, X)}, "x[2, 1] is 1e+39"),
    "NaN in a named column": (
        {"x": np.where(X == 7, np.nan, X), "columns": ["a", "b", "c"]},
        "x[2, 1] (column 'b')",
    ),
    "out of bounds": ({"bounds": (0, 10)}, "x[3, 2] is 11.0"),
    "bounds the wrong way round": ({"bounds": (1, 0)}, "bounds=(1, 0)"),
    "bounds of one number": ({"bounds": (1,)}, "bounds=(1,)"),
    "endless bounds": ({"bounds": (0, np.inf)}, "bounds=(0, inf)"),
    "too few columns named": ({"columns": ["a", "b"]}, "2 column names and x of shape (4, 3)"),
    "a column named twice": ({"columns": ["a", "b", "a"]}, "'a' twice"),
    "a column without a name": ({"columns": ["a", "", "c"]}, "''"),
    "columns of images": ({"x": np.zeros((4, 2, 2)), "columns": ["a", "b"]}, "(4, 2, 2)"),
    "fewer targets": ({"y": [0, 1, 0]}, "x of 4 rows and y of shape (3,)"),
    "text targets": ({"y": list("abab")}, "y of dtype <U1"),
    "one-hot classes": ({"y": np.eye(4, dtype=int)}, "(4, 4)"),
    "a class number without label": ({"y": [0, 1, 3, 1], "labels": "abc"}, "y[2] is 3"),
    "a negative class number": ({"y": [0, -1, 1, 1], "labels": "abc"}, "y[1] is -1"),
    "a gap in the class numbers": ({"y": [0, 2, 0, 2]}, "from 0 to 2"),
    "classes from 1": ({"y": [1, 2, 1, 2]}, "from 1 to 2"),
    "a class below 0": ({"y": [-1, 1, -1, 1]}, "from -1 to 1"),
    "a label twice": ({"labels": ["a", "a"]}, "'a'"),
    "a label of another kind": ({"labels": [0.5, 1.5]}, "0.5"),
    "labels of values": ({"y": [0.0, 1.0, 0.0, 1.0], "labels": ("a", "b")}, "float64"),
    "one class": ({"y": [0, 0, 0, 0]}, "one class"),
    "NaN target": ({"y": [0.0, np.nan, 0.0, 1.0]}, "y[1] is nan"),
    "infinite target": ({"y": np.full((4, 2), np.inf)}, "y[0, 0] is inf"),
    "targets in three dimensions": ({"y": np.zeros((4, 1, 1))}, "(4, 1, 1)"),
}


@pytest.mark.parametrize(("arguments", "quoted"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_and_quoted(arguments, quoted):
    with pytest.raises(DataError) as caught:
        Dataset(**{"x": X, "y": Y, "name": "trial"} | arguments)
    assert "'trial'" in caught.value.situation
    assert quoted in caught.value.seen
    assert caught.value.wrong
    assert caught.value.fix
