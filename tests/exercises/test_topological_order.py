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
