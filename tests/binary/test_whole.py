"""The whole binary where there is nothing but busybox and musl: no glibc, no Python, no V8."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from compression import zstd
from pathlib import Path
from typing import Self

import pytest

from tests.binary.minimal import PYTHON, Minimal, minimal
from tests.fakes.certificate import certificate
from tests.functional.running import handler
from tests.limits.namespaces import why_not
from tools.binary import archive
from tools.runtime_tree.layout import CHECKOUT

pytestmark = pytest.mark.slow

PORT = 3000
BASE = Path("run/isolated")
TOKEN = "0123456789abcdef0123456789abcdef"
SPIN = handler("while (true) {}")
DEVOUR = handler("const all = []; for (;;) all.push(new Array(1e6).fill(Math.random()));")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The binary, packed fast; ISOLATED_TEST_BINARY names one that is there already."""
    if given := os.environ.get("ISOLATED_TEST_BINARY"):
        return Path(given)
    target = tmp_path_factory.mktemp("built") / "isolated"
    subprocess.run([CHECKOUT / "tools/build-binary", "--level", "1", "--output", target], check=True)
    return target


@pytest.fixture
def here(tmp_path: Path, built: Path) -> Iterator[Minimal]:
    if reason := why_not():
        pytest.skip(reason)
    for parent in tmp_path.parents:
        if parent != Path("/tmp") and parent.is_relative_to("/tmp"):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    with minimal(tmp_path / "root", built) as made:
        assert not list(made.root.glob("usr/lib/**/libc.so.6")), "no glibc is there"
        yield made


def task(here: Minimal, source: str, name: str = "shop", port: int = PORT) -> str:
    """A task in a folder of the root; returns its file."""
    here.write(f"/apps/{name}/main.mjs", source)
    document = {"taskId": name, "mainPath": "main.mjs", "listen": [f"127.0.0.1:{port}"]}
    return here.write(f"/apps/{name}/task.json", json.dumps(document))


def serve(here: Minimal, *flags: str) -> subprocess.Popen[bytes]:
    process, log = here.start("isolated", "serve", *flags)
    log.wait_event("serving")
    return process


def status(here: Minimal) -> dict[str, object]:
    found: dict[str, object] = json.loads(here.said("isolated", "status", "--json"))
    return found


def runtimes(here: Minimal) -> list[str]:
    return sorted(path.name for path in (here.root / BASE).iterdir() if len(path.name) == archive.ID_LENGTH)


def test_an_example_runs(here: Minimal) -> None:
    shutil.copytree(CHECKOUT / "examples/hello", here.root / "hello")
    process, log = here.start("isolated", "run", "/hello/task.json5")
    log.wait_event("ready", task="hello")
    assert here.get(PORT) == "Hello from an isolate\n"
    assert Path(f"/proc/{process.pid}/exe").readlink().name == "isolated", "one process, which is the program"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_an_example_runs_without_root(here: Minimal) -> None:
    shutil.copytree(CHECKOUT / "examples/hello", here.root / "hello")
    process, log = here.start("isolated", "run", "/hello/task.json5", user=1234)
    log.wait_event("ready", task="hello")
    assert here.get(PORT) == "Hello from an isolate\n"
    assert (here.root / "tmp/isolated-1234").stat().st_uid == 1234
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_intl_and_legacy_encodings_and_webassembly_are_there(here: Minimal) -> None:
    source = handler(
        "const money = new Intl.NumberFormat('de', {style: 'currency', currency: 'EUR'}).format(1234.5);"
        "const words = [...new Intl.Segmenter('ja', {granularity: 'word'}).segment('日本語の文章')].length;"
        "const old = new TextDecoder('shift_jis').decode(new Uint8Array([0x93, 0xfa]));"
        "const wasm = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) instanceof Object;"
        "return Response.json([money.replace(/\\s/, ' '), words > 1, old, wasm]);"
    )
    process, log = here.start("isolated", "run", task(here, source))
    log.wait_event("ready", task="shop")
    assert json.loads(here.get(PORT)) == ["1.234,50 €", True, "日", True]
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_hostile_scripts_harm_nobody_else(here: Minimal) -> None:
    good = task(here, handler("return new Response('fine');"), "good")
    spin, devour = task(here, SPIN, "spin", PORT + 1), task(here, DEVOUR, "devour", PORT + 2)
    process, log = here.start("isolated", "run", good, spin, devour)
    for name in ("good", "spin", "devour"):
        log.wait_event("ready", task=name)
    for port in (PORT + 1, PORT + 2):
        done = here.run("wget", "-qO-", f"http://127.0.0.1:{port}/")
        assert "503" in done.stderr
        assert here.get(PORT) == "fine"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def newer(binary: Path, target: Path) -> None:
    """A binary of other content: with one file more."""
    whole = binary.read_bytes()
    _, offset, size, unpacked, _ = archive.TRAILER.unpack(whole[-archive.TRAILER.size :])
    space = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(zstd.decompress(whole[offset : offset + size]))) as old,
        tarfile.open(fileobj=space, mode="w", format=tarfile.USTAR_FORMAT) as new,
    ):
        new.addfile(tarfile.TarInfo("newer"))
        for member in old:
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    content = space.getvalue()
    target.write_bytes(archive.assemble(whole[:offset], content, archive.compress(content, 1), unpacked))
    target.chmod(0o755)


class Asking:
    """Asks one port all the while."""

    def __init__(self, here: Minimal) -> None:
        self.wrong: list[str] = []
        self.answers = 0
        self._here = here
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            done = self._here.run("wget", "-qO-", f"http://127.0.0.1:{PORT}/")
            self.answers += 1
            if done.stdout != "hello":
                self.wrong.append(done.stderr)


def test_hand_over_and_upgrade_start_the_binary_again(here: Minimal, built: Path) -> None:
    process = serve(here)
    here.said("isolated", "apply", task(here, handler("return new Response('hello');")), "--no-bundle", "--wait")
    (first,) = runtimes(here)
    with Asking(here) as asking:
        os.kill(process.pid, signal.SIGUSR2)
        here.wait(lambda: status(here)["handovers"] == 1, "a hand-over")
        newer(built, here.root / "usr/bin/newer")
        here.said("isolated", "upgrade", "/usr/bin/newer")
        here.wait(lambda: status(here)["handovers"] == 2, "an upgrade")
    assert asking.wrong == []
    assert asking.answers > 3
    pid = status(here)["pid"]
    program = os.readlink(f"/proc/{pid}/exe")
    (second,) = (name for name in runtimes(here) if name != first)
    assert f"/{second}/" in program
    assert here.get(PORT) == "hello"
    # From now on it starts by the newer file.
    os.kill(process.pid, signal.SIGUSR2)
    here.wait(lambda: status(here)["handovers"] == 3, "a hand-over of the newer one")
    assert f"/{second}/" in os.readlink(f"/proc/{status(here)['pid']}/exe")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_names_are_resolved_and_certificates_found(here: Minimal) -> None:
    """By the command line, over TLS: a name from /etc/hosts, one from a name server, and the machine's certificates."""
    files = certificate(here.root / "root", "host", names=("hosts.test", "dns.test"))
    here.write("/etc/ssl/cert.pem", files.certificate.read_text())
    here.write("/root/token", TOKEN)
    (here.root / "root/token").chmod(0o600)
    settings = {"api-listen": "127.0.0.1:8443", "api-token-file": "/root/token"}
    paths = {"api-cert": f"/root/{files.certificate.name}", "api-key": f"/root/{files.key.name}"}
    process = serve(here, *(f"--{name}={value}" for name, value in (settings | paths).items()))
    server = [sys.executable, str(Path(__file__).with_name("dns.py")), "dns.test"]
    with subprocess.Popen(["ip", "netns", "exec", here.network, *server], stdout=subprocess.PIPE) as names:
        try:
            assert names.stdout is not None
            assert names.stdout.readline() == b"serving\n"
            for name in ("hosts.test", "dns.test"):
                remote = ["--host", f"https://{name}:8443", "--token-file", "/root/token", "--json"]
                assert json.loads(here.said("isolated", "status", *remote))["pid"] == process.pid
            remote = ["--host", "https://other.test:8443", "--token-file", "/root/token"]
            assert here.run("isolated", "status", *remote).returncode == 4
        finally:
            names.kill()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_it_says_what_it_is_made_of(here: Minimal) -> None:
    text = here.said("isolated", "version", "--licenses")
    assert all(part in text for part in ("libnode137", "GNU GENERAL PUBLIC LICENSE", "aiohttp", "Apache License"))
    document = json.loads(here.said("isolated", "version", "--licenses", "--json"))
    (runtime,) = runtimes(here)
    assert json.loads((here.root / BASE / runtime / "usr/share/sbom.cdx.json").read_text()) == document
    assert {"libnode137", "libc6", "serf", "aiohttp", "libzstd-dev"} <= {
        each["name"] for each in document["components"]
    }
    assert "esbuild" not in {each["name"] for each in document["components"]}


def test_every_module_and_serf_load(here: Minimal) -> None:
    here.said("isolated", "version")
    (runtime,) = runtimes(here)
    program = (
        "import importlib, pkgutil, supervisor\n"
        "for each in pkgutil.walk_packages(supervisor.__path__, 'supervisor.'):\n"
        "    '__main__' in each.name or importlib.import_module(each.name)\n"
        "import bz2, ctypes, decimal, lzma, sqlite3, ssl, uuid, zlib, compression.zstd, pyroute2, rich.traceback\n"
    )
    here.said(f"/{BASE}/{runtime}/{PYTHON}", "-I", "-c", program)
    assert "Agent Protocol" in here.said(f"/{BASE}/{runtime}/launchers/serf", "version")
