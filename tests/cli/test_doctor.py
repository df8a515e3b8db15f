"""The doctor sees each fault, brought about for real, and names what mends it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amaas_kit import doctor


def program(path: Path, text: str) -> Path:
    """A small program of this system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def install(folder: Path, name: str, version: str, *needs: str) -> None:
    """Make a package appear to be installed in a folder."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata.write_text("\n".join(lines + [f"Requires-Dist: {need}" for need in needs]) + "\n\n")


def named(findings: list[doctor.Finding], name: str) -> doctor.Finding:
    [finding] = [finding for finding in findings if finding.name == name]
    return finding


@pytest.fixture
def first_on_path(tmp_path, monkeypatch):
    """A folder of packages that are found before the installed ones."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def empty_path(tmp_path, monkeypatch):
    """A PATH that holds one folder, and no Java elsewhere."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def test_on_this_machine_lessons_can_run():
    findings = doctor.examine()
    assert [finding for finding in findings if finding.status == "problem"] == []
    assert doctor.ready(findings)


def test_the_report_takes_less_than_three_seconds_and_loads_no_tensorflow():
    start = time.perf_counter()
    script = (
        "import sys; from amaas_kit import doctor; doctor.examine(); "
        "print(*{'tensorflow', 'numpy', 'bentoml'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PATH": ""},
    )
    assert done.stdout.strip() == ""
    assert time.perf_counter() - start < 6  # 3 on an idle machine


def test_everything_that_is_not_ok_has_a_mending():
    assert all(finding.fix for finding in doctor.examine() if finding.status != "ok")


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10, 14), "problem"), ((3, 11, 0), "ok"), ((3, 13, 1), "ok"), ((3, 14, 0), "problem")],
)
def test_a_python_that_does_not_fit(monkeypatch, version, status):
    monkeypatch.setattr(sys, "version_info", version)
    assert doctor.python().status == status


def test_a_package_of_a_wrong_version(first_on_path):
    install(first_on_path, "polars", "0.19.0")
    finding = named(doctor.packages(), "polars")
    assert finding.status == "problem"
    assert "0.19.0 (needs >=" in finding.seen
    assert 'pip install "polars>=' in finding.fix


def test_a_package_that_is_missing(first_on_path):
    install(first_on_path, "amaas-kit", "0.1.0", "numpy>=2", "no-such-package>=1.5")
    finding = named(doctor.packages(), "no-such-package")
    assert (finding.status, finding.seen) == ("problem", "not installed (needs >=1.5)")
    assert 'pip install "no-such-package>=1.5"' in finding.fix


def test_a_package_that_another_package_needs_otherwise(first_on_path):
    install(first_on_path, "protobuf", "2.0.0")
    finding = named(doctor.packages(), "protobuf")
    assert finding.status == "problem"
    assert "2.0.0 (tensorflow needs " in finding.seen


def test_a_need_of_another_system_or_of_an_extra_is_none(first_on_path):
    install(
        first_on_path,
        "amaas-kit",
        "0.1.0",
        "no-such-package; sys_platform == 'elsewhere'",
        "no-such-extra; extra == 'test'",
    )
    assert doctor.ready(doctor.packages())


def test_a_kit_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(doctor, "KIT", "no-such-kit")
    [finding] = doctor.packages()
    assert finding.status == "problem"


def test_a_check_that_breaks_is_a_finding_itself(first_on_path):
    install(first_on_path, "amaas-kit", "0.1.0", "not a requirement !")
    broken = named(doctor.examine(), "Packages")
    assert broken.status == "problem"
    assert "InvalidRequirement" in broken.seen


def test_a_taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        finding = doctor.port(number, "use another")
        assert (finding.status, finding.fix) == ("note", "use another")
        assert "in use" in finding.seen
    assert doctor.port(number, "use another").status == "ok"


def test_no_java(empty_path):
    finding = doctor.java()
    assert finding.status == "note"
    assert finding.seen.startswith("not found; ")
    assert finding.fix


@pytest.mark.parametrize(
    ("says", "status", "seen"),
    [
        ('openjdk version "17.0.11" 2024-04-16', "ok", "17, "),
        ('openjdk version "25" 2025-09-16', "ok", "25, "),
        ('java version "1.8.0_402"', "note", "8, "),
        ('openjdk version "11.0.2"', "note", "11, "),
        ("cannot start", "note", "does not say its version"),
    ],
)
def test_the_version_of_java(empty_path, says, status, seen):
    program(empty_path / "java", f"echo '{says}' >&2")
    program(empty_path / "javac", "")
    finding = doctor.java()
    assert finding.status == status
    assert seen in finding.seen


def test_a_java_without_its_compiler(empty_path):
    program(empty_path / "java", """echo 'openjdk version "17"' >&2""")
    finding = doctor.java()
    assert finding.status == "note"
    assert "without its compiler javac, which Flink and Hadoop need" in finding.seen
    program(empty_path / "javac", "")
    assert doctor.java().status == "ok"


def test_java_home_comes_before_the_path(empty_path, tmp_path, monkeypatch):
    program(empty_path / "java", """echo 'openjdk version "21"' >&2""")
    program(empty_path / "javac", "")
    home = tmp_path / "jdk"
    program(home / "bin" / "java", """echo 'openjdk version "17"' >&2""")
    monkeypatch.setenv("JAVA_HOME", str(home))
    finding = doctor.java()
    assert finding.seen.startswith(f"17, {home}")
    assert "without its compiler" in finding.seen
    program(home / "bin" / "javac", "")
    assert doctor.java().status == "ok"


def test_a_java_home_without_java_is_to_be_unset(empty_path, tmp_path, monkeypatch):
    program(empty_path / "java", """echo 'openjdk version "21"' >&2""")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    finding = doctor.java()
    assert finding.status == "note"
    assert finding.seen.startswith(f"not found in JAVA_HOME={tmp_path / 'gone'}; ")
    assert finding.fix.endswith(", and unset JAVA_HOME")


@pytest.mark.parametrize(
    ("system", "package"),
    [
        ({"ID": "debian", "VERSION_CODENAME": "bookworm"}, "default-jdk-headless"),
        ({"ID": "ubuntu", "VERSION_CODENAME": "jammy"}, "openjdk-17-jdk-headless"),
        ({"ID": "linuxmint", "UBUNTU_CODENAME": "jammy"}, "openjdk-17-jdk-headless"),
        ({"ID": "arch"}, "default-jdk-headless"),
    ],
)
def test_a_debian_whose_default_java_is_too_old(empty_path, monkeypatch, system, package):
    program(empty_path / "apt-get", "")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(doctor.platform, "freedesktop_os_release", lambda: system)
    assert doctor.java().fix == f"sudo apt-get install {package}"


KIT_WITH_ENGINES = (
    "numpy>=2",
    "no-such-spark>=4; extra == 'spark'",
    "no-such-flink>=2; extra == 'flink'",
    "no-such-bridge; extra == 'flink'",
    "no-such-spark>=4; extra == 'hadoop'",
)


def test_engines_that_are_not_installed(first_on_path):
    install(first_on_path, "amaas-kit", "0.1.0", *KIT_WITH_ENGINES)
    findings = doctor.engines()
    assert [finding.name for finding in findings] == ["Spark", "Flink", "Hadoop"]
    assert {finding.status for finding in findings} == {"note"}
    assert findings[0].seen.startswith("no-such-spark not installed; ")
    for finding in findings:
        assert finding.fix.endswith(
            f' -m pip install --upgrade "amaas-kit[{finding.name.lower()}]"'
        )


def test_engines_that_are_installed_whole_in_part_or_too_old(first_on_path):
    install(first_on_path, "amaas-kit", "0.1.0", *KIT_WITH_ENGINES)
    install(first_on_path, "no-such-spark", "4.3.0")
    install(first_on_path, "no-such-flink", "2.3.0")
    spark, flink, hadoop = doctor.engines()
    assert (spark.status, spark.seen, spark.fix) == ("ok", "no-such-spark 4.3.0", "")
    assert hadoop.status == "ok"
    assert flink.status == "note"
    assert flink.seen.startswith("no-such-flink 2.3.0, no-such-bridge not installed; ")
    install(first_on_path, "no-such-bridge", "0.1")
    assert named(doctor.engines(), "Flink").status == "ok"
    (first_on_path / "no_such_spark-4.3.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: no-such-spark\nVersion: 3.5.0\n\n"
    )
    assert named(doctor.engines(), "Spark").status == "note"


def test_a_kit_that_was_installed_before_it_had_engines(first_on_path):
    install(first_on_path, "amaas-kit", "0.0.1", "numpy>=2")
    assert {finding.status for finding in doctor.engines()} == {"note"}
    assert all("unknown to the installed kit" in finding.seen for finding in doctor.engines())


def test_looking_at_engines_imports_none():
    script = (
        "import sys; from amaas_kit import doctor; doctor.engines(); "
        "print(*{'pyspark', 'pyflink', 'py4j'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.strip() == ""


def test_no_chromium_and_a_chromium(empty_path):
    if Path("/Applications").exists():
        pytest.skip("needs hardware: a system where browsers are found on the PATH alone")
    assert doctor.chromium().status == "note"
    program(empty_path / "chromium", "")
    assert doctor.chromium().status == "ok"


@pytest.mark.parametrize("check", [doctor.amaas_home, doctor.bentoml_store])
def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch, check):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("AMAAS_HOME", str(blocked / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(blocked / "store"))
    finding = check()
    assert finding.status == "problem"
    assert "_HOME" in finding.fix
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "store"))
    assert check().status == "ok"


def test_looking_at_a_store_does_not_make_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "store"))
    doctor.bentoml_store()
    assert not (tmp_path / "store").exists()


def test_little_disk_and_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "DISK_NEEDED", 2**60)
    monkeypatch.setattr(doctor, "MEMORY_COMFORTABLE", 2**60)
    assert doctor.disk(tmp_path).status == "problem"
    assert doctor.memory().status == "note"


def kernelspec(folder: Path, text: str) -> None:
    spec = folder / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(text)


def test_a_kernel_of_another_python(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert doctor.kernel().status == "ok"
    kernelspec(tmp_path, json.dumps({"argv": ["/elsewhere/bin/python", "-m", "ipykernel"]}))
    finding = doctor.kernel()
    assert finding.status == "problem"
    assert "/elsewhere/bin/python" in finding.seen


def test_a_kernel_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    kernelspec(tmp_path, "{")
    assert doctor.kernel().status == "problem"


def test_an_old_widget_extension_that_hides_the_installed_one(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    package = tmp_path / "labextensions" / "anywidget" / "package.json"
    package.parent.mkdir(parents=True)
    package.write_text('{"version": "0.1.0"}')
    finding = named(doctor.widgets(), "Widgets of anywidget")
    assert finding.status == "problem"
    assert "0.1.0" in finding.seen
    assert str(package.parent) in finding.fix


def test_widgets_whose_halves_do_not_fit(first_on_path):
    install(first_on_path, "jupyterlab-widgets", "1.0.0")
    finding = named(doctor.widgets(), "Widgets of ipywidgets")
    assert finding.status == "problem"
    assert "pip install" in finding.fix


def test_no_widget_extension_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "_jupyter_folders", lambda kind: [tmp_path])
    assert {finding.status for finding in doctor.widgets()} == {"problem"}


def test_a_driver_that_answers(empty_path):
    program(empty_path / "nvidia-smi", "echo 'NVIDIA H100, 580.82'")
    finding = doctor.nvidia_driver()
    assert (finding.status, finding.seen) == ("ok", "NVIDIA H100, 580.82")


def test_a_driver_that_does_not_answer(empty_path):
    program(empty_path / "nvidia-smi", "echo 'Failed to initialize NVML'; exit 18")
    finding = doctor.nvidia_driver()
    assert finding.status == "note"
    assert "does not answer" in finding.seen


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs hardware: Linux")
def test_missing_cuda_libraries_need_a_mending_only_where_there_is_a_driver(
    first_on_path,
):
    install(first_on_path, "tensorflow", "9.9", "nvidia-none-cu12==1.0; extra == 'and-cuda'")
    with_driver, without = doctor.cuda_libraries(wanted=True), doctor.cuda_libraries(wanted=False)
    assert with_driver.seen == without.seen == "1 of 1 packages missing"
    assert 'tensorflow[and-cuda]==9.9"' in with_driver.fix
    assert "nothing to do" in without.fix
    install(first_on_path, "nvidia-none-cu12", "1.0")
    assert doctor.cuda_libraries().status == "ok"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("[('cuda_version', '12.5.1'), ('is_cuda_build', True)]", "ok"),
        ("[('is_cuda_build', False)]", "note"),
        (None, "problem"),
    ],
)
def test_what_tensorflow_was_built_for_is_read_without_importing_it(first_on_path, text, status):
    package = first_on_path / "tensorflow"
    facts = package / "python" / "platform" / "build_info.py"
    facts.parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    if text is not None:
        facts.write_text(f"build_info = {text}\n")
    loaded = sys.modules.pop("tensorflow", None)
    try:
        assert doctor.tensorflow_build().status == status
    finally:
        if loaded is not None:
            sys.modules["tensorflow"] = loaded


@pytest.fixture
def other_tensorflow(tmp_path, monkeypatch):
    """Write a module that a new Python takes for TensorFlow."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return (tmp_path / "tensorflow.py").write_text


def test_a_tensorflow_that_does_not_load(other_tensorflow):
    other_tensorflow("raise ImportError('libcudart.so.12: cannot open shared object file')")
    [finding] = doctor.tensorflow_devices()
    assert finding.status == "problem"
    assert "libcudart.so.12" in finding.seen


def test_a_tensorflow_that_hangs(other_tensorflow):
    other_tensorflow("import time; time.sleep(60)")
    [finding] = doctor.tensorflow_devices(seconds=1)
    assert finding.status == "problem"
    assert "within 1 s" in finding.seen


def test_the_real_tensorflow_says_its_version():
    loaded, device = doctor.tensorflow_devices()
    assert loaded.status == "ok"
    assert device.status in ("ok", "note")


def test_the_text_has_a_line_for_each_finding_and_the_mending_under_it():
    findings = [
        doctor.Finding("A", "ok", "fine"),
        doctor.Finding("Bc", "problem", "bad", "mend it"),
    ]
    assert doctor.as_text(findings).splitlines() == [
        "ok       A   fine",
        "problem  Bc  bad",
        "             fix: mend it",
    ]
