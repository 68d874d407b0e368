"""A network of its own: a bridge in a namespace, with ports for client namespaces and emulated machines."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SERVER, NETWORK = "10.77.0.1", "10.77.0.0/24"
PREFIX = "fd77::/64"
BRIDGE = "br0"
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Waits until that holds; fails naming `what`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


@dataclass(slots=True)
class Namespace:
    """A network namespace, held by a process that sleeps in it."""

    holder: subprocess.Popen[bytes]

    def command(self, *words: str) -> list[str]:
        """The command line that runs `words` there."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--", *words]

    def run(self, *words: str, check: bool = True, timeout: float = PATIENCE_S * 2) -> subprocess.CompletedProcess[str]:
        """Runs a command there; fails with what it said if its code is not 0."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=timeout, check=False)
        assert not check or done.returncode == 0, f"{words} exits {done.returncode}: {done.stdout}{done.stderr}"
        return done

    def start(self, *words: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Starts a program there, whose output goes into a file."""
        with contextlib.ExitStack() as stack:
            out = subprocess.DEVNULL if log is None else stack.enter_context(log.open("ab"))
            return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=out, stderr=out)


@dataclass(slots=True)
class RackNet:
    """The bridge's namespace, and what is plugged in. Everything ends with the block that made it."""

    server: Namespace
    _stack: contextlib.ExitStack = field(repr=False)
    _ports: int = 0

    def client(self, mac: str) -> Namespace:
        """A namespace whose eth0, with this MAC address, is plugged into the bridge."""
        made = self._stack.enter_context(_namespace())
        port = self._port()
        peer = f"/proc/{made.holder.pid}/ns/net"
        self.server.run(
            "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(made.holder.pid)
        )
        assert Path(peer).exists()
        self.server.run("ip", "link", "set", port, "master", BRIDGE, "up")
        made.run("ip", "link", "set", "eth0", "address", mac)
        for name in ("lo", "eth0"):
            made.run("ip", "link", "set", name, "up")
        return made

    def tap(self) -> str:
        """The name of a tap device in the bridge's namespace, plugged in."""
        port = self._port()
        self.server.run("ip", "tuntap", "add", port, "mode", "tap")
        self.server.run("ip", "link", "set", port, "master", BRIDGE, "up")
        return port

    def _port(self) -> str:
        self._ports += 1
        return f"port{self._ports}"


@contextlib.contextmanager
def rack_net() -> Iterator[RackNet]:
    """Makes one; skips where the machine gives none."""
    if os.geteuid() != 0:
        pytest.skip("only root makes networks")
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_namespace())
        if server.run("ip", "link", "add", BRIDGE, "type", "bridge", check=False).returncode != 0:
            pytest.skip("this machine makes no bridges")
        server.run("ip", "address", "add", f"{SERVER}/24", "dev", BRIDGE)
        server.run("ip", "-6", "address", "add", "fd77::1/64", "dev", BRIDGE, "nodad", check=False)
        for name in ("lo", BRIDGE):
            server.run("ip", "link", "set", name, "up")
        yield RackNet(server, stack)


@contextlib.contextmanager
def _namespace() -> Iterator[Namespace]:
    # "here" tells that the namespace is there: before, the holder is still in ours.
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo here; exec sleep 3600"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"here\n":
            pytest.skip("this machine gives no network namespaces")
        yield Namespace(holder)
    finally:
        holder.kill()
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()
