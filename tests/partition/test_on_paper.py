"""The cluster on paper, held against sums that are made machine by machine."""

from __future__ import annotations

import math

import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition.on_paper import PaperCluster

CLUSTER = PaperCluster(nodes=4, node_rate=50.0, bandwidth=100.0, start=7.0)


def test_each_machine_works_on_its_share_and_sends_what_is_not_its_own():
    rows = [[25.0] * 4 for _ in range(4)]  # bytes that each machine has for each part
    sent = [sum(own) - own[machine] for machine, own in enumerate(rows)]
    stages = CLUSTER.stages(400.0)
    assert stages.start == 7
    assert stages.work == pytest.approx(sum(rows[0]) / 50)
    assert stages.shuffle == pytest.approx(max(sent) / 100)
    assert stages.total == pytest.approx(7 + 2 + 0.75)


def test_one_machine_sends_nothing():
    assert PaperCluster(nodes=1).stages(1e9).shuffle == 0


@pytest.mark.parametrize("rate", [20.0, 60.0, 100.0])
def test_at_the_crossover_both_are_equally_fast(rate):
    size = CLUSTER.crossover(rate)
    assert CLUSTER.stages(size).total == pytest.approx(size / rate)
    assert CLUSTER.stages(size / 2).total > size / 2 / rate
    assert CLUSTER.stages(size * 2).total < size * 2 / rate


def test_a_cluster_that_gains_nothing_on_a_byte_is_never_faster():
    assert CLUSTER.crossover(1000.0) == math.inf
    assert PaperCluster(nodes=1, node_rate=50.0).crossover(50.0) == math.inf


def test_without_a_start_it_is_always_faster():
    assert PaperCluster(start=0).crossover(1e6) == 0


@pytest.mark.parametrize(
    "numbers",
    [{"nodes": 0}, {"node_rate": 0}, {"bandwidth": -1.0}, {"start": -1}, {"start": math.nan}],
    ids=str,
)
def test_a_number_that_no_cluster_has_is_named(numbers):
    [name] = numbers
    with pytest.raises(DataError, match=name):
        PaperCluster(**numbers)
