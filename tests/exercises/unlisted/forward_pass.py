"""Wrong answers to the exercises of lesson 01 that are none of the known mistakes."""

import numpy as np


def bias_of_one_weight(w, point):
    return -w[0] * point[0]


def bias_of_swapped_inputs(w, point):
    return -(w @ point[::-1])


def relu_with_a_step_at_one(z):
    return np.where(z > 1, z, 0)


def relu_capped(z):
    return np.clip(z, 0, 1)


def relu_capped_at_6(z):
    return np.clip(z, 0, 6)


def relu_shifted(z):
    return np.maximum(z, 0) + 1


def dense_with_bias_twice(x, w, b):
    return x @ w + 2 * b


def dense_with_bias_taken_away(x, w, b):
    return x @ w - b


def dense_of_the_first_row(x, w, b):
    return x[:1] @ w + b


def softmax_of_squares(z):
    powers = np.exp(2 * (z - z.max(axis=1, keepdims=True)))
    return powers / powers.sum(axis=1, keepdims=True)


def softmax_shifted_by_the_minimum(z):
    powers = np.exp(z.min(axis=1, keepdims=True) - z)
    return powers / powers.sum(axis=1, keepdims=True)


def softmax_shifted_by_the_middle(z):
    middle = (z.max(axis=1, keepdims=True) + z.min(axis=1, keepdims=True)) / 2
    powers = np.exp(z - middle - 1)
    return powers / (powers.sum(axis=1, keepdims=True) + 1e-9)


def softmax_shifted_by_the_greatest_distance_from_0(z):
    powers = np.exp(z - np.abs(z).max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def softmax_of_capped_logits(z):
    powers = np.exp(np.clip(z, -700, 700))
    return powers / powers.sum(axis=1, keepdims=True)


def one_hot_of_the_largest(z):
    return (z == z.max(axis=1, keepdims=True)).astype(float)


def loss_by_the_first_class(logits, y):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=1)) - shifted[:, 0]).mean()


def loss_as_the_greatest_of_rows(logits, y):
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]
    return losses.max()


def squared_error(logits, y):
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return ((1 - p[np.arange(len(y)), y]) ** 2).mean()


def loss_from_row_1_on(logits, y):
    total = 0
    for i in range(1, len(y) + 1):
        largest = logits[i].max()
        total += largest + np.log(np.exp(logits[i] - largest).sum()) - logits[i, y[i]]
    return total / len(y)


def loss_of_as_many_rows_as_classes(logits, y):
    total = 0
    for i in range(logits.shape[1]):
        largest = logits[i].max()
        total += largest + np.log(np.exp(logits[i] - largest).sum()) - logits[i, y[i]]
    return total / len(y)


def count_of_all_pairs(sizes):
    return sum(d * h for d in sizes for h in sizes)


def count_of_the_second_layer(sizes):
    return sizes[1] * sizes[2] + sizes[2]


def count_with_a_squared_layer(sizes):
    return sum(size * size + size for size in sizes[1:])


WRONG = {
    "move_border": [bias_of_one_weight, bias_of_swapped_inputs],
    "relu_activation": [relu_with_a_step_at_one, relu_capped, relu_capped_at_6, relu_shifted],
    "dense_layer": [dense_with_bias_twice, dense_with_bias_taken_away, dense_of_the_first_row],
    "stable_softmax": [
        softmax_of_squares,
        softmax_shifted_by_the_minimum,
        softmax_shifted_by_the_middle,
        softmax_shifted_by_the_greatest_distance_from_0,
        softmax_of_capped_logits,
        one_hot_of_the_largest,
    ],
    "loss_from_logits": [
        loss_by_the_first_class,
        loss_as_the_greatest_of_rows,
        squared_error,
        loss_from_row_1_on,
        loss_of_as_many_rows_as_classes,
    ],
    "parameter_count": [
        count_of_all_pairs,
        count_of_the_second_layer,
        count_with_a_squared_layer,
    ],
}
