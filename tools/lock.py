"""Renew the locks in `requirements/` from pyproject.toml, and prove that each can be installed.

    .venv/bin/python tools/lock.py

Every lock holds exact versions and hashes, and no address of an index. After writing, each is
resolved again for every supported platform and Python, with wheels alone but for `SOURCES`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).parent / "uv"
LOCKS = {
    "base": ["pyproject.toml"],
    "uv": ["--group", "pyproject.toml:install"],
    "gpu": ["pyproject.toml", "--extra", "gpu"],
    "test": ["pyproject.toml", "--extra", "test", "--extra", "spark", "--extra", "flink"],
    "bench": ["pyproject.toml", "--extra", "bench"],
}
SOURCES = ("apache-flink-libraries", "pyspark")
"""Packages of Java archives, of which there is a source alone; it builds anywhere."""

PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")
PYTHONS = ("3.11", "3.12", "3.13")


def compile_requirements(*arguments: str) -> None:
    """Run `uv pip compile` in the project's folder."""
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    command: list[str | Path] = [UV, "pip", "compile", "--quiet", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, env=environment)


def main() -> None:
    """Write the locks, the base first: the others may not differ from it."""
    for name, source in LOCKS.items():
        print(f"requirements/{name}.txt", flush=True)
        shared = [] if name == "base" else ["--constraints", "requirements/base.txt"]
        compile_requirements(
            *source,
            *shared,
            *["--universal", "--python-version", PYTHONS[0], "--generate-hashes", "--upgrade"],
            # One version of a package for every Python, so that lessons print the same on each.
            *["--fork-strategy", "fewest", "--no-annotate"],
            *["--no-emit-index-url", "--no-emit-find-links"],
            *["--custom-compile-command", "make lock"],
            *["--output-file", f"requirements/{name}.txt"],
        )
    for name in LOCKS:
        for platform in PLATFORMS:
            for python in PYTHONS:
                print(f"requirements/{name}.txt on {platform}, Python {python}", flush=True)
                compile_requirements(
                    f"requirements/{name}.txt",
                    *["--no-deps", "--only-binary", ":all:", "--output-file", os.devnull],
                    *(f"--no-binary={package}" for package in SOURCES),
                    *["--python-platform", platform, "--python-version", python],
                )
    # The extras that no lock holds must still resolve beside the base set.
    print("all extras together", flush=True)
    compile_requirements(
        *["pyproject.toml", "--all-extras", "--constraints", "requirements/base.txt"],
        *["--universal", "--python-version", PYTHONS[0], "--output-file", os.devnull],
    )


if __name__ == "__main__":
    main()
