"""Wrong answers to the exercises of lesson 4 that are no known mistakes."""

from __future__ import annotations

import numpy as np

from amaas_kit.exercises import first_network as ex


def fewer_losses(x, y, hidden, epochs, rate, seed):
    return ex.train(x, y, hidden, epochs - 1, rate, seed)


def held_out_as_a_root(x, y, hidden, epochs, rate, seed):
    run = ex.train(x, y, hidden, epochs, rate, seed)
    return run | {"held_out": run["held_out"] ** 0.5}


def up_the_slope(x, y, hidden, epochs, rate, seed):
    return ex.train(x, y, hidden, epochs, -rate, seed)


def its_own_rate(x, y, hidden, epochs, rate, seed):
    return ex.train(x, y, hidden, epochs, 0.03, seed)


def no_training(x, y, hidden, epochs, rate, seed):
    answers = np.zeros_like(y[4 * len(y) // 5 :])
    held_out = float(np.mean(y[4 * len(y) // 5 :] ** 2))
    return {"losses": [1.0] * epochs, "held_out": held_out, "predictions": answers}


def one_writer_too_many(writers, share, seed):
    names = np.random.default_rng(seed).permutation(np.unique(writers))
    in_test = np.isin(writers, names[: round(share * len(names)) + 1])
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def rows_from_1(writers, share, seed):
    train_rows, test_rows = ex.split_by_writer(writers, share, seed)
    return train_rows + 1, test_rows + 1


def last_row_forgotten(writers, share, seed):
    train_rows, test_rows = ex.split_by_writer(writers, share, seed)
    return train_rows[:-1], test_rows


def best_of_all(val_loss, patience):
    run, _ = ex.stop_early(val_loss, patience)
    return run, int(np.argmin(val_loss)) + 1 + (run < len(val_loss))


def patience_in_vain(val_loss, patience):
    run, best = ex.stop_early(val_loss, patience)
    return best, run


def bytes_for_counts(truth, predicted, classes):
    return ex.confusion(truth, predicted, classes).astype("uint8")


def only_mistakes(truth, predicted, classes):
    counts = ex.confusion(truth, predicted, classes)
    np.fill_diagonal(counts, 0)
    return counts


def shares_of_answers(truth, predicted, classes):
    counts = ex.confusion(truth, predicted, classes)
    return counts / np.maximum(counts.sum(axis=0), 1)


def largest_as_good(accuracy, sizes_in_bytes):
    means = accuracy.mean(axis=1)
    error = accuracy[means.argmax()].std(ddof=1) / np.sqrt(accuracy.shape[1])
    good = np.flatnonzero(means >= means.max() - error)
    return int(good[np.argmax(sizes_in_bytes[good])])


def worst_mean(accuracy, sizes_in_bytes):
    return int(accuracy.mean(axis=1).argmin())


def within(error):
    def choose_size(accuracy, sizes_in_bytes):
        means = accuracy.mean(axis=1)
        good = np.flatnonzero(means >= means.max() - error(accuracy, means.argmax()))
        return int(good[np.argmin(sizes_in_bytes[good])])

    return choose_size


def divided_by_r_less_1(accuracy, sizes_in_bytes):
    return within(lambda a, best: a[best].std(ddof=1) / np.sqrt(a.shape[1] - 1))(
        accuracy, sizes_in_bytes
    )


def spread_of_all(accuracy, sizes_in_bytes):
    return within(lambda a, best: a.std(ddof=1) / np.sqrt(a.shape[1]))(accuracy, sizes_in_bytes)


def two_standard_errors(accuracy, sizes_in_bytes):
    return within(lambda a, best: 2 * a[best].std(ddof=1) / np.sqrt(a.shape[1]))(
        accuracy, sizes_in_bytes
    )


def last_smaller_than_the_best(accuracy, sizes_in_bytes):
    means = accuracy.mean(axis=1)
    best = found = int(means.argmax())
    limit = means[best] - accuracy[best].std(ddof=1) / np.sqrt(accuracy.shape[1])
    for i in range(len(means)):
        if means[i] >= limit and sizes_in_bytes[i] < sizes_in_bytes[best]:
            found = i
    return found


def divided(writers, names):
    in_test = np.isin(writers, names)
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def rotated(writers, share, seed):
    names = np.unique(writers)
    return divided(writers, np.roll(names, seed)[: round(share * len(names))])


def cut_down(writers, share, seed):
    names = np.random.default_rng(seed).permutation(np.unique(writers))
    return divided(writers, names[: int(share * len(names))])


def rounded_up(writers, share, seed):
    names = np.random.default_rng(seed).permutation(np.unique(writers))
    return divided(writers, names[: int(np.ceil(share * len(names)))])


def drawn_with_replacement(writers, share, seed):
    names = np.unique(writers)
    drawn = np.random.default_rng(seed).choice(names, round(share * len(names)))
    return divided(writers, drawn)


def a_coin_for_each(writers, share, seed):
    names = np.unique(writers)
    return divided(writers, names[np.random.default_rng(seed).random(len(names)) < share])


def shuffled_in_place(writers, share, seed):
    np.random.default_rng(seed).shuffle(writers)
    names = np.unique(writers)
    return divided(writers, names[: round(share * len(names))])


def without(line):
    return ex.with_changes(("weights = [w1, b1, w2, b2]", line))


STEP = """            for weight, gradient in zip(weights, gradients, strict=True):
                weight.assign_sub(rate * gradient)
"""
MOMENTUM = """            for i in range(4):
                speed[i] = 0.9 * speed[i] - rate * gradients[i]
                weights[i].assign_add(speed[i])
"""
W1 = "tf.random.normal([columns, hidden], stddev=(2 / columns) ** 0.5)"

PROGRAMS = {
    "w1_at_rest": without("weights = [b1, w2, b2]"),
    "w2_at_rest": without("weights = [w1, b1, b2]"),
    "b1_at_rest": without("weights = [w1, w2, b2]"),
    "momentum": ex.with_changes((STEP, MOMENTUM), ("losses = []", "losses, speed = [], [0.0] * 4")),
    "positive": ex.with_changes((W1, W1.replace("stddev=", "0, ").replace("normal", "uniform"))),
    "standardised": ex.with_changes(
        ("    columns = ", "    x = (x - x.mean(0)) / (x.std(0) + 1e-9)\n    columns = ")
    ),
    "half_a_sum": ex.with_changes(
        ("tf.reduce_mean((y_hat - y) ** 2)", "tf.reduce_sum((y_hat - y) ** 2) / 2")
    ),
    "relu_on_the_output": ex.with_changes(
        ("return tf.matmul(a, w2) + b2", "return tf.nn.relu(tf.matmul(a, w2) + b2)")
    ),
    "sigmoid": ex.with_changes(("tf.nn.relu", "tf.sigmoid")),
    "no_such_name": ex.with_changes(("tf.reduce_mean", "tf.mean")),
    "nothing_returned": ex.with_changes(("return tf.matmul(a, w2) + b2", "tf.matmul(a, w2) + b2")),
    "append_gives_none": ex.with_changes(
        ("losses.append(float(loss))", "nothing = losses.append(float(loss)); nothing.append(1)")
    ),
    "numpy_has_no_numpy": ex.with_changes(("float(loss)", "loss.numpy().numpy()")),
    "shuffled": ex.with_changes(
        (
            "    learnt = ",
            "    order = np.random.default_rng(seed).permutation(len(x))\n"
            "    x, y = x[order], y[order]\n    learnt = ",
        )
    ),
}
for name, program in PROGRAMS.items():
    program.__name__ = name


def by_hand(**instead):
    """The program in NumPy, with something else for one of its lines."""
    lines = {
        "dp": "2 * e / len(e)",
        "dw2": "a.T @ dp",
        "early": "0",
        "dw1": "x.T @ dz",
        "step": "rate * dw1",
    }
    lines |= instead
    source = f"""
def train(x, y, hidden, epochs, rate, seed):
    rng, n, m = np.random.default_rng(seed), len(x), 4 * len(x) // 5
    w1 = rng.normal(0, (2 / x.shape[1]) ** 0.5, (x.shape[1], hidden))
    w2 = rng.normal(0, (2 / hidden) ** 0.5, (hidden, 1))
    b1, b2, losses, (x, new), (y, truth) = 0, 0, [], (x[:m], x[m:]), (y[:m], y[m:])
    for _ in range(epochs):
        z = x @ w1 + b1
        a = np.maximum(z, 0)
        e = a @ w2 + b2 - y
        losses.append(np.mean(e**2))
        dp = {lines["dp"]}
        dw2 = {lines["dw2"]}
        early = {lines["early"]}
        dz = dp @ (w2 - early).T * (z > 0)
        dw1 = {lines["dw1"]}
        w1, b1 = w1 - {lines["step"]}, b1 - rate * dz.sum(axis=0)
        w2, b2 = w2 - rate * dw2, b2 - rate * dp.sum(axis=0)
    answers = np.maximum(new @ w1 + b1, 0) @ w2 + b2
    held_out = np.mean((answers - truth) ** 2)
    return dict(losses=losses, held_out=held_out, predictions=answers)
"""
    names = {"np": np}
    exec(source, names)
    return names["train"]


BY_HAND = {
    "w1_uphill": by_hand(step="-rate * dw1"),
    "w1_ten_times": by_hand(step="10 * rate * dw1"),
    "w1_half": by_hand(step="0.5 * rate * dw1"),
    "w1_a_mean_too_many": by_hand(dw1="x.T @ dz / len(x)"),
    "w2_before_the_relu": by_hand(dw2="z.T @ dp"),
    "mean_over_all_rows": by_hand(dp="2 * e / n"),
    "w2_changed_first": by_hand(early="rate * dw2"),
}
for name, program in BY_HAND.items():
    program.__name__ = name

WRONG = {
    "eight_faults": [
        *(fewer_losses, held_out_as_a_root, up_the_slope, its_own_rate, no_training),
        *PROGRAMS.values(),
        *BY_HAND.values(),
    ],
    "split_rows": [
        *(one_writer_too_many, rows_from_1, last_row_forgotten, rotated, cut_down, rounded_up),
        *(drawn_with_replacement, a_coin_for_each, shuffled_in_place),
    ],
    "early_stopping": [best_of_all, patience_in_vain],
    "confusion_matrix": [bytes_for_counts, only_mistakes, shares_of_answers],
    "smallest_as_good": [
        *(largest_as_good, worst_mean, divided_by_r_less_1, spread_of_all, two_standard_errors),
        last_smaller_than_the_best,
    ],
}
