"""A trained model as a service: one page of plain BentoML.

Serve the newest `digits` model by hand, in this folder, with `bentoml serve`; another one with
`bentoml serve --arg name=iris --arg model=iris:2`. Then ask it:

    curl -H "Content-Type: application/json" -d '{"x": [[0, 0.5, …]]}' localhost:3000/predict
"""

from typing import Annotated, Any

import bentoml
import numpy as np
from bentoml.models import BentoModel
from bentoml.validators import DType
from pydantic import BaseModel

from amaas_kit.serving.guard import Guard
from amaas_kit.serving.service import ServedModel, pages, read_contract, refusals


class Arguments(BaseModel):
    """What may be said on the command line, or was written into the Bento when it was built."""

    name: str = "digits"
    model: str = "digits:latest"


arguments = bentoml.use_arguments(Arguments)
stored = BentoModel(arguments.model)


@bentoml.service(name=arguments.name, workers=1, traffic={"timeout": 10})
@bentoml.asgi_app(pages(stored.resolve()))  # GET /contract and GET /card
class Predictor:
    """Answers rows of numbers with labels and probabilities, or with values."""

    model = stored  # BentoML packs the models that it finds as attributes of the class

    def __init__(self) -> None:
        # TensorFlow is loaded here, in the worker. At the top of this file, the process that only
        # watches over the worker would load it as well, and the start would take twice as long.
        self.served = ServedModel(self.model)

    @bentoml.api
    def predict(self, x: Annotated[np.ndarray, DType("float32")]) -> dict[str, Any]:
        """One answer for each row of `x`."""
        with refusals():
            return self.served.answer(x)


# The guard stands in front of BentoML: it lets only those requests through that keep the contract.
Predictor.add_asgi_middleware(Guard, contract=read_contract(stored.resolve()))
