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


WRONG = {
    "eight_faults": [fewer_losses, held_out_as_a_root, up_the_slope, its_own_rate, no_training],
    "split_rows": [one_writer_too_many, rows_from_1, last_row_forgotten],
    "early_stopping": [best_of_all, patience_in_vain],
    "confusion_matrix": [bytes_for_counts, only_mistakes, shares_of_answers],
    "smallest_as_good": [largest_as_good, worst_mean],
}
