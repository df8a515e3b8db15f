"""Training speed: the kit's `fit` beside other loops over the same model, data and batches.

    python benchmarks/training.py                 # all, about ten minutes on two cores
    python benchmarks/training.py --rounds 1 --workload mlp-sgd

Every measurement runs in a process of its own, the contenders in turn, round after round, so that a
machine that slows down slows all of them. A figure is the median over the rounds. The first call,
which traces and compiles, is timed apart. Rows are shuffled anew each epoch by every contender. The
loss after ten epochs stands beside each speed: who computes something else would show. (With Adam
the kit's is a little off: each `fit` starts its rule afresh, and the first epoch is a call apart.)
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

SECONDS = 1.0
"""How long one measurement trains, first call apart."""

LOSS_EPOCHS = 10


@dataclass(frozen=True)
class Workload:
    """A model, its data and its optimiser; `goal` is the least ratio to Keras's defaults."""

    title: str
    sizes: tuple[int, ...]
    rows: int
    batch_size: int
    adam: bool
    goal: float

    @property
    def rate(self) -> float:
        """The learning rate."""
        return 0.001 if self.adam else 0.05

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Real digits; 28 x 28 by repeating pixels, more rows by drawing some again."""
        from amaas_kit.data import read_digits

        digits = read_digits()
        chosen = np.random.default_rng(0).integers(0, digits.rows, self.rows)
        x, y = digits.x[chosen], digits.y[chosen].astype("int32")
        if self.sizes[0] == 784:
            images = np.kron(x.reshape(-1, 8, 8), np.ones((1, 3, 3), "float32"))
            x = np.pad(images, ((0, 0), (2, 2), (2, 2))).reshape(-1, 784)
        return np.ascontiguousarray(x), y


WORKLOADS = {
    "mlp-sgd": Workload("MLP 64-32-10, batch 32, SGD", (64, 32, 10), 1792, 32, False, 50),
    "mlp-adam": Workload("MLP 64-128-64-10, batch 32, Adam", (64, 128, 64, 10), 1792, 32, True, 20),
    "mlp-784": Workload("MLP 784-128-10, batch 64, Adam", (784, 128, 10), 16384, 64, True, 4),
    "cnn": Workload("CNN 8x8, 16 and 32 filters, batch 32, Adam", (64, 10), 1792, 32, True, 2),
}

Train = Callable[[int], float]
"""Trains so many epochs and returns the mean loss of the last."""


def initial_weights(sizes: tuple[int, ...]) -> list[np.ndarray]:
    """The weights that every contender starts from."""
    from amaas_kit.network import Network

    return [array.copy() for array in Network(sizes, seed=0).parameters]


def keras_model(name: str):
    """The workload's model in Keras, with the common initial weights where it is an MLP."""
    from amaas_kit.network import Network
    from amaas_kit.session import tensorflow

    keras = tensorflow().keras
    if name != "cnn":
        return Network(WORKLOADS[name].sizes, seed=0).to_keras()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def kit(name: str) -> Train:
    """`amaas_kit.training.fit` of a Network; of a Keras model for the CNN."""
    from amaas_kit.network import Network

    model = keras_model(name) if name == "cnn" else Network(WORKLOADS[name].sizes, seed=0)
    return fit_with_the_kit(name, model)


def kit_keras(name: str) -> Train:
    """`amaas_kit.training.fit` of the same model in Keras."""
    return fit_with_the_kit(name, keras_model(name))


def fit_with_the_kit(name: str, model: object) -> Train:
    """The kit's `fit`, as a user calls it. TensorFlow is loaded before the clock starts."""
    from amaas_kit.data import Dataset
    from amaas_kit.session import tensorflow
    from amaas_kit.training import SGD, Adam, fit

    tensorflow()
    work = WORKLOADS[name]
    data = Dataset(*work.data())
    rule = Adam(work.rate) if work.adam else SGD(work.rate)
    return lambda epochs: fit(model, data, rule, epochs, work.batch_size, seed=epochs).loss[-1]


def keras_default(name: str) -> Train:
    """`keras.Model.fit` as it comes."""
    return fit_with_keras(name, steps_per_execution=1)


def keras_epoch(name: str) -> Train:
    """`keras.Model.fit` with a whole epoch in each execution."""
    work = WORKLOADS[name]
    return fit_with_keras(name, steps_per_execution=work.rows // work.batch_size)


def fit_with_keras(name: str, steps_per_execution: int) -> Train:
    """`keras.Model.fit` over arrays."""
    from amaas_kit.session import tensorflow

    keras = tensorflow().keras
    work, model = WORKLOADS[name], keras_model(name)
    optimizers = keras.optimizers
    model.compile(
        optimizer=optimizers.Adam(work.rate) if work.adam else optimizers.SGD(work.rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=steps_per_execution,
    )
    x, y = work.data()
    x = x.reshape(-1, *model.input_shape[1:])

    def train(epochs: int) -> float:
        history = model.fit(x, y, batch_size=work.batch_size, epochs=epochs, verbose=0)
        return float(history.history["loss"][-1])

    return train


def pytorch(name: str) -> Train:
    """The usual PyTorch loop, rows already in tensors."""
    import torch
    from torch import nn

    work = WORKLOADS[name]
    data_x, data_y = work.data()
    x, y = torch.from_numpy(data_x), torch.from_numpy(data_y).long()
    if name == "cnn":
        torch.manual_seed(0)
        x = x.reshape(-1, 1, 8, 8)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(128, 10),
        )  # fmt: skip
    else:
        layers: list[nn.Module] = []
        weights = initial_weights(work.sizes)
        for w, b in zip(weights[::2], weights[1::2], strict=True):
            linear = nn.Linear(*w.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w.T))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
    optim = torch.optim
    optimizer = (optim.Adam if work.adam else optim.SGD)(model.parameters(), lr=work.rate)
    criterion = nn.CrossEntropyLoss()

    def train(epochs: int) -> float:
        for _ in range(epochs):
            total = 0.0
            for batch in torch.randperm(work.rows).split(work.batch_size):
                optimizer.zero_grad()
                loss = criterion(model(x[batch]), y[batch])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
        return total / work.rows

    return train


def jax_scan(name: str) -> Train:
    """JAX with `lax.scan` over the steps of an epoch, jitted; the optimiser written out."""
    import jax
    from jax import numpy as jnp

    work = WORKLOADS[name]
    x, y = map(jnp.asarray, work.data())
    if name == "cnn":
        x = x.reshape(-1, 8, 8, 1)
        rng = np.random.default_rng(0)
        shapes = [(3, 3, 1, 16), (16,), (3, 3, 16, 32), (32,), (128, 10), (10,)]
        arrays = [
            rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5, shape) * (len(shape) > 1)
            for shape in shapes
        ]
        weights = [jnp.asarray(array, "float32") for array in arrays]
    else:
        weights = [jnp.asarray(array) for array in initial_weights(work.sizes)]

    def pool(a):
        return jax.lax.reduce_window(a, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def outputs(weights, a):
        pairs = list(zip(weights[::2], weights[1::2], strict=True))
        for w, b in pairs[:-1]:
            if w.ndim == 4:
                dims = ("NHWC", "HWIO", "NHWC")
                conv = jax.lax.conv_general_dilated(a, w, (1, 1), "SAME", dimension_numbers=dims)
                a = pool(jax.nn.relu(conv + b))
            else:
                a = jax.nn.relu(a @ w + b)
        w, b = pairs[-1]
        return a.reshape(len(a), -1) @ w + b

    def loss_of(weights, x, y):
        log_p = jax.nn.log_softmax(outputs(weights, x))
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()

    def step(carry, batch, x, y):
        weights, m, v, t = carry
        loss, grads = jax.value_and_grad(loss_of)(weights, x[batch], y[batch])
        t = t + 1
        if work.adam:
            rate = work.rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            m = [a + 0.1 * (g - a) for a, g in zip(m, grads, strict=True)]
            v = [a + 0.001 * (g * g - a) for a, g in zip(v, grads, strict=True)]
            weights = [
                w - rate * a / (jnp.sqrt(b) + 1e-7) for w, a, b in zip(weights, m, v, strict=True)
            ]
        else:
            weights = [w - work.rate * g for w, g in zip(weights, grads, strict=True)]
        return (weights, m, v, t), loss

    @jax.jit
    def epoch(carry, key, x, y):
        order = jax.random.permutation(key, work.rows).reshape(-1, work.batch_size)
        carry, losses = jax.lax.scan(lambda carry, batch: step(carry, batch, x, y), carry, order)
        return carry, losses.mean()

    zeros = [jnp.zeros_like(w) for w in weights]
    state = {"carry": (weights, zeros, zeros, jnp.float32(0)), "key": jax.random.key(0)}

    def train(epochs: int) -> float:
        for _ in range(epochs):
            state["key"], key = jax.random.split(state["key"])
            state["carry"], loss = epoch(state["carry"], key, x, y)
        return float(loss)

    return train


def numpy_by_hand(name: str) -> Train:
    """The Network's own forward and backward pass with a rule's NumPy step; no CNN."""
    from amaas_kit.network import Network
    from amaas_kit.training import SGD, Adam

    work = WORKLOADS[name]
    x, y = work.data()
    network, rng = Network(work.sizes, seed=0), np.random.default_rng(0)
    rule = Adam(work.rate) if work.adam else SGD(work.rate)
    slots = [(np.zeros_like(w),) * rule.slot_count for w in network.parameters]
    done = {"steps": 0}

    def train(epochs: int) -> float:
        for _ in range(epochs):
            total = 0.0
            for batch in np.split(rng.permutation(work.rows), work.rows // work.batch_size):
                loss, pairs = network.loss_and_gradients(x[batch], y[batch])
                done["steps"] += 1
                gradients = [gradient for pair in pairs for gradient in pair]
                parameters = network.parameters
                for i, (w, dw) in enumerate(zip(parameters, gradients, strict=True)):
                    parameters[i], slots[i] = rule.step(w, dw, slots[i], done["steps"], work.rate)
                total += loss * len(batch)
        return total / work.rows

    return train


CONTENDERS: dict[str, tuple[str, Callable[[str], Train], str]] = {
    "kit": ("fit", kit, "tensorflow"),
    "kit-keras": ("fit, the model in Keras", kit_keras, "tensorflow"),
    "keras": ("keras.Model.fit, defaults", keras_default, "tensorflow"),
    "keras-epoch": ("keras.Model.fit, one execution an epoch", keras_epoch, "tensorflow"),
    "pytorch": ("PyTorch loop", pytorch, "torch"),
    "jax": ("JAX lax.scan over an epoch", jax_scan, "jax"),
    "numpy": ("NumPy by hand", numpy_by_hand, "numpy"),
}


def measure(contender: str, name: str) -> dict[str, float]:
    """Time one contender on one workload, in this process."""
    train = CONTENDERS[contender][1](name)
    began = time.perf_counter()
    train(1)
    first = time.perf_counter() - began
    loss = train(LOSS_EPOCHS - 1)
    epochs, seconds = 1, 0.0
    while seconds < SECONDS / 4:
        epochs = epochs * 2
        began = time.perf_counter()
        train(epochs)
        seconds = time.perf_counter() - began
    epochs = max(1, round(epochs * SECONDS / seconds))
    began = time.perf_counter()
    train(epochs)
    seconds = time.perf_counter() - began
    return {"first": first, "rate": WORKLOADS[name].rows * epochs / seconds, "loss": loss}


def measure_apart(contender: str, name: str) -> dict[str, float] | str:
    """Time one contender in a process of its own; a sentence where it cannot run."""
    title, _, module = CONTENDERS[contender]
    if find_spec(module) is None:
        return f"{title}: not measured, {module} is not installed (extra: bench)"
    if contender == "numpy" and name == "cnn":
        return f"{title}: not measured, the kit has no convolution in NumPy"
    if contender == "kit-keras" and name == "cnn":
        return f"{title}: the CNN is a Keras model already"
    child = subprocess.run(
        [sys.executable, __file__, "--one", contender, "--workload", name],
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        said = child.stderr.strip().splitlines() or [f"exit status {child.returncode}"]
        return f"{title}: failed, {said[-1]}"
    result: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return result


def compare(names: list[str], rounds: int) -> str:
    """Measure the workloads and return the tables as Markdown."""
    parts = []
    for name in names:
        results: dict[str, list[dict[str, float]]] = {}
        notes = []
        for turn in range(rounds):
            for contender in CONTENDERS:
                print(f"{name}, round {turn + 1} of {rounds}: {contender}", file=sys.stderr)
                result = measure_apart(contender, name)
                if isinstance(result, dict):
                    results.setdefault(contender, []).append(result)
                elif turn == 0:
                    notes.append(result)
        parts.append(table(WORKLOADS[name], results, notes))
    return "\n\n".join(parts)


def table(work: Workload, results: dict[str, list[dict[str, float]]], notes: list[str]) -> str:
    """One workload's table: medians over rounds, ratios of the kit to each contender."""

    def median(contender: str, key: str) -> float:
        return statistics.median(result[key] for result in results[contender])

    lines = [
        f"## {work.title}",
        "",
        f"{work.rows:,} rows an epoch. Goal: at least {work.goal:g} times `keras.Model.fit`.",
        "",
        "| loop | rows/s | least to most | fit is … times as fast | first call, s "
        f"| loss after {LOSS_EPOCHS} epochs |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for contender in results:
        rates = [result["rate"] for result in results[contender]]
        ratio = median("kit", "rate") / median(contender, "rate")
        lines.append(
            f"| {CONTENDERS[contender][0]} | {median(contender, 'rate'):,.0f} "
            f"| {min(rates):,.0f} to {max(rates):,.0f} | {ratio:.2f} "
            f"| {median(contender, 'first'):.2f} | {median(contender, 'loss'):.3f} |"
        )
    if "keras" in results:
        ratio = median("kit", "rate") / median("keras", "rate")
        reached = "reached" if ratio >= work.goal else "not reached"
        lines += ["", f"Against the goal of {work.goal:g}: {ratio:.1f}, {reached}."]
    return "\n".join([*lines, *(f"\n{note}." for note in notes)])


def main() -> None:
    """Run the comparison, or one measurement of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", choices=WORKLOADS, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    names = arguments.workload or list(WORKLOADS)
    if arguments.one:
        print(json.dumps(measure(arguments.one, names[0])))
        return
    from machine import describe

    text = f"# Training speed\n\n{describe()}\n\n{compare(names, arguments.rounds)}\n"
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
