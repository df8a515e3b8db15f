"""Wrong answers to the exercises of lesson 02 that are no known mistake."""

import numpy as np


def neuron_without_the_input(w, x, b, y):
    a = np.tanh(w * x + b)
    dz = 2 * (a - y) * (1 - a**2)
    return dz, dz, dz


def neuron_with_the_loss(w, x, b, y):
    a = np.tanh(w * x + b)
    dz = (a - y) ** 2 * (1 - a**2)
    return dz * x, dz * w, dz


def neuron_rounded(w, x, b, y):
    a = np.tanh(w * x + b)
    dz = round(float(2 * (a - y) * (1 - a**2)), 3)
    return dz * x, dz * w, dz


def rises_without_division(f, w):
    rises = np.zeros_like(w)
    for i in range(len(w)):
        moved = w.copy()
        moved[i] += 1e-5
        rises[i] = f(moved) - f(w)
    return rises


def differences_rounded(f, w):
    slopes = np.zeros_like(w)
    for i in range(len(w)):
        above, below = w.copy(), w.copy()
        above[i] += 1e-5
        below[i] -= 1e-5
        slopes[i] = round((f(above) - f(below)) / 2e-5, 2)
    return slopes


def only_the_last_entry(f, w):
    slopes = np.zeros_like(w)
    step = np.zeros_like(w)
    step[-1] = 1e-5
    slopes[-1] = (f(w + step) - f(w - step)) / 2e-5
    return slopes


def delta_with_the_output(x, w, a, upstream):
    delta = upstream * a
    return delta @ w.T, x.T @ delta, delta.sum(axis=0)


def delta_with_the_slope_of_sigmoid(x, w, a, upstream):
    delta = upstream * a * (1 - a)
    return delta @ w.T, x.T @ delta, delta.sum(axis=0)


def no_gradient_by_x(x, w, a, upstream):
    delta = upstream * (1 - a**2)
    return np.zeros_like(x), x.T @ delta, delta.sum(axis=0)


def weights_only_of_the_first_row(x, w, a, upstream):
    delta = upstream * (1 - a**2)
    return delta @ w.T, np.outer(x[0], delta[0]), delta.sum(axis=0)


def leaky(z, a, upstream):
    return np.where(z > 0, upstream, 0.01 * upstream)


def size_of_the_gradient(z, a, upstream):
    return np.abs(upstream) * (z > 0)


def gradient_plus_mask(z, a, upstream):
    return upstream + (z > 0)


def squared_difference(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(z.shape[1])[y]) ** 2 / len(z)


def with_the_slope_of_a_sigmoid(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(z.shape[1])[y]) * p * (1 - p) / len(z)


def the_next_class(z, y):
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(z.shape[1])[(y + 1) % z.shape[1]]) / len(z)


def ones(graph, last):
    return dict.fromkeys(graph, 1.0)


def two_steps_back(graph, last):
    gradients = dict.fromkeys(graph, 0.0)
    gradients[last] = 1.0
    for parent, slope in graph[last]:
        gradients[parent] += slope
    for node in dict(graph[last]):
        for parent, slope in graph[node]:
            gradients[parent] += slope * gradients[node]
    return gradients


def sum_of_the_own_slopes(graph, last):
    return {node: sum(slope for _, slope in parents) for node, parents in graph.items()}


WRONG = {
    "neuron": [neuron_without_the_input, neuron_with_the_loss, neuron_rounded],
    "gradient_checker": [
        rises_without_division,
        differences_rounded,
        only_the_last_entry,
    ],
    "dense_backward": [
        delta_with_the_output,
        delta_with_the_slope_of_sigmoid,
        no_gradient_by_x,
        weights_only_of_the_first_row,
    ],
    "relu_backward": [leaky, size_of_the_gradient, gradient_plus_mask],
    "softmax_cross_entropy": [squared_difference, with_the_slope_of_a_sigmoid, the_next_class],
    "topological_order": [ones, two_steps_back, sum_of_the_own_slopes],
}
