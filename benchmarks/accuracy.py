"""Accuracy on the digits: the course's network, ten seeds, both ways to split.

    python benchmarks/accuracy.py

Each seed draws the split, the weights and the order of the rows. The block split tests on writers
that the network never saw, the random split on other rows of the writers that it learnt from.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from machine import describe

from amaas_kit.data import load_digits
from amaas_kit.network import Network
from amaas_kit.training import Adam, evaluate, fit

GOALS = {"random": "median at least 0.97, least at least 0.94", "block": "median at least 0.94"}


def run(by: str, seed: int) -> tuple[float, float, float]:
    """Test accuracy, the baseline's, and seconds of training with the first call."""
    split = load_digits(by=by, seed=seed)
    network = Network(sizes=[64, 128, 64, 10], seed=seed)
    history = fit(network, split, Adam(1e-3), epochs=20, batch_size=32, seed=seed)
    result = evaluate(network, split.test)
    assert result.accuracy is not None
    return result.accuracy, result.baseline, history.seconds


def main() -> None:
    """Train with each seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--output", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    lines = [
        "# Accuracy on the digits",
        "",
        describe(),
        "",
        f"64-128-64-10, Adam(0.001), 20 epochs, batch 32, test accuracy over {arguments.seeds} "
        "seeds.",
        "",
        "| split | median | least | most | baseline, median | longest training, s | goal |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for by, goal in GOALS.items():
        accuracies, baselines, seconds = zip(
            *(run(by, seed) for seed in range(arguments.seeds)), strict=True
        )
        lines.append(
            f"| {by} | {statistics.median(accuracies):.4f} | {min(accuracies):.4f} "
            f"| {max(accuracies):.4f} | {statistics.median(baselines):.3f} "
            f"| {max(seconds):.2f} | {goal} |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
