"""The kit packages from an installed wheel as it does from a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

from amaas_kit.serving import packaging, store

PROJECT = Path(__file__).parents[2]


def test_a_wheel_holds_the_service_and_packages_with_it(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    program = textwrap.dedent(
        """
        import json
        import amaas_kit
        from amaas_kit.network import Network
        from amaas_kit.serving import package, packaging
        tag = package(Network([2, 1], seed=0), "from-a-wheel")
        print(json.dumps([amaas_kit.__file__, str(packaging.service_folder()), tag]))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(installed)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    kit, service, tag = json.loads(done.stdout)
    assert Path(kit).is_relative_to(installed)
    assert Path(service) == installed / "amaas_kit" / "bentos" / "digits"
    _, bento = store.find(tag)
    own = packaging.service_folder() / "service.py"
    assert (bento / "src" / "service.py").read_text() == own.read_text()
