"""The graph exercise of lesson 02: following every path is right, and takes for ever."""

import numpy as np
import pytest

from amaas_kit.exercises import backpropagation as ex


def path_by_path(graph, last):
    """Right, with as many steps as there are paths."""

    def slope_of_last_by(node):
        if node == last:
            return 1.0
        return sum(
            slope * slope_of_last_by(child)
            for child, parents in graph.items()
            for parent, slope in parents
            if parent == node
        )

    return {node: slope_of_last_by(node) for node in graph}


def paths_from_the_end(graph, last):
    """The same, told to the parents."""
    gradients = dict.fromkeys(graph, 0.0)

    def hand_on(node, share):
        gradients[node] += share
        for parent, slope in graph[node]:
            hand_on(parent, slope * share)

    hand_on(last, 1.0)
    return gradients


def kept(graph, last):
    """The same as path by path, but what was found is kept: right and fast."""
    known = {last: 1.0}

    def slope_of_last_by(node):
        if node not in known:
            known[node] = sum(
                slope * slope_of_last_by(child)
                for child, parents in graph.items()
                for parent, slope in parents
                if parent == node
            )
        return known[node]

    return {node: slope_of_last_by(node) for node in graph}


@pytest.fixture
def exercise(monkeypatch):
    monkeypatch.setattr(ex.topological_order, "seconds", 1.0)
    return ex.topological_order


@pytest.mark.parametrize("answer", [path_by_path, paths_from_the_end])
def test_whoever_follows_every_path_is_told_what_takes_so_long(exercise, answer):
    for seed in range(3):
        verdict = exercise.examine(answer, seed=seed)
        assert (verdict.outcome, verdict.mistake) == ("not yet", None)
        assert "Do you follow every path" in verdict.message


def test_whoever_keeps_what_was_found_passes(exercise):
    assert exercise.examine(kept, seed=1).outcome == "correct"


def test_a_node_that_hands_on_every_time_is_named_before_time_runs_out(exercise):
    def graph_gradients(graph, last):
        gradients = dict.fromkeys(graph, 0.0)
        gradients[last] = 1.0
        waiting = [last]
        while waiting:
            node = waiting.pop(0)
            for parent, slope in graph[node]:
                gradients[parent] += slope * gradients[node]
                waiting.append(parent)
        return gradients

    def begins_short(seed):
        return len(exercise.draw(np.random.default_rng(seed))["graph"]) < ex.LONG

    first = next(filter(begins_short, range(20)))
    assert exercise.examine(graph_gradients, seed=first).mistake == "handed_on_every_time"


def by_linear_equations(graph, last):
    """Right, in a way that leaves rounding where slopes cancel."""
    places = {node: place for place, node in enumerate(graph)}
    slopes = np.zeros((len(graph), len(graph)))
    for node, parents in graph.items():
        for parent, slope in parents:
            slopes[places[parent], places[node]] += slope
    wanted = np.eye(len(graph))[places[last]]
    found = np.linalg.solve(np.eye(len(graph)) - slopes, wanted)
    return dict(zip(graph, found.tolist(), strict=True))


def test_rounding_does_not_decide_where_slopes_cancel():
    verdicts = [ex.topological_order.examine(by_linear_equations, seed) for seed in range(12)]
    assert {verdict.outcome for verdict in verdicts} == {"correct"}


def drawn(seed):
    return ex.topological_order.draw(np.random.default_rng(seed))


def test_the_last_node_has_many_names_and_no_gradient_is_zero():
    cases = [drawn(seed) for seed in range(60)]
    assert len({case["last"] for case in cases}) > 10
    assert all(all(ex.graph_gradients(**case).values()) for case in cases)


def test_who_takes_the_last_node_for_l_is_told_so():
    def graph_gradients(graph, last):
        return ex.graph_gradients(graph, "L")

    for seed in range(3):
        verdict = ex.topological_order.examine(graph_gradients, seed)
        assert verdict.mistake == "last_by_its_name_in_the_example"
