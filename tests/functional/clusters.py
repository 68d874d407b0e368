"""A cluster of real daemons with real agents, each on a machine of its own: network namespaces on one bridge."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

from supervisor.cluster.keys import make_key
from tests.functional.running import ROOT, environment
from tests.limits.namespaces import namespace, run
from tools.benchmarks.control import Control, Refusal

BRIDGE, CABLE = "bridge", "cable"
PORT, GOSSIP = 7443, 7946
PATIENCE_S = 60.0
LOOK_S = 0.05
ATTEMPT_S = 2.0  # a client that tries several hosts; a host that refuses is passed by at once
REQUEST_S = 5.0  # with all its attempts
ASK_S = 10.0  # nobody there is told at once, but for hosts that are cut off
SETTLED_S = 2.0  # the rules act on news a tenth of a second after people can see them, as bursts are merged
BOOTED = 1_700_000_000  # the first host; each further one a minute later, so that the last is the newest


def address(number: int) -> str:
    """Of a host, by its number from 1."""
    return f"10.98.0.{number}"


class Machine:
    """One host. Its process may be killed and started again."""

    def __init__(self, number: int, name: str, folder: Path, settings: dict[str, Any]) -> None:
        self.number = number
        self.id = f"h{number}"
        self.namespace = name
        self.folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="iso-")
        self.socket = Path(self._sockets.name) / "control.sock"
        self.control = Control(self.socket, seconds=90.0)
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "stateDir": str(folder / "state"),
            "socket": str(self.socket),
            "warm": 1,
            "hostId": self.id,
            "bootTime": f"{BOOTED + 60 * number}s",
            "clusterListen": f"{address(number)}:{PORT}",
            "gossipListen": f"{address(number)}:{GOSSIP}",
            "drain": "10s",
            **settings,
        }
        self.log = folder / "log"

    def begin(self, **changed: Any) -> None:
        """Starts the process, and waits for nothing."""
        self.settings |= changed
        config = self.folder / "isolated.toml"
        config.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in self.settings.items()))
        command = ["ip", "netns", "exec", self.namespace, sys.executable, "-m", "supervisor", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(config), "--log-format", "json"],
                cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9: the power is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """Nothing of it is left."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self._sockets.cleanup()

    # -- what it says ----------------------------------------------------------------------------------------------

    def hosts(self) -> dict[str, Any]:
        """The hosts as this one sees them, by id."""
        return {each["host"]: each for each in self.control.ask("GET", "hosts")}

    def sees(self, others: Sequence[Machine], state: str = "up") -> bool:
        """Whether it sees all of them alive, in that state, and with room."""
        try:
            seen = self.hosts()
        except OSError, http.client.HTTPException, Refusal:
            return False
        found = [seen.get(each.id, {}) for each in others]
        return all((each.get("alive"), each.get("state"), each.get("room")) == ("alive", state, True) for each in found)

    def owners(self) -> dict[str, list[str]]:
        """Which hosts have each task of the cluster."""
        found: dict[str, list[str]] = {}
        for each in self.control.ask("GET", "tasks?everywhere=true"):
            found.setdefault(each["task"], []).append(each["host"])
        return found

    def log_text(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")


class Machines:
    """All hosts; requests come from the bridge's own machine."""

    def __init__(self, hub: str, hosts: list[Machine]) -> None:
        self.hub = hub
        self.hosts = hosts
        self._outside = ThreadPoolExecutor(16, initializer=_enter, initargs=(hub,))

    def __getitem__(self, number: int) -> Machine:
        """By number, from 1."""
        return self.hosts[number - 1]

    def begin(self, **changed: Any) -> Self:
        """Starts all of them; returns when each sees every other."""
        for each in self.hosts:
            each.begin(**changed)
        self.wait_joined(self.hosts)
        return self

    def wait_joined(self, hosts: Sequence[Machine]) -> None:
        """Returns when they see each other, and still do later: of one that came back the old state is seen first."""
        while True:
            self.wait(lambda: all(each.sees(hosts) for each in hosts), "that all hosts see each other")
            time.sleep(SETTLED_S)
            if all(each.sees(hosts) for each in hosts):
                return

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> float:
        """Returns how long it took until `condition` held."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                logs = "\n\n".join(f"{each.id}:\n{each.log_text()[-6000:]}" for each in self.hosts)
                raise AssertionError(f"not within {seconds:g} s: {what}\n{logs}")
            time.sleep(LOOK_S)
        return time.monotonic() - began

    def ask(self, host: int, port: int, path: str = "/") -> str | None:
        """What a task answers on that host; None: nobody does."""
        return self._outside.submit(_ask, address(host), port, path).result()

    def outside[T](self, work: Callable[[], T]) -> T:
        """Does it on a thread of the bridge's machine."""
        return self._outside.submit(work).result()

    def answering(self, port: int) -> list[int]:
        """The hosts on which a task answers."""
        asked = [self._outside.submit(_ask, address(each.number), port, "/") for each in self.hosts]
        return [each.number for each, answer in zip(self.hosts, asked, strict=True) if answer.result() is not None]

    def cable_of(self, host: int) -> str:
        """The bridge's end of a host's cable."""
        return f"to-{host}"

    def cut(self, hosts: Sequence[int]) -> None:
        """These hosts see each other, and nobody else: they are moved to a bridge of their own."""
        run("ip", "-n", self.hub, "link", "add", "other", "type", "bridge")
        run("ip", "-n", self.hub, "link", "set", "other", "up")
        for each in hosts:
            run("ip", "-n", self.hub, "link", "set", self.cable_of(each), "master", "other")

    def heal(self, hosts: Sequence[int]) -> None:
        """One network again."""
        for each in hosts:
            run("ip", "-n", self.hub, "link", "set", self.cable_of(each), "master", BRIDGE)
        run("ip", "-n", self.hub, "link", "del", "other")

    def close(self) -> None:
        """Ends all."""
        self._outside.shutdown(wait=False)
        for each in self.hosts:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.close()


@contextmanager
def machines(count: int, folder: Path, **settings: Any) -> Iterator[Machines]:
    """So many hosts, none of them started."""
    key = folder / "cluster.key"
    key.touch(0o600)
    key.write_text(make_key() + "\n")
    common = {
        "clusterKeyFile": str(key),
        "clusterJoin": [f"{address(each)}:{GOSSIP}" for each in range(1, min(count, 3) + 1)],
        **settings,
    }
    with contextlib.ExitStack() as stack:
        hub = stack.enter_context(namespace())
        run("ip", "-n", hub, "link", "add", BRIDGE, "type", "bridge")
        run("ip", "-n", hub, "addr", "add", f"{address(254)}/24", "dev", BRIDGE)
        run("ip", "-n", hub, "link", "set", BRIDGE, "up")
        hosts = []
        for number in range(1, count + 1):
            name = stack.enter_context(namespace())
            outer = f"to-{number}"
            run("ip", "-n", hub, "link", "add", outer, "type", "veth", "peer", "name", CABLE, "netns", name)
            run("ip", "-n", name, "addr", "add", f"{address(number)}/24", "dev", CABLE)
            run("ip", "-n", name, "link", "set", CABLE, "up")
            run("ip", "-n", hub, "link", "set", outer, "master", BRIDGE, "up")
            hosts.append(Machine(number, name, folder / f"h{number}", common))
        found = Machines(hub, hosts)
        stack.callback(found.close)
        yield found


def answering_task(folder: Path, label: str, port: int, text: str | None = None, **settings: Any) -> dict[str, Any]:
    """Settings of a task that answers `text`, its files in `folder`, which every machine has."""
    folder.mkdir(parents=True, exist_ok=True)
    said = json.dumps(label if text is None else text)
    (folder / f"{label}.mjs").write_text(f"export default {{ fetch: () => new Response({said}) }};")
    return {
        "taskId": label, "mainPath": f"{label}.mjs", "pwd": str(folder), "listen": [f"0.0.0.0:{port}"], **settings,
    }  # fmt: skip


def cli(machine: Machine, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
    """A command against a host."""
    return subprocess.run(
        [sys.executable, "-m", "supervisor", *map(str, arguments)], cwd=ROOT,
        env={**environment(), "ISOLATED_HOST": str(machine.socket)}, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip


def said(machine: Machine, *arguments: Path | str) -> str:
    """What a command says that must succeed."""
    done = cli(machine, *arguments)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}\n{machine.log_text()[-3000:]}"
    return done.stdout


def _enter(name: str) -> None:
    with open(f"/run/netns/{name}") as handle:
        os.setns(handle.fileno(), os.CLONE_NEWNET)


def _ask(host: str, port: int, path: str) -> str | None:
    answer, _ = _try(host, port, path, ASK_S)
    return answer


def _try(host: str, port: int, path: str, within_s: float) -> tuple[str | None, str]:
    """The answer, or None and why there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=within_s)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        text = response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return None, repr(error)
    else:
        return (text, "") if response.status == 200 else (None, f"status {response.status}")
    finally:
        connection.close()


class Retrying:
    """A client for each port, all the while: it asks one host after the other until one answers.

    A request has failed if none did, or if it took longer than `REQUEST_S` with all that was tried.
    """

    def __init__(self, machines: Machines, hosts: Sequence[int], *ports: int) -> None:
        self.answers = dict.fromkeys(ports, 0)
        self.failed: list[str] = []
        self._machines = machines
        self._hosts = hosts
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(port,), daemon=True) for port in ports]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(PATIENCE_S)
        assert all(self.answers.values())

    def _ask(self, port: int) -> None:
        while not self._over.is_set():
            began, tried = time.monotonic(), list[str]()
            for host in self._hosts:
                answer, why = self._machines.outside(partial(_try, address(host), port, "/", ATTEMPT_S))
                if answer is not None:
                    self.answers[port] += 1
                    break
                tried.append(f"h{host} after {time.monotonic() - began:.3f} s: {why}")
            took = time.monotonic() - began
            if len(tried) == len(self._hosts) or took > REQUEST_S:
                self.failed.append(f"port {port} at {began:.3f}, {took:.3f} s: {tried}")
            time.sleep(0.01)
