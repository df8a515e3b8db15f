"""What the figures of lesson 4 show is what they were given."""

from __future__ import annotations

import numpy as np

from amaas_kit.views import first_network as views


def labelled(axis, label):
    (line,) = [line for line in axis.lines if line.get_label() == label]
    return np.column_stack(line.get_data())


def test_training_curves_start_at_epoch_0_above_a_named_baseline():
    axis = views.draw_training({"run": [4.0, 2.0, 1.0]}, 0.5, "always the mean").axes[0]
    np.testing.assert_allclose(labelled(axis, "run"), [[0, 4], [1, 2], [2, 1]])
    np.testing.assert_allclose(labelled(axis, "always the mean")[:, 1], 0.5)


def test_starts_are_sorted_from_the_best():
    axis = views.draw_starts({"unit": [3.0, 1.0, 2.0], "He": [0.1]}, 3.0).axes[0]
    np.testing.assert_allclose(labelled(axis, "unit"), [[1, 1], [2, 2], [3, 3]])
    np.testing.assert_allclose(labelled(axis, "He"), [[1, 0.1]])


def test_each_row_of_the_file_has_the_colour_of_its_part():
    parts = [[0, 1, 2, 6], [3, 4], [5, 7]]
    figure = views.draw_sheets({"mixed": parts}, starts=(0, 3, 5), rows=8)
    collections = figure.axes[0].collections
    assert len({tuple(lines.get_color()[0]) for lines in collections}) == 3
    for lines, rows in zip(collections, parts, strict=True):
        assert sorted(path.vertices[0, 0] for path in lines.get_paths()) == rows
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["1", "2", "3"]


def test_leakage_shows_every_seed_and_the_median():
    axis = views.draw_leakage({"random": [0.9, 1.0, 0.98], "block": [0.8, 0.95, 0.9]}).axes[0]
    np.testing.assert_allclose(labelled(axis, "block")[:, 1], [0.8, 0.95, 0.9])
    assert [text.get_text() for text in axis.texts] == ["median 0.980", "median 0.900"]


def test_a_confusion_matrix_shows_its_counts_and_colours_only_mistakes():
    counts = np.array([[5, 0], [2, 7]])
    axis = views.draw_confusion(counts, ["cat", "dog"]).axes[0]
    written = {(text.get_position()[::-1]): text.get_text() for text in axis.texts}
    assert written == {(0, 0): "5", (1, 0): "2", (1, 1): "7"}
    np.testing.assert_array_equal(axis.images[0].get_array(), [[0, 0], [2, 0]])
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("answer", "truth")
    assert counts[0, 0] == 5


def test_mistakes_are_shown_with_truth_answer_and_certainty():
    images = np.arange(7 * 4).reshape(7, 2, 2)
    figure = views.draw_mistakes(images, range(7), [9] * 7, np.linspace(0.4, 1, 7), columns=4)
    shown = [axis for axis in figure.axes if axis.images]
    assert len(figure.axes) == 8
    for number, axis in enumerate(shown):
        np.testing.assert_array_equal(axis.images[0].get_array(), images[number])
    assert shown[0].get_title() == "is 0, said 9\nat 40%"
    assert len(shown) == 7


def test_sizes_are_drawn_with_every_run_and_the_mean():
    accuracies = np.array([[0.7, 0.8, 0.9], [0.9, 0.95, 0.91]])
    figure = views.draw_sizes([100, 2_000_000], accuracies, accuracies * 2, [400, 8_000_000],
                              0.85, "nearest mean")  # fmt: skip
    accuracy, seconds, size = figure.axes
    np.testing.assert_allclose(labelled(accuracy, "mean")[:, 1], [0.8, 0.92])
    np.testing.assert_allclose(labelled(seconds, "mean")[:, 1], [1.6, 1.84])
    np.testing.assert_allclose(accuracy.lines[2].get_ydata(), [0.9, 0.91])
    np.testing.assert_allclose(size.lines[0].get_ydata(), [400, 8_000_000])
    np.testing.assert_allclose(labelled(accuracy, "nearest mean")[:, 1], 0.85)
    np.testing.assert_allclose(labelled(size, '"large"')[:, 0], 1_000_000)


def test_many_classes_are_shown_by_colour_alone():
    axis = views.draw_confusion(np.ones((200, 200), dtype=int), range(200)).axes[0]
    assert axis.images[0].get_array().shape == (200, 200)
    assert not axis.texts
