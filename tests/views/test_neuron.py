"""The neuron at the ends of what it can be given."""

import numpy as np
import pytest

from amaas_kit.errors import NetworkError
from amaas_kit.views.neuron import NeuronExplorer, draw_neuron


@pytest.mark.parametrize("activation", [None, 3, ["relu"]])
def test_what_is_no_name_of_an_activation_is_refused(activation):
    with pytest.raises(NetworkError, match="no activation is called that"):
        NeuronExplorer(activation=activation)


def test_an_answer_just_below_0_is_said_as_0():
    view = NeuronExplorer(w=(-4, 0), b=0, activation="gelu", at=(3, 0))
    assert "a = gelu(z) = 0.00." in view.sentence


@pytest.mark.filterwarnings("error")
def test_the_arrow_of_tiny_weights_points_where_z_grows():
    arrow = draw_neuron((3e-300, 4e-300), 0.0).axes[0].texts[0]
    np.testing.assert_allclose(np.subtract(arrow.xy, arrow.xyann), (0.6, 0.8))
