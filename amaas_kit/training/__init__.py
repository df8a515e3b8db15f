"""Training: update rules, the compiled fit, and what a run leaves behind."""

from amaas_kit.training.evaluation import Evaluation, evaluate
from amaas_kit.training.fit import fit
from amaas_kit.training.history import DataFacts, Epoch, History
from amaas_kit.training.rules import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp, Rule

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "DataFacts",
    "Epoch",
    "Evaluation",
    "History",
    "Momentum",
    "Nesterov",
    "RMSProp",
    "Rule",
    "evaluate",
    "fit",
]
