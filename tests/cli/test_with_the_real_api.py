"""The commands over the real control API, with a host that keeps its tasks in memory."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from supervisor.cli import code_of
from supervisor.control.options import ControlOptions, RemoteOptions
from supervisor.control.server import ControlServer
from supervisor.errors import BootError, ListenError, Place, Refused
from supervisor.spec.listen import parse_listen
from supervisor.state.bundles import Bundles
from tests.fakes.certificate import certificate
from tests.fakes.control import FakeHost


class Host(FakeHost):
    """Stores bundles as the real one does."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.store = Bundles(folder)
        self.loop: asyncio.AbstractEventLoop | None = None

    def run(self, call: Callable[[], object]) -> None:
        """Calls on the loop that serves."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(call)

    async def add_bundle(self, archive: Path) -> str:
        self._called("add_bundle", archive)
        return await asyncio.to_thread(self.store.add, archive)

    def has_bundle(self, digest: str) -> bool:
        return self.store.has(digest)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("ISOLATED_HOST", str(tmp_path / "c.sock"))
    found = Host(tmp_path / "bundles")
    with serving(found, ControlOptions(socket=tmp_path / "c.sock", uploads=tmp_path / "uploads", grace=0.2)):
        yield found


@contextmanager
def serving(host: Host, options: ControlOptions) -> Iterator[ControlServer]:
    """Serves on a thread and a loop of its own."""
    began: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, ControlServer]] = []
    ready = threading.Event()

    async def main() -> None:
        ending = asyncio.Event()
        try:
            async with ControlServer(host, options) as server:
                host.loop = asyncio.get_running_loop()
                began.append((host.loop, ending, server))
                ready.set()
                await ending.wait()
        finally:
            ready.set()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    ready.wait(60)
    try:
        yield began[0][2]
    finally:
        for loop, ending, _ in began:
            loop.call_soon_threadsafe(ending.set)
        thread.join()


def test_a_life(host: Host, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command once, in the order of a life."""

    def does(*arguments: str, code: int = 0) -> str:
        assert code_of(arguments) == code, capsys.readouterr().err
        return capsys.readouterr().out

    assert does("apply", str(shop), "--dry-run") == "shop: would be created\n"
    assert does("apply", str(shop), "--wait").startswith("shop: created")
    assert does("apply", str(shop)).startswith("shop: unchanged")
    ((_, bundle, dry), *_) = host.asked("apply")
    assert host.store.has(bundle)
    assert (host.store.path(bundle) / "app.js").read_bytes() == (shop / "app.js").read_bytes()
    assert dry is True
    assert len(host.asked("add_bundle")) == 1
    assert "shop  running  127.0.0.1:3000" in does("ps")
    assert json.loads(does("ps", "--json"))[0]["task"] == "shop"
    assert "heap-limit" in does("get", "shop")
    assert does("stop", "shop").startswith("shop: stopped")
    does("apply", str(shop), "--wait", code=1)
    assert does("start", "shop").startswith("shop: running")
    host.say("shop", "hello\x1b")
    assert "info    hello\\x1b" in does("logs", "shop")
    assert does("blocked").count("loop") == 1
    assert does("release", "loop").startswith("loop: released 0123456789abcdef")
    does("release", "loop", code=3)
    assert "1 running" in does("status")
    assert does("upgrade").startswith("handed over 1 tasks and 1 sockets to process 2")
    does("upgrade", "/bin/sh", code=1)
    assert does("rm", "-y", "shop") == "shop: removed\n"
    does("rm", "-y", "shop", code=3)
    does("drain")
    assert host.draining


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Refused("the host is full", retry_s=4), 5, "the host is full\n  try again in 4 s"),
        (BootError("Error: boom", file="app.js", place=Place(3, 4)), 1, "Error: boom\n  at app.js:3:4"),
        (ListenError("127.0.0.1:80", "the address is in use"), 1, "cannot listen on 127.0.0.1:80"),
        (RuntimeError("ours"), 1, "a defect of isolated"),
    ],
)
def test_refusals(
    host: Host, shop: Path, error: BaseException, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    host.fail = error
    assert code_of(["apply", str(shop), "--no-bundle"]) == code
    assert says in capsys.readouterr().err


def test_a_bundle_that_is_too_large_for_the_host(
    tmp_path: Path, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "large.bin").write_bytes(os.urandom(3 * 2**20))
    options = ControlOptions(socket=tmp_path / "c", uploads=tmp_path / "u", bundle_size=2**20, grace=0.2)
    with serving(Host(tmp_path / "bundles"), options):
        assert code_of(["apply", str(shop), "--host", str(tmp_path / "c")]) == 2
    assert "larger than 1048576 bytes" in capsys.readouterr().err


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_followed_lines(host: Host, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code_of(["apply", str(shop)])
    codes: list[int] = []
    host.say("shop", "before")
    follower = threading.Thread(target=lambda: codes.append(code_of(["logs", "-f", "shop", "--json"])))
    follower.start()
    wait_for(lambda: bool(host.feeds["shop"].followers))
    host.run(lambda: host.say("shop", "after"))
    code_of(["rm", "-y", "shop"])
    follower.join(60)
    assert codes == [0]
    texts = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert texts == ["before", "after"]


def test_https(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = certificate(tmp_path)
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("0123456789abcdef" * 2)
    remote = RemoteOptions(parse_listen("127.0.0.1:0"), made.certificate, made.key, token)
    options = ControlOptions(socket=tmp_path / "c", uploads=tmp_path / "u", remote=remote, grace=0.2)
    with serving(Host(tmp_path / "bundles"), options) as server:
        (port,) = [each.rpartition(":")[2] for each in server.addresses if each.startswith("127.")]
        where = ["--host", f"https://localhost:{port}", "--ca", str(made.certificate)]
        assert code_of(["status", *where]) == 6
        assert "--token-file" in capsys.readouterr().err
        assert code_of(["status", *where, "--token-file", str(token)]) == 0
