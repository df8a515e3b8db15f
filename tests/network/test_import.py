"""The room is plain NumPy."""

import subprocess
import sys


def test_importing_the_room_loads_nothing_heavy():
    program = (
        "import sys, amaas_kit.network as network; network.Network().forward([[0.0] * 64]); "
        "print(*sorted({'tensorflow', 'keras', 'matplotlib', 'polars', 'bentoml', 'scipy'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.strip() == ""
