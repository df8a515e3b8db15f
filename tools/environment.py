"""Make one of the kit's virtual environments from its lock, or do nothing when it is up to date.

    tools/python tools/environment.py base | test | bench

It is called by `make` with any supported Python and uses nothing but the standard library.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
INSTALLER = REQUIREMENTS / "uv.txt"
FOLDERS = {"base": ".venv", "test": ".venv-test", "bench": ".venv-bench"}


def locks(kind: str, gpu: bool) -> list[Path]:
    """The locks that an environment of this kind is made from."""
    chosen = [REQUIREMENTS / f"{kind}.txt"]
    if gpu:
        chosen.append(REQUIREMENTS / "gpu.txt")
    return chosen


def nvidia_driver() -> bool:
    """Whether this machine is Linux with an NVIDIA driver. `AMAAS_GPU=0` or `1` overrules it."""
    said = os.environ.get("AMAAS_GPU")
    if said in {"0", "1"}:
        return said == "1"
    if not sys.platform.startswith("linux"):
        return False
    if Path("/proc/driver/nvidia/version").exists():
        return True
    program = shutil.which("nvidia-smi")
    return program is not None and succeeds(program, "-L")


def fingerprint(files: list[Path]) -> str:
    """Changes with the locks, the project file, the place of the project and the Python."""
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode())
    for file in [Path(__file__), ROOT / "pyproject.toml", INSTALLER, *files]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def up_to_date(folder: Path, wanted: str) -> bool:
    """Whether the folder was installed to its end from these files, and its Python still runs."""
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        return False
    return succeeds(folder / "bin" / "python", "-c", "")


def reusable(folder: Path) -> bool:
    """Whether a finished environment of this place and this Python only needs other packages."""
    settings = folder / "pyvenv.cfg"
    if not (folder / "installed").exists() or not settings.exists():
        return False
    lines = [line.strip() for line in settings.read_text().splitlines()]
    made_here = any(line.startswith("command =") and line.endswith(f" {folder}") for line in lines)
    same_python = f"version = {sys.version.split()[0]}" in lines
    return made_here and same_python and succeeds(folder / "bin" / "python", "-c", "")


def install(kind: str, folder: Path, files: list[Path]) -> None:
    """Bring the folder to exactly what the locks hold, and the kit itself in place of a copy."""
    python, uv = folder / "bin" / "python", folder / "bin" / "uv"
    fresh = not reusable(folder)
    (folder / "installed").unlink(missing_ok=True)
    if fresh:
        run(interpreter(), "-m", "venv", "--clear", folder)
    run(python, "-m", "pip", "install", "-qq", "--require-hashes", "-r", INSTALLER)
    options = [] if sys.stderr.isatty() else ["--quiet"]
    if kind == "test" or sys.dont_write_bytecode:
        # Where many processes load TensorFlow, or none may keep what it compiled, compiling now
        # costs ten seconds once and saves five in each of them.
        options.append("--compile-bytecode")
    here = f"--python={python}"
    run(uv, "pip", "sync", here, "--require-hashes", *options, INSTALLER, *files)
    kit = ["--no-deps", "--no-build-isolation", f"--editable={ROOT}"]
    run(uv, "pip", "install", here, "--quiet", *kit)


def succeeds(*command: str | Path) -> bool:
    """Whether a command can be started and ends well. Its output is dropped."""
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def interpreter() -> str:
    """The Python behind this one when this one runs in a virtual environment itself."""
    return getattr(sys, "_base_executable", None) or sys.executable


def run(*command: str | Path) -> None:
    """Run a step. A step that fails ends everything, and names what to do."""
    try:
        subprocess.run(command, cwd=ROOT, check=True)
    except subprocess.CalledProcessError as error:
        step = " ".join(str(part) for part in command)
        fail(
            situation="While installing the packages of the kit",
            seen=f"exit status {error.returncode} from: {step}",
            wrong="the message above says why; most often the network or the disk gave out",
            fix="run the same make command again: what was downloaded is kept",
        )


def fail(situation: str, seen: str, wrong: str, fix: str) -> None:
    """Print the four lines of an error and leave."""
    sys.exit(f"{situation}\n  seen:  {seen}\n  wrong: {wrong}\n  fix:   {fix}")


def check_venv() -> None:
    """Debian ships Python without the module that puts pip into an environment."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        fail(
            situation="While making a virtual environment",
            seen=f"{sys.executable} without the module ensurepip",
            wrong="this Python cannot make an environment that has pip",
            fix=f"sudo apt-get install python{version}-venv   (then the same make command again)",
        )


def main(kind: str) -> None:
    """Make the environment `kind` when it is missing, unfinished or out of date."""
    folder = ROOT / FOLDERS[kind]
    files = locks(kind, gpu=nvidia_driver() and kind != "bench")
    with (ROOT / "pyproject.toml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = fingerprint(files)
        if up_to_date(folder, wanted):
            return
        check_venv()
        names = " and ".join(f"requirements/{file.name}" for file in files)
        print(
            f"Making {folder.name} with Python {sys.version.split()[0]} from {names} …", flush=True
        )
        start = time.monotonic()
        (folder / "installed").unlink(missing_ok=True)
        install(kind, folder, files)
        (folder / "installed").write_text(wanted)
        print(f"{folder.name} is ready after {time.monotonic() - start:.0f} s.", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
