"""A real HDFS for tests: a NameNode and a DataNode, two processes on loopback.

The jars are those of an old pyspark, the last on the package index with both servers in it. They
are fetched once, and kept in the user's cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from xml.sax.saxutils import escape

from amaas_kit import ports
from amaas_kit.partition.engines import java

PYSPARK = "2.4.8"
SHA256 = "3a19b71b8dc8dd91ebc943604a05e1ab01bce052456d42937035632d852d78dc"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "amaas-tests"
FETCH_SECONDS = 900
START_SECONDS = 60

WANTED = (
    *("hadoop-annotations", "hadoop-auth", "hadoop-common", "hadoop-hdfs"),
    *("jetty-6", "jetty-util", "javax.servlet", "javax.ws.rs", "netty", "protobuf", "xercesImpl"),
    *("commons-", "guava-14", "jackson-core-asl", "jackson-mapper-asl", "leveldbjni", "xmlenc"),
    *("log4j", "slf4j", "htrace-core"),
)
"""How the names of the jars begin that the two servers need; the others belong to Spark."""

NAME_NODE = "hdfs.server.namenode.NameNode"
DATA_NODE = "hdfs.server.datanode.DataNode"

LOG = """log4j.rootLogger=WARN, out
log4j.logger.org.apache.hadoop.hdfs.StateChange=INFO
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c{1}: %m%n
"""

REGISTERED = "registerDatanode"
"""What the NameNode writes when a DataNode is there."""


class NoJarsError(Exception):
    """The jars are not here and cannot be brought."""


def hdfs_jars() -> Path:
    """The folder of the jars, fetched where this was not done before.

    Raises:
        NoJarsError: the package index does not answer, or does not have the package.
    """
    folder = CACHE / f"hdfs-of-pyspark-{PYSPARK}"
    if folder.is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as room:
        unpacked = Path(room) / "jars"
        unpacked.mkdir()
        _unpack(_fetch(Path(room)), unpacked)
        unpacked.rename(folder)
    return folder


def _fetch(folder: Path) -> Path:
    """The package as its makers packed it. Its own set-up breaks with the pypandoc of today."""
    wanted, old = folder / "wanted.txt", folder / "old.txt"
    wanted.write_text(f"pyspark=={PYSPARK} --hash=sha256:{SHA256}\n")
    old.write_text("pypandoc<1.8\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--build-constraint", str(old), "-r", str(wanted)]
    try:
        done = subprocess.run(
            [*command, "--dest", str(folder)],
            check=False,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NoJarsError(f"pip did not end within {FETCH_SECONDS} seconds") from None
    if done.returncode:
        raise NoJarsError((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    return folder / f"pyspark-{PYSPARK}.tar.gz"


def _unpack(package: Path, folder: Path) -> None:
    with tarfile.open(package) as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if name.endswith(".jar") and name.startswith(WANTED):
                member.name = name
                archive.extract(member, folder, filter="data")


class Hdfs:
    """An empty file system at `address`. It ends with `stop`.

    Args:
        folder: for its settings, its logs and all that it holds.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jars = hdfs_jars()
        self.port = ports.claim(0)
        self.address = f"hdfs://{ports.HOST}:{self.port}"
        self._configure()
        subprocess.run([*self._java(NAME_NODE), "-format"], check=True, capture_output=True)
        self.name_node = self._start(NAME_NODE)
        self.data_node = self._start(DATA_NODE)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for process in (self.data_node, self.name_node):
            process.kill()
            process.wait()

    def shell(self, *words: str) -> str:
        """What Hadoop's own shell of that time says, another client than the kit's."""
        done = subprocess.run(
            [*self._java("fs.FsShell"), *words], check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def names(self) -> set[str]:
        """All that lies in it, hidden or not."""
        lines = self.shell("-ls", "-R", "/").splitlines()
        return {line.split()[7].removeprefix("/") for line in lines}

    def client(self, **settings: str) -> Path:
        """A folder with a configuration for clients whose files lie here."""
        folder = self.folder / "client"
        folder.mkdir(exist_ok=True)
        own = {"fs.defaultFS": self.address, "mapreduce.framework.name": "local"}
        (folder / "core-site.xml").write_text(_xml(own | settings))
        return folder

    def _configure(self) -> None:
        settings = {
            "dfs.namenode.http-address": f"{ports.HOST}:0",
            "dfs.namenode.name.dir": (self.folder / "names").as_uri(),
            "dfs.datanode.data.dir": (self.folder / "blocks").as_uri(),
            "dfs.datanode.address": f"{ports.HOST}:0",
            "dfs.datanode.ipc.address": f"{ports.HOST}:0",
            "dfs.datanode.http.address": f"{ports.HOST}:0",
            "dfs.replication": "1",
            "dfs.webhdfs.enabled": "false",
        }
        (self.folder / "core-site.xml").write_text(_xml({"fs.defaultFS": self.address}))
        (self.folder / "hdfs-site.xml").write_text(_xml(settings))
        (self.folder / "log4j.properties").write_text(LOG)
        for pages in ("hdfs", "datanode"):
            folder = self.folder / "webapps" / pages / "WEB-INF"
            folder.mkdir(parents=True)
            (folder / "web.xml").write_text("<web-app/>")

    def _java(self, program: str) -> list[str]:
        return [
            str(java.find()),
            "-Xmx192m",
            "-Djava.net.preferIPv4Stack=true",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-cp",
            os.pathsep.join([str(self.folder), str(self.jars / "*")]),
            f"org.apache.hadoop.{program}",
        ]

    def _start(self, server: str) -> subprocess.Popen[bytes]:
        with self._log(server).open("wb") as log:
            return subprocess.Popen(self._java(server), stdout=log, stderr=log, cwd=self.folder)

    def _log(self, server: str) -> Path:
        return self.folder / f"{server.rpartition('.')[2]}.log"

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        log = self._log(NAME_NODE)
        while REGISTERED not in log.read_text(errors="replace"):
            ended = self.name_node.poll() or self.data_node.poll()
            if ended is not None or time.monotonic() > deadline:
                raise TimeoutError(f"no HDFS at {self.address}; its logs are in {self.folder}")
            time.sleep(0.1)


def _xml(settings: dict[str, str]) -> str:
    properties = [
        f"<property><name>{name}</name><value>{escape(value)}</value></property>"
        for name, value in settings.items()
    ]
    return f"<configuration>{''.join(properties)}</configuration>"
