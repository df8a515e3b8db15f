"""A neural network in plain NumPy, short enough to read: forwards, backwards, and checked."""

from amaas_kit.network.activations import ACTIVATIONS, Activation, Elementwise, find_activation
from amaas_kit.network.dense import Dense
from amaas_kit.network.gradient_check import GradientCheck, check_gradients
from amaas_kit.network.graph import BackwardStep, Value
from amaas_kit.network.losses import LOSSES, Loss, choose_loss, find_loss
from amaas_kit.network.network import LayerTrace, Network, Parameters

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "Activation",
    "BackwardStep",
    "Dense",
    "Elementwise",
    "GradientCheck",
    "LayerTrace",
    "Loss",
    "Network",
    "Parameters",
    "Value",
    "check_gradients",
    "choose_loss",
    "find_activation",
    "find_loss",
]
