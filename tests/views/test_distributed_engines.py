"""What the figures of lesson 6 show is what was measured, or what the paper says."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from amaas_kit.errors import DataError
from amaas_kit.partition.on_paper import PaperCluster
from amaas_kit.session import COLOURS
from amaas_kit.views import distributed_engines as views

COUNTS = np.array([[10, 40, 0], [30, 20, 5]])

SECONDS = {"local": [0.2, 0.2], "spark": [12.0, 2.0, 4.0, 3.0], "hadoop": [3.9, 4.0]}
COPY = 0.05


def test_each_line_of_a_shuffle_is_as_thick_as_its_rows_are_many():
    axis = views.draw_shuffle(COUNTS).axes[0]
    widths = np.array([line.get_linewidth() for line in axis.lines]).reshape(COUNTS.shape)
    np.testing.assert_allclose(widths / widths.max(), COUNTS / COUNTS.max())
    ends = {line.get_ydata()[1] for line in axis.lines}
    assert len(ends) == COUNTS.shape[1]


def test_the_boxes_of_a_shuffle_have_the_sums():
    words = [text.get_text() for text in views.draw_shuffle(COUNTS).axes[0].texts]
    assert {"machine 0\n50 rows", "machine 1\n55 rows"} <= {*words}
    assert {"part 0\n40 rows", "part 1\n60 rows", "part 2\n5 rows"} <= {*words}


def bars(figure):
    """The lengths of the bars by colour, and what stands beside each."""
    [axis] = figure.axes
    lengths = [
        [bar.get_width() for bar in axis.patches if bar.get_facecolor() == to_rgba(colour)]
        for colour in (COLOURS[0], COLOURS[4])
    ]
    names = [label.get_text() for label in axis.get_yticklabels()]
    said = [text.get_text().strip() for text in axis.texts]
    return dict(zip(names, zip(*lengths, said, strict=True), strict=True))


def test_a_start_is_what_the_first_run_takes_longer():
    found = bars(views.draw_engines(SECONDS, COPY))
    assert list(found) == ["copy", "local", "spark", "hadoop"]
    assert found["copy"] == (0.05, 0, "0.05 s")
    assert found["spark"] == (3.0, 9.0, "12 s")
    assert found["hadoop"] == (4.0, 0, "4 s")


def test_a_start_is_shared_by_all_cuts():
    view = views.EngineComparison(SECONDS, COPY)
    assert "One start for 1 cut: local 0.2 s, spark 12 s" in view.sentence
    view.cuts.value = 10
    found = bars(view.figure())
    assert found["spark"][:2] == pytest.approx((3.0, 0.9))
    assert found["hadoop"][:2] == (4.0, 0)
    assert view.sentence == (
        "One start for 10 cuts: local 0.2 s, spark 3.9 s, hadoop 4 s a cut; a copy 0.05 s."
    )


@pytest.mark.parametrize("seconds", [{}, {"local": [0.1]}], ids=str)
def test_one_run_does_not_tell_a_start(seconds):
    with pytest.raises(DataError, match="twice"):
        views.EngineComparison(seconds, COPY)


CLUSTER = PaperCluster(nodes=10, node_rate=50e6, bandwidth=1e8, start=20)


def line(axis, label):
    [found] = [line for line in axis.lines if line.get_label() == label]
    return np.column_stack(found.get_data())


def test_lines_on_paper_are_those_of_the_cluster_and_cross_where_it_says():
    [axis] = views.draw_on_paper(CLUSTER, 100e6, 5e9).axes
    many, alone = line(axis, "cluster of 10 machines"), line(axis, "one machine, no cluster")
    expected = [CLUSTER.stages(size * 1e9).total for size in many[:, 0]]
    np.testing.assert_allclose(many[:, 1], expected)
    np.testing.assert_allclose(alone[:, 1], alone[:, 0] * 10)
    [(crossing, seconds)] = line(axis, "equally fast")
    assert CLUSTER.stages(crossing * 1e9).total == pytest.approx(seconds)
    assert line(axis, "this table")[0, 0] == pytest.approx(5)


def test_where_nothing_crosses_no_dot_is_drawn():
    [axis] = views.draw_on_paper(PaperCluster(nodes=2), 1e9, 5e9).axes
    assert "equally fast" not in [line.get_label() for line in axis.lines]


def test_the_sentence_has_the_stages_and_the_crossover():
    view = views.ClusterOnPaper(CLUSTER, 100e6, 50e9)
    stages = CLUSTER.stages(50e9)
    assert "A table of 50 GB: alone 8.33 min; 10 machines 2.75 min" in view.sentence
    assert f"work {stages.work:.0f} s, network {stages.shuffle:.0f} s" in view.sentence
    found = re.search(r"From (\S+) GB on the cluster is faster", view.sentence)
    assert float(found[1]) == pytest.approx(CLUSTER.crossover(100e6) / 1e9, rel=0.01)


def test_every_control_changes_the_calculation():
    view = views.ClusterOnPaper(CLUSTER, 100e6, 50e9)
    for control, value in (
        (view.size, 500.0),
        (view.rate, 200.0),
        (view.nodes, 20),
        (view.node_rate, 100.0),
        (view.bandwidth, 0.2),
        (view.start, 90),
    ):
        before = view.sentence
        control.value = value
        assert view.sentence != before
    assert "A table of 500 GB: alone 41.7 min; 20 machines" in view.sentence
    assert "start 90 s" in view.sentence


@pytest.mark.parametrize(
    ("rate", "start", "said"),
    [(100e9, 30, "The cluster is never faster."), (1e6, 0, "The cluster is always faster.")],
)
def test_a_cluster_that_is_never_or_always_faster_is_called_so(rate, start, said):
    assert said in views.ClusterOnPaper(PaperCluster(start=start), rate).sentence


def test_sliders_go_in_round_numbers_and_through_the_numbers_given():
    view = views.ClusterOnPaper(PaperCluster(node_rate=73e6), 200e6, 8.3e6)
    assert [mark for _, mark in view.node_rate.options][3:7] == [10, 20, 50, 73]
    assert view.size.value == 0.0083
    assert (view.rate.value, view.bandwidth.value) == (200, 10)


def test_a_table_of_no_bytes_is_refused():
    with pytest.raises(DataError, match="size"):
        views.ClusterOnPaper(size=0)
