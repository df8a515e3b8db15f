"""What is drawn becomes an image as those of the data set were made."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import ndimage

from amaas_kit import data
from amaas_kit.data import bitmap as bitmaps
from amaas_kit.errors import DataError
from amaas_kit.network import Network
from amaas_kit.training import fit

IMAGES = data.read_digits().x.reshape(-1, 8, 8)

ZERO = [[(0.5 + 0.2 * np.sin(t), 0.5 - 0.35 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 60)]]
ONE = [[(0.52, 0.1), (0.5, 0.9)]]
TWO = [
    [(0.5 - 0.2 * np.cos(t), 0.3 - 0.2 * np.sin(t)) for t in np.linspace(0.3, np.pi + 0.6, 30)]
    + [(0.28, 0.9), (0.75, 0.9)]
]
FOUR = [[(0.55, 0.1), (0.25, 0.6), (0.75, 0.6)], [(0.6, 0.35), (0.6, 0.9)]]
SEVEN = [[(0.25, 0.1), (0.75, 0.1), (0.4, 0.9)]]

coordinates = st.floats(0, 1, width=32)
strokes = st.lists(
    st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6), min_size=1, max_size=4
)


def dots_of(image):
    """A bitmap whose blocks hold as many dots as the image says, in the darkest places."""
    smooth = ndimage.zoom(image, 4, order=1, mode="grid-constant", grid_mode=True)
    dots = np.zeros((32, 32), bool)
    for row in range(8):
        for column in range(8):
            block = slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4)
            count = round(float(image[row, column]) * 16)
            chosen = np.zeros(16, bool)
            chosen[np.argsort(-smooth[block].ravel(), kind="stable")[:count]] = True
            dots[block] = chosen.reshape(4, 4)
    return dots


def elsewhere(dots, height, width, rng):
    """The same drawing on a large paper, of another size and at another place."""
    rows = np.linspace(0, 31.99, height).astype(int)
    columns = np.linspace(0, 31.99, width).astype(int)
    paper = np.zeros((200, 200), bool)
    y, x = rng.integers(0, 200 - height), rng.integers(0, 200 - width)
    paper[y : y + height, x : x + width] = dots[rows][:, columns]
    return paper


@pytest.fixture(scope="module")
def learnt():
    """A network, and digits of writers that it never saw."""
    split = data.load_digits(by="block", seed=0)
    net = Network([64, 128, 64, 10], seed=1)
    fit(net, split, epochs=30, seed=1, progress=False)
    return net, split.test


def test_the_shipped_digits_lie_as_the_module_says():
    rows = IMAGES.max(axis=2) > 0
    assert rows[:, [0, 7]].all()
    assert IMAGES[:, :, 1:7].sum() / IMAGES.sum() > 0.98
    ink = IMAGES.mean(axis=(1, 2))
    assert np.mean((ink > 0.24) & (ink < 0.39)) > 0.98
    left = (IMAGES > 2 / 16).argmax(axis=2)
    assert np.mean(abs(left[:, 0] - left[:, 7]) <= 1) > 0.99


def test_dots_are_counted_by_four_times_four():
    assert all((bitmaps.count_blocks(dots_of(image)) == image.ravel()).all() for image in IMAGES)
    one = np.zeros((32, 32), bool)
    one[5, 30] = True
    assert np.flatnonzero(bitmaps.count_blocks(one)).tolist() == [8 + 7]
    assert bitmaps.count_blocks(one).max() == 1 / 16


@pytest.mark.parametrize(("height", "width"), [(32, 32), (150, 110), (40, 60), (190, 190)])
def test_a_digit_at_another_place_and_of_another_size_is_still_read(learnt, height, width):
    net, test = learnt
    rng = np.random.default_rng(3)
    drawn = [elsewhere(dots_of(image), height, width, rng) for image in test.x.reshape(-1, 8, 8)]
    x = np.array([data.image_of_bitmap(drawing) for drawing in drawn])
    right, right_as_shipped = (np.mean(net.predict(rows) == test.y) for rows in (x, test.x))
    assert right > right_as_shipped - 0.05


def test_without_those_steps_the_network_would_be_lost(learnt):
    net, test = learnt
    rng = np.random.default_rng(3)
    papers = [elsewhere(dots_of(image), 40, 60, rng) for image in test.x.reshape(-1, 8, 8)]
    every = np.linspace(0, 199, 32).astype(int)
    shrunk = np.array([bitmaps.count_blocks(paper[np.ix_(every, every)]) for paper in papers])
    assert np.mean(net.predict(shrunk) == test.y) < 0.5


def test_drawn_digits_have_as_much_ink_as_those_of_the_data():
    ink = [data.image_of_strokes(digit).mean() for digit in (ZERO, ONE, TWO, FOUR, SEVEN)]
    assert min(ink) > IMAGES.mean(axis=(1, 2)).min()
    assert max(ink) < IMAGES.mean(axis=(1, 2)).max()
    assert np.mean(ink) == pytest.approx(IMAGES.mean(), abs=0.05)


@pytest.mark.parametrize(("digit", "drawn"), [(0, ZERO), (1, ONE), (2, TWO), (4, FOUR), (7, SEVEN)])
def test_a_drawn_digit_is_read(learnt, digit, drawn):
    net, _ = learnt
    assert net.predict(data.image_of_strokes(drawn)[None])[0] == digit


@given(drawn=strokes, scale=st.floats(0.2, 0.9), shift=st.floats(0, 0.1))
def test_size_and_place_on_the_paper_make_hardly_a_difference(drawn, scale, shift):
    first = data.image_of_strokes(drawn)
    extent = np.ptp(np.concatenate([np.asarray(line) for line in drawn]), axis=0).max()
    assume(extent == 0 or extent > 1e-3)
    moved = [[(scale * x + shift, scale * y + shift) for x, y in line] for line in drawn]
    assert np.mean(abs(data.image_of_strokes(moved) - first)) < 0.1


@given(drawn=strokes)
def test_an_image_has_the_form_of_the_data(drawn):
    image = data.image_of_strokes(drawn)
    assert image.shape == (64,)
    assert image.dtype == np.float32
    assert 0 < image.mean() < 0.5
    assert image.min() >= 0
    assert image.max() <= 1
    assert (image * 16 == np.round(image * 16)).all()


def test_a_single_point_and_a_flat_line_have_an_image_too():
    for drawn in ([[(0.5, 0.5)]], [[(0.5, 0.5)] * 3], [[(0.1, 0.5), (0.9, 0.5)]]):
        assert data.image_of_strokes(drawn).mean() > 0.1


def test_a_bitmap_may_hold_numbers():
    dots = dots_of(IMAGES[3])
    expected = data.image_of_bitmap(dots)
    np.testing.assert_array_equal(data.image_of_bitmap(dots * 255), expected)
    np.testing.assert_array_equal(data.image_of_bitmap((dots * 0.5).tolist()), expected)


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_without_a_stroke_there_is_nothing_to_look_at(nothing):
    with pytest.raises(DataError, match="draw a digit first"):
        data.image_of_strokes(nothing)
    with pytest.raises(DataError, match="draw a digit first"):
        data.image_of_bitmap(np.zeros((5, 5)))
    with pytest.raises(DataError, match="draw a digit first"):
        data.image_of_bitmap(np.zeros((0, 5)))


@pytest.mark.parametrize(
    "stroke",
    [[(0.1, 0.2, 0.3)], [0.1, 0.2], [("a", "b")], [(np.nan, 0.1)], [(0.1, np.inf)], 5, None],
)
def test_a_stroke_that_is_none_is_said(stroke):
    with pytest.raises(DataError, match="each two finite numbers"):
        data.image_of_strokes([[(0.1, 0.1)], stroke])


@pytest.mark.parametrize(
    "thing", [np.zeros(5), np.zeros((2, 2, 2)), np.array([["a"]]), [[1], [2, 3]]]
)
def test_a_bitmap_that_is_none_is_said(thing):
    with pytest.raises(DataError):
        data.image_of_bitmap(thing)


def test_a_drawing_changes_nothing_that_it_was_given():
    dots = dots_of(IMAGES[5])
    before = hashlib.sha256(dots.tobytes()).hexdigest()
    data.image_of_bitmap(dots)
    assert hashlib.sha256(dots.tobytes()).hexdigest() == before
