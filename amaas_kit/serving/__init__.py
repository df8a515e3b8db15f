"""A trained model as a service: one contract, a self-contained Bento, a server and a client."""

from amaas_kit.serving.client import Client, Prediction
from amaas_kit.serving.contract import Contract
from amaas_kit.serving.packaging import package
from amaas_kit.serving.server import Server, serve, stop_all

__all__ = ["Client", "Contract", "Prediction", "Server", "package", "serve", "stop_all"]
