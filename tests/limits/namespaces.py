"""Network namespaces for tests: two machines and a cable, and code that runs on one of them."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 120  # for one command on a busy machine
HOST, CLIENT = "10.99.0.1", "10.99.0.2"
CABLE = "cable"
MAJOR = "15a1"
_count = itertools.count()


@dataclass(frozen=True, slots=True)
class Cable:
    """Names of namespaces; in each an interface CABLE, with HOST's and CLIENT's address."""

    host: str
    client: str


def run(*command: str) -> str:
    """Its output; fails with its words."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def why_not() -> str | None:
    """Why there cannot be any here."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None or shutil.which("tc") is None:
        return "ip and tc (iproute2) are not here"
    try:
        with namespace() as name:
            done = subprocess.run(
                ["ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "lo", "root", "htb"],
                capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            )  # fmt: skip
            return None if done.returncode == 0 else f"no HTB here: {done.stderr.strip()}"
    except AssertionError as error:
        return f"network namespaces cannot be made here: {error}"


@contextmanager
def namespace() -> Iterator[str]:
    """A machine with nothing but loopback, up."""
    name = f"isolated-test-{os.getpid()}-{next(_count)}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        run("ip", "netns", "del", name)


@contextmanager
def cable() -> Iterator[Cable]:
    """Two machines."""
    with namespace() as host, namespace() as client:
        run("ip", "-n", host, "link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", client)
        for name, address in ((host, HOST), (client, CLIENT)):
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", CABLE)
            run("ip", "-n", name, "link", "set", CABLE, "up")
        yield Cable(host, client)


def inside[T](name: str, work: Callable[[], T]) -> T:
    """Does it on a thread that is in that namespace, and so are the threads that it starts."""
    results: list[T] = []
    errors: list[BaseException] = []

    def enter() -> None:
        try:
            with Path(f"/run/netns/{name}").open() as handle:
                os.setns(handle.fileno(), os.CLONE_NEWNET)
            results.append(work())
        except BaseException as error:  # noqa: BLE001  # raised again below
            errors.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def run_inside[T](name: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The same with a loop of its own."""
    return inside(name, lambda: asyncio.run(work()))


def classes(name: str, interface: str) -> list[str]:
    """The ids of the classes there, as tc tells them."""
    lines = run("tc", "-n", name, "class", "show", "dev", interface).splitlines()
    return [line.split()[2] for line in lines]


def root(name: str, interface: str) -> str:
    """Kind and number of the root qdisc there: 'noqueue 0:'."""
    line = run("tc", "-n", name, "qdisc", "show", "dev", interface, "root").splitlines()[0]
    return " ".join(line.split()[1:3])
