"""limits.net.egress of a real daemon, in a network namespace of the test's own."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functional.running import PATIENCE_S, handler, write_task
from tests.functional.serving import Serving
from tests.limits.namespaces import classes, inside, namespace, root, run, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

COUNT = handler("return new Response(String(globalThis.n = (globalThis.n ?? 0) + 1));")
WIDER = {"net": {"egress": "16mbit"}}


@pytest.fixture
def machine() -> Iterator[str]:
    with namespace() as name:
        yield name


@pytest.fixture
def apply(tmp_path: Path) -> Callable[..., object]:
    """Applies the task 'shop' with a limit."""

    def do(host: Serving, egress: str | None, name: str = "shop") -> object:
        limits = {"net": {"egress": egress}}
        return host.json("apply", write_task(tmp_path / name, COUNT, name=name, limits=limits), "--no-bundle")

    return do


def rate(machine: str) -> str:
    """Of the one class that there is."""
    words = run("tc", "-n", machine, "class", "show", "dev", "lo").split()
    return words[words.index("rate") + 1]


def test_a_limit_is_set_changed_while_the_isolate_runs_and_gone_with_the_task(
    machine: str, tmp_path: Path, apply: Callable[..., object]
) -> None:
    def go() -> None:
        with Serving(tmp_path / "host") as host:
            apply(host, "8mbit")
            assert rate(machine) == "8Mbit"
            assert host.get("shop").text == "1"
            assert set(host.task("shop")["egress"]) == {"bytes", "drops", "waits"}
            apply(host, "16mbit")
            assert rate(machine) == "16Mbit"
            assert host.get("shop").text == "2", "the isolate was not replaced"
            apply(host, None)
            assert host.get("shop").text == "3"
            assert host.task("shop")["egress"] is None
            host.wait(lambda: root(machine, "lo") == "noqueue 0:", "the interface is as it was")
            apply(host, "1mbit")
            assert rate(machine) == "1Mbit"
            host.said("rm", "shop", "--yes")
            host.wait(lambda: not classes(machine, "lo"), "the class is gone")
        assert root(machine, "lo") == "noqueue 0:"

    inside(machine, go)


def test_after_a_crash_and_after_a_hand_over_there_are_the_classes_of_living_tasks_and_no_others(
    machine: str, tmp_path: Path, apply: Callable[..., object]
) -> None:
    def go() -> None:
        with Serving(tmp_path / "host") as host:
            apply(host, "8mbit")
            apply(host, "8mbit", "other")
            before = set(classes(machine, "lo"))
            assert len(before) == 2
            host.kill()
            assert set(classes(machine, "lo")) == before, "nobody could take them away"
            host.begin()
            host.wait(lambda: len(there := set(classes(machine, "lo"))) == 2 and not before & there, "the old are gone")
            host.said("upgrade")
            assert host.get("shop").text == "1"
            host.wait(lambda: len(classes(machine, "lo")) == 2, "those of the predecessor are gone")
            assert host.get("shop").text == "2"
        assert root(machine, "lo") == "noqueue 0:"

    inside(machine, go)


def test_a_change_that_cannot_be_held_is_refused_and_the_task_goes_on_after_a_hand_over_too(
    machine: str, tmp_path: Path
) -> None:
    def settings(egress: str | None) -> Path:
        limits = {"net": {"egress": egress}}
        return write_task(tmp_path / "shop", COUNT, name="shop", listen=[f"unix:{sock}"], limits=limits)

    def answers() -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_S)
            client.connect(str(sock))
            client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            return client.recv(100).startswith(b"HTTP/1.1 200 ")

    def go() -> None:
        with Serving(tmp_path / "host") as host:
            host.said("apply", settings(None), "--no-bundle")
            refused = host.cli("apply", settings("8mbit"), "--no-bundle")
            assert refused.returncode == 2
            assert "limits.net.egress" in refused.stderr
            assert "Unix socket" in refused.stderr
            task = host.task("shop")
            assert (task["revision"], task["egress"], task["warnings"]) == (1, None, [])
            host.said("upgrade")
            assert host.task("shop")["listen"] == [f"unix:{sock}"]
            assert answers()

    with tempfile.TemporaryDirectory(prefix="iso-") as folder:
        sock = Path(folder) / "shop.sock"
        inside(machine, go)


def test_a_task_whose_limit_does_not_hold_any_more_comes_back_and_is_marked(
    machine: str, tmp_path: Path, apply: Callable[..., object]
) -> None:
    def is_marked(host: Serving) -> bool:
        (warning,) = host.task("shop")["warnings"]
        return "limits.net.egress" in warning and "somebody else set" in warning

    def go() -> None:
        with Serving(tmp_path / "host") as host:
            apply(host, "8mbit")
            run("tc", "-n", machine, "qdisc", "replace", "dev", "lo", "root", "pfifo")
            refused = host.cli("apply", write_task(tmp_path / "shop", COUNT, name="shop", limits=WIDER), "--no-bundle")
            assert refused.returncode == 2
            assert "limits.net.egress: this host cannot hold it: lo " in refused.stderr
            assert host.task("shop")["revision"] == 1
            assert is_marked(host)
            host.said("upgrade")
            assert host.get("shop").text == "1"
            assert is_marked(host)
            assert host.stop() == 0
            host.begin()
            assert host.get("shop").text == "1"
            assert is_marked(host)
            assert "its address is not free" not in host.log.text

    inside(machine, go)
