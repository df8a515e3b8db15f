"""Have BentoML build what `package` prepared: a program of its own, run in its own process.

BentoML imports the service that it builds, changes the working folder while it does, and sets up
logging; none of that should happen in the process of a learner's notebook.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any


def main(work: Path, name: str, version: str) -> None:
    """Store `work/model` as a model, then build `work/source` as the Bento of the same tag.

    Args:
        work: holds `model`, `source` and `versions.json`, the versions to pin.
        name: the first half of the tag.
        version: the second half.
    """
    import bentoml

    tag = f"{name}:{version}"
    with bentoml.models.create(tag) as stored:
        shutil.copytree(work / "model", stored.path, dirs_exist_ok=True)
    bentoml.build(
        name=name,
        version=version,
        build_ctx=str(work / "source"),
        args={"name": name, "model": tag},
        **_options(work),
    )


def _options(work: Path) -> dict[str, Any]:
    """What the build file says, with the kit's source added and every package pinned."""
    import yaml  # type: ignore[import-untyped]

    options: dict[str, Any] = yaml.safe_load((work / "source" / "bentofile.yaml").read_text())
    versions = json.loads((work / "versions.json").read_text())
    options["include"] += ["amaas_kit/*.py", "amaas_kit/serving/*.py"]
    packages = options["python"]["packages"]
    options["python"]["packages"] = [_pinned(package, versions) for package in packages]
    return options


def _pinned(package: str, versions: dict[str, str]) -> str:
    """`tensorflow-cpu; …` becomes `tensorflow-cpu==2.21.0; …`: it is released with TensorFlow."""
    name, semicolon, marker = package.partition(";")
    version = versions[name.strip().removesuffix("-cpu")]
    return f"{name.strip()}=={version}{semicolon}{marker}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
