"""What this machine can do, and what to do about what it cannot.

Every check is a function that returns findings. None imports TensorFlow into this process.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from amaas_kit import files, ports, this_python
from amaas_kit.this_python import pip_install

if TYPE_CHECKING:
    from packaging.requirements import Requirement

KIT = "amaas-kit"

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)

GIGABYTE = 2**30

DISK_NEEDED, DISK_COMFORTABLE = 1 * GIGABYTE, 5 * GIGABYTE
"""Room for a packaged model and the lessons; room for several of them and a renewed environment."""

MEMORY_NEEDED, MEMORY_COMFORTABLE = 1 * GIGABYTE, 3 * GIGABYTE
"""A kernel with TensorFlow and a served model take about 0.7 GB each."""

OLDEST_JAVA = 17

DEBIANS_WITH_OLDER_JAVA = {"bullseye", "focal", "jammy"}
"""Systems of Debian's family whose default Java is 11, though they have 17."""

JAVA_ELSEWHERE = ("--cask temurin@17", "Microsoft.OpenJDK.17")
"""Java's names for Homebrew and winget; both put it where it is found."""

ONLY_ENGINES = "only lesson 06's engines need it"

GPU = "GPU driver"

PROBE_SECONDS = 10
"""So long a small program may take to say its version."""

TENSORFLOW_SECONDS = 120
"""So long TensorFlow may take to load and list its devices."""

CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

LIST_DEVICES = """
import json, tensorflow as tf
details = tf.config.experimental.get_device_details
gpus = tf.config.list_physical_devices("GPU")
names = [details(gpu).get("device_name", gpu.name) for gpu in gpus]
print(json.dumps({"version": tf.__version__, "gpus": names}))
"""

Status = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what.
        status: "ok"; "note", when only a later lesson or an optional part needs it; "problem",
            when lessons cannot run.
        seen: what was found.
        fix: one command or action that mends it; empty when there is nothing to mend.
    """

    name: str
    status: Status
    seen: str
    fix: str = ""


def examine(load_tensorflow: bool = False) -> list[Finding]:
    """Look at everything that lessons need.

    Args:
        load_tensorflow: also load TensorFlow, in a process of its own, which takes seconds. Where
            an NVIDIA driver is present that is done in any case.

    Taught in: notebooks/00_start_here.
    """
    looked: dict[str, Callable[[], Finding | list[Finding]]] = {
        "Python": python,
        "Packages": packages,
        "Jupyter kernel": kernel,
        "Widgets": widgets,
        "Disk": lambda: disk(Path.cwd()),
        "Memory": memory,
        "AMAAS_HOME": amaas_home,
        "BentoML store": bentoml_store,
        "This folder": this_folder,
        "Port 3000": lambda: port(3000, "amaas serve digits --port 0"),
        "Port 8888": lambda: port(8888, "amaas lab --port 0"),
        "Java": java,
        "Engines": engines,
        "Chromium": chromium,
        "GPU": gpu,
    }
    findings = [finding for name, check in looked.items() for finding in _look(name, check)]
    if load_tensorflow or any(found.name == GPU and found.status == "ok" for found in findings):
        findings += _look("TensorFlow", tensorflow_devices)
    return findings


def ready(findings: list[Finding]) -> bool:
    """Whether lessons can run: nothing found is a problem."""
    return all(finding.status != "problem" for finding in findings)


def as_text(findings: list[Finding], style: Callable[[str, Status], str] | None = None) -> str:
    """A line for each finding, and under it the command that mends it.

    Args:
        findings: what `examine` returned.
        style: colours a word by its status; None leaves it plain.
    """
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        word = finding.status.ljust(8)
        word = style(word, finding.status) if style else word
        lines.append(f"{word} {finding.name.ljust(width)}  {finding.seen}")
        if finding.fix:
            lines.append(f"{' ' * 8} {' ' * width}  fix: {finding.fix}")
    return "\n".join(lines)


def python() -> Finding:
    """The version of Python, and whether it is a 64-bit one."""
    bits = 64 if sys.maxsize > 2**32 else 32
    seen = f"{platform.python_version()}, {bits} bit, {sys.executable}"
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON and bits == 64:
        return Finding("Python", "ok", seen)
    fix = "install Python 3.12 (64 bit) and make an environment: python3.12 -m venv .venv"
    return Finding("Python", "problem", seen, fix)


def packages() -> list[Finding]:
    """Each package that the kit asks for, and whether those that they ask for fit together."""
    try:
        direct = _requirements(KIT)
    except metadata.PackageNotFoundError:
        seen = "not installed in this Python, so nobody knows which packages it needs"
        return [Finding(KIT, "problem", seen, pip_install(KIT))]
    findings = [Finding(KIT, "ok", metadata.version(KIT))]
    findings += [_package(requirement) for requirement in direct]
    return [*findings, *_indirect_packages(direct)]


def kernel() -> Finding:
    """The Python that JupyterLab runs lessons with."""
    name = "Jupyter kernel"
    renew = f"{this_python.command()} -m ipykernel install --sys-prefix"
    for folder in _jupyter_folders("kernels"):
        try:
            command = json.loads((folder / "python3" / "kernel.json").read_bytes())["argv"][0]
        except FileNotFoundError:
            continue
        except (OSError, ValueError, LookupError) as error:
            return Finding(name, "problem", f"{folder / 'python3'}: {error}", renew)
        # Jupyter puts its own Python in the place of a bare name.
        if command in {"python", "python3", sys.executable}:
            return Finding(name, "ok", "python3, in this environment")
        return Finding(name, "problem", f"python3 runs {command}, another Python", renew)
    return Finding(name, "problem", "none is called python3", renew)


def widgets() -> list[Finding]:
    """Whether JupyterLab's half of each widget package is there, and of the same version."""
    return [
        _widget("ipywidgets", "jupyterlab-widgets", "@jupyter-widgets/jupyterlab-manager"),
        _widget("anywidget", "anywidget", "anywidget"),
    ]


def disk(folder: Path) -> Finding:
    """The free space on the disk of a folder."""
    free = shutil.disk_usage(folder).free
    seen = f"{free / GIGABYTE:.1f} GB free for {folder}"
    fix = "free some space, or work in a folder on another disk: amaas lab FOLDER"
    return _graded("Disk", free, DISK_NEEDED, DISK_COMFORTABLE, seen, fix)


def memory() -> Finding:
    """The memory that a new process can get."""
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        return Finding("Memory", "note", "unknown without psutil", pip_install("psutil"))
    usage = psutil.virtual_memory()
    free, total = usage.available, usage.total
    limit = _container_limit()
    if limit is not None:
        free, total = min(free, limit[0]), min(total, limit[1])
    seen = f"{free / GIGABYTE:.1f} of {total / GIGABYTE:.1f} GB free"
    fix = "close other programs, and kernels that are done (JupyterLab, Kernel, Shut Down All)"
    return _graded("Memory", free, MEMORY_NEEDED, MEMORY_COMFORTABLE, seen, fix)


def amaas_home() -> Finding:
    """The kit's own folder."""
    name = "AMAAS_HOME"
    fix = "set AMAAS_HOME to a folder that you can write"
    try:
        return _writable(name, files.home(), fix)
    except OSError as error:
        return Finding(name, "problem", str(error), fix)


def bentoml_store() -> Finding:
    """The folder where packaged models lie."""
    store = Path(os.environ.get("BENTOML_HOME") or Path.home() / "bentoml")
    return _writable("BentoML store", store, "set BENTOML_HOME to a folder that you can write")


def this_folder() -> Finding:
    """The folder where `amaas lab` would put the lessons."""
    fix = "change to a folder that you can write, or name one: amaas lab FOLDER"
    return _writable("This folder", Path.cwd(), fix)


def port(number: int, instead: str) -> Finding:
    """Whether a port is free.

    Args:
        number: the port.
        instead: the command that does without it.
    """
    try:
        ports.claim(number)
    except OSError as error:
        return Finding(f"Port {number}", "note", f"taken: {error.strerror}", instead)
    return Finding(f"Port {number}", "ok", "free")


def java() -> Finding:
    """The Java that the engines of lesson 06 run on, and its compiler, which two of them need."""
    program = _java_program("java")
    install = java_installer(compiler=True)
    if program is None:
        return Finding("Java", "note", f"not found{_where()}; {ONLY_ENGINES}", install)
    said = _ask(program, "-version")
    number = re.search(r'version "(?:1\.)?(\d+)', said or "")
    if number is None:
        return Finding("Java", "note", f"{program} does not say its version", install)
    seen = f"{number[1]}, {program}"
    if int(number[1]) < OLDEST_JAVA:
        return Finding("Java", "note", f"{seen}; lesson 06's engines need {OLDEST_JAVA}", install)
    if _java_program("javac") is None:
        seen += ", without its compiler javac, which Flink and Hadoop need"
        return Finding("Java", "note", seen, install)
    return Finding("Java", "ok", f"{seen}, with javac")


def java_installer(compiler: bool = False) -> str:
    """The command that installs Java, with its compiler or without."""
    kind = "jdk" if compiler else "jre"
    command = _installer(f"{_debian_java()}-{kind}-headless", *JAVA_ELSEWHERE)
    return f"{command}, and unset JAVA_HOME" if os.environ.get("JAVA_HOME") else command


def engines() -> list[Finding]:
    """The packages of the engines of lesson 06. Each engine is an extra of the kit."""
    return [_engine(name) for name in ("Spark", "Flink", "Hadoop")]


def chromium() -> Finding:
    """The browser that the kit's own tests open lessons with."""
    for name in CHROMIUM_NAMES:
        program = shutil.which(name)
        if program is not None:
            return Finding("Chromium", "ok", program)
    install = _installer("chromium", "--cask chromium", "Google.Chrome")
    return Finding("Chromium", "note", "not found; only the browser tests need it", install)


def gpu() -> list[Finding]:
    """The chain to a GPU: driver, libraries, and a TensorFlow that can use them."""
    driver = nvidia_driver()
    return [driver, cuda_libraries(wanted=driver.status == "ok"), tensorflow_build()]


def nvidia_driver() -> Finding:
    """The first link of the chain to a GPU."""
    name = GPU
    program = shutil.which("nvidia-smi")
    loaded = Path("/proc/driver/nvidia/version").exists()
    if program is None and not loaded:
        fix = "nothing to do; on a machine with an NVIDIA card, install NVIDIA's driver"
        return Finding(name, "note", "no NVIDIA driver: lessons run on the CPU", fix)
    query = ("--query-gpu=name,driver_version", "--format=csv,noheader")
    said = _ask(program, *query) if program is not None else None
    if said is None:
        seen = "there is an NVIDIA driver, but nvidia-smi does not answer"
        return Finding(name, "note", seen, "restart the machine, or install NVIDIA's driver again")
    return Finding(name, "ok", "; ".join(said.strip().splitlines()))


def cuda_libraries(wanted: bool = True) -> Finding:
    """The second link: NVIDIA's libraries, as packages beside TensorFlow.

    Args:
        wanted: whether there is a driver to use them with.
    """
    name = "CUDA libraries"
    if not sys.platform.startswith("linux"):
        fix = "nothing to do; on Windows a GPU needs WSL2"
        return Finding(name, "note", "TensorFlow uses NVIDIA GPUs on Linux only", fix)
    version = _version("tensorflow")
    if version is None:
        return Finding(name, "note", "unknown without TensorFlow", pip_install("tensorflow"))
    needed = [
        requirement
        for requirement in _requirements("tensorflow", "and-cuda")
        if requirement.name.startswith("nvidia-")
    ]
    missing = [requirement for requirement in needed if _unmet(requirement)]
    if not missing:
        return Finding(name, "ok", f"{len(needed)} packages")
    fix = pip_install(f"tensorflow[and-cuda]=={version}")
    if not wanted:
        fix = "nothing to do without an NVIDIA driver"
    return Finding(name, "note", f"{len(missing)} of {len(needed)} packages missing", fix)


def tensorflow_build() -> Finding:
    """The third link: whether this TensorFlow was built to use a GPU. Read, not imported."""
    name = "TensorFlow build"
    reinstall = pip_install("tensorflow", "--force-reinstall", "--no-deps")
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        return Finding(name, "problem", "TensorFlow is not installed", pip_install("tensorflow"))
    facts = Path(spec.submodule_search_locations[0], "python", "platform", "build_info.py")
    try:
        text = facts.read_text(encoding="utf-8")
    except OSError as error:
        return Finding(name, "problem", f"not whole: {error}", reinstall)
    if "('is_cuda_build', True)" not in text:
        fix = "nothing to do; TensorFlow for Linux on x86-64 can use NVIDIA GPUs"
        return Finding(name, "note", "made for the CPU only", fix)
    version = re.search(r"\('cuda_version', '([\d.]+)'\)", text)
    return Finding(name, "ok", f"can use CUDA {version[1]}" if version else "can use CUDA")


def tensorflow_devices(seconds: float = TENSORFLOW_SECONDS) -> list[Finding]:
    """The last link: TensorFlow itself, loaded in a process of its own, lists its GPUs.

    Args:
        seconds: the time limit.
    """
    reinstall = pip_install("tensorflow", "--force-reinstall")
    command = [sys.executable, "-c", LIST_DEVICES]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return [Finding("TensorFlow", "problem", f"did not load within {seconds:g} s", reinstall)]
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return [Finding("TensorFlow", "problem", f"does not load: {reason}", reinstall)]
    said = json.loads(done.stdout.splitlines()[-1])
    loaded = Finding("TensorFlow", "ok", f"{said['version']} loads")
    if said["gpus"]:
        return [loaded, Finding("GPU device", "ok", ", ".join(said["gpus"]))]
    fix = "nothing to do without a GPU; with one, mend the first note of the GPU above"
    return [loaded, Finding("GPU device", "note", "TensorFlow sees none", fix)]


def _look(name: str, check: Callable[[], Finding | list[Finding]]) -> list[Finding]:
    """Call a check. One that fails is a finding too: a doctor must not die of what it looks for."""
    try:
        found = check()
    except Exception as error:
        fix = pip_install(KIT, "--force-reinstall")
        return [Finding(name, "problem", f"cannot be looked at: {error!r}", fix)]
    return found if isinstance(found, list) else [found]


def _java_program(name: str) -> str | None:
    """A program of Java: of JAVA_HOME where it is set, else the first on the PATH."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which(name, path=str(Path(home, "bin")) if home else None)


def _where() -> str:
    home = os.environ.get("JAVA_HOME")
    return f" in JAVA_HOME={home}" if home else ""


def _debian_java() -> str:
    """What Debian's packages of a Java that is new enough are called."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return "default"
    names = {system.get("VERSION_CODENAME"), system.get("UBUNTU_CODENAME")}
    return f"openjdk-{OLDEST_JAVA}" if names & DEBIANS_WITH_OLDER_JAVA else "default"


def _engine(name: str) -> Finding:
    """The packages that an extra of the kit brings."""
    extra = name.lower()
    kits_own = {requirement.name for requirement in _requirements(KIT)}
    needed = [found for found in _requirements(KIT, extra) if found.name not in kits_own]
    seen = ", ".join(f"{each.name} {_version(each.name) or 'not installed'}" for each in needed)
    if needed and not any(_unmet(requirement) for requirement in needed):
        return Finding(name, "ok", seen)
    seen = f"{seen or 'unknown to the installed kit'}; only lesson 06 needs it"
    return Finding(name, "note", seen, pip_install(f"{KIT}[{extra}]", "--upgrade"))


def _package(requirement: Requirement) -> Finding:
    """One package that the kit asks for by name."""
    installed = _version(requirement.name) or "not installed"
    seen = f"{installed} (needs {requirement.specifier or 'any'})"
    if _unmet(requirement):
        return Finding(requirement.name, "problem", seen, _install(requirement))
    return Finding(requirement.name, "ok", seen)


def _indirect_packages(direct: list[Requirement]) -> list[Finding]:
    """What the packages of the kit ask for in their turn: a line for each that does not fit."""
    asked: dict[tuple[str, str], list[tuple[str, Requirement]]] = {}
    waiting = list(direct)
    while waiting:
        parent = waiting.pop()
        for extra in ("", *parent.extras):
            if (parent.name, extra) in asked or _version(parent.name) is None:
                continue
            children = _requirements(parent.name, extra)
            asked[parent.name, extra] = [(parent.name, child) for child in children]
            waiting += children
    named = {requirement.name for requirement in direct}
    indirect = [pair for pairs in asked.values() for pair in pairs if pair[1].name not in named]
    findings = [
        Finding(
            child.name,
            "problem",
            f"{_version(child.name) or 'not installed'} ({parent} needs {child.specifier or 'it'})",
            _install(child),
        )
        for parent, child in indirect
        if _unmet(child)
    ]
    count = len({child.name for _, child in indirect})
    return findings or [Finding("Other packages", "ok", f"{count} fit together")]


def _widget(package: str, other_half: str, extension: str) -> Finding:
    """One widget package: its part in Python and its part in JupyterLab."""
    name = f"Widgets of {package}"
    renew = f"{pip_install(package, '--force-reinstall', '--no-deps')} {other_half}"
    try:
        unmet = [needed for needed in _requirements(package) if _unmet(needed)]
    except metadata.PackageNotFoundError:
        return Finding(name, "problem", f"{package} is not installed", pip_install(package))
    if unmet:
        return Finding(name, "problem", f"it needs {unmet[0]}", _install(unmet[0]))
    found = [
        (folder / extension, version)
        for folder in _jupyter_folders("labextensions")
        if (version := _extension_version(folder / extension)) is not None
    ]
    if not found:
        return Finding(name, "problem", f"JupyterLab has no extension {extension}", renew)
    place, version = found[0]
    own = _extension_version(Path(sys.prefix, "share", "jupyter", "labextensions", extension))
    if own is not None and version != own:
        seen = f"JupyterLab takes {extension} {version} from {place}, this package is {own}"
        return Finding(name, "problem", seen, f"remove the folder {place}")
    return Finding(name, "ok", f"{_version(package)}, JupyterLab's part {version}")


def _extension_version(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / "package.json").read_bytes())["version"])
    except (OSError, ValueError, LookupError):
        return None


def _jupyter_folders(kind: str) -> list[Path]:
    """Where Jupyter looks for its data, the first place first."""
    try:
        from jupyter_core.paths import jupyter_path
    except ImportError:
        return []
    return [Path(folder) for folder in jupyter_path(kind)]


def _requirements(package: str, extra: str = "") -> list[Requirement]:
    """What an installed package asks for on this machine, with one of its extras.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found = []
    for line in metadata.requires(package) or []:
        requirement = Requirement(line)
        requirement.name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            found.append(requirement)
    return found


def _unmet(requirement: Requirement) -> bool:
    """Whether a package is missing, or of a version that was not asked for."""
    version = _version(requirement.name)
    return version is None or not requirement.specifier.contains(version, prereleases=True)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _install(requirement: Requirement) -> str:
    return pip_install(f"{requirement.name}{requirement.specifier}")


def _installer(debian: str, brew: str, winget: str) -> str:
    """The command that installs a program on this kind of machine."""
    if sys.platform == "darwin":
        return f"brew install {brew}"
    if sys.platform == "win32":
        return f"winget install {winget}"
    if shutil.which("apt-get") is not None:
        return f"sudo apt-get install {debian}"
    return f"install the package that your system calls {debian}"


def _ask(program: str, *arguments: str) -> str | None:
    """What a program says on both of its outputs; None when it does not end well."""
    try:
        done = subprocess.run(
            [program, *arguments],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _writable(name: str, folder: Path, fix: str) -> Finding:
    """Whether files can be made in a folder, or in the place where it would be made."""
    try:
        place = next(path for path in (folder, *folder.parents) if path.exists())
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(name, "problem", f"{folder} cannot be written: {error.strerror}", fix)
    return Finding(name, "ok", str(folder))


def _graded(
    name: str, have: float, needed: float, comfortable: float, seen: str, fix: str
) -> Finding:
    if have < needed:
        return Finding(name, "problem", seen, fix)
    if have < comfortable:
        return Finding(name, "note", seen, fix)
    return Finding(name, "ok", seen)


def _container_limit() -> tuple[int, int] | None:
    """The memory (free, in all) that a container's limit leaves, where there is one."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return max(limit - used, 0), limit
