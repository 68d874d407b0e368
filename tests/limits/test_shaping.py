"""Classes in the kernel: made, changed, and gone when nobody needs them. In network namespaces of the tests' own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator

import pytest

from supervisor.limits.shaping import EgressUsage, Held, Shaper, ShapingOptions
from supervisor.spec.listen import ListenAddress, parse_listen
from tests.limits.namespaces import CABLE, HOST, MAJOR, Cable, cable, classes, namespace, root, run, run_inside, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

ANY = [parse_listen("0.0.0.0:3000")]
LOCAL = [parse_listen("127.0.0.1:3000")]
THERE = [parse_listen(f"{HOST}:3000")]

KILLED = """
import asyncio, os, signal, sys
from supervisor.limits.shaping import Shaper
from supervisor.spec.listen import parse_listen
async def main():
    async with Shaper() as shaper:
        for number in range(int(sys.argv[1])):
            await shaper.hold(f"t{number}", 1_000_000, [parse_listen("127.0.0.1:1")])
        print("holds", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.limits.shaping.shaper.SWEEP_EVERY_S", 0.1)


@pytest.fixture
def machine() -> Iterator[str]:
    with namespace() as name:
        yield name


@pytest.fixture
def wired() -> Iterator[Cable]:
    with cable() as made:
        yield made


def shaped[T](name: str, work: Callable[[Shaper], Awaitable[T]], options: ShapingOptions | None = None) -> T:
    """Does it with a shaper in a namespace."""

    async def go() -> T:
        async with Shaper(options) as shaper:
            return await work(shaper)

    return run_inside(name, go)


async def until(condition: Callable[[], bool]) -> None:
    """Waits, not for ever."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


def pair(priority: int) -> tuple[socket.socket, socket.socket]:
    """A client and the socket that answers it with a priority."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        accepted, _ = listening.accept()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, priority)
    return client, accepted


def test_a_limit_is_a_class_on_the_interface_of_the_address(wired: Cable) -> None:
    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 8_000_000, THERE)
        assert held.interfaces == (CABLE,)
        assert held.enforcement.how == f"HTB class {MAJOR}:{held.priority & 0xFFFF:x} on {CABLE}"
        assert classes(wired.host, CABLE) == [f"{MAJOR}:{held.priority & 0xFFFF:x}"]
        assert held.priority >> 16 == 0x15A1
        assert "rate 8Mbit" in run("tc", "-n", wired.host, "class", "show", "dev", CABLE)
        assert root(wired.host, "lo") == "noqueue 0:"
        await shaper.change("task", 64_000)
        assert "rate 64Kbit" in run("tc", "-n", wired.host, "class", "show", "dev", CABLE)
        await shaper.change("task", 40_000_000_000)
        assert "rate 40Gbit" in run("tc", "-n", wired.host, "class", "show", "dev", CABLE)

    shaped(wired.host, work)
    assert root(wired.host, CABLE) == "noqueue 0:"


def test_an_address_for_all_is_held_on_all_interfaces(wired: Cable) -> None:
    async def work(shaper: Shaper) -> tuple[str, ...]:
        return (await shaper.hold("task", 8_000_000, ANY)).interfaces

    assert shaped(wired.host, work) == (CABLE, "lo")


def test_the_same_label_again_keeps_its_priority_and_others_have_theirs(machine: str) -> None:
    async def work(shaper: Shaper) -> None:
        first = await shaper.hold("a", 8_000_000, LOCAL)
        other = await shaper.hold("b", 8_000_000, LOCAL)
        again = await shaper.hold("a", 16_000_000, LOCAL)
        assert first.priority == again.priority != other.priority
        assert len(classes(machine, "lo")) == 2
        assert "rate 16Mbit" in run("tc", "-n", machine, "class", "show", "dev", "lo")

    shaped(machine, work)


def test_a_freed_class_stays_until_its_last_socket_is_closed(machine: str) -> None:
    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 8_000_000, LOCAL)
        await shaper.hold("other", 8_000_000, LOCAL)
        client, accepted = pair(held.priority)
        await shaper.free("task")
        await asyncio.sleep(0.3)
        assert len(classes(machine, "lo")) == 2
        assert set(await shaper.usage()) == {"other"}
        client.close()
        accepted.close()
        await until(lambda: len(classes(machine, "lo")) == 1)
        assert root(machine, "lo") == f"htb {MAJOR}:"
        await shaper.free("other")
        await until(lambda: root(machine, "lo") == "noqueue 0:")

    shaped(machine, work)


def test_a_socket_that_is_closed_and_still_has_to_send_keeps_its_class(machine: str) -> None:
    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 8_000_000, LOCAL)
        client, accepted = pair(held.priority)
        accepted.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                accepted.send(bytes(65_536))
        accepted.close()
        await shaper.free("task")
        await asyncio.sleep(0.3)
        assert len(classes(machine, "lo")) == 1
        client.close()  # with unread bytes: it is reset
        await until(lambda: root(machine, "lo") == "noqueue 0:")

    shaped(machine, work)


def test_held_again_before_the_class_is_gone_it_is_the_same_class(machine: str) -> None:
    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 8_000_000, LOCAL)
        client, accepted = pair(held.priority)
        await shaper.free("task")
        again = await shaper.hold("task", 1_000_000, LOCAL)
        assert again.priority == held.priority
        client.close()
        accepted.close()
        await asyncio.sleep(0.3)
        assert len(classes(machine, "lo")) == 1

    shaped(machine, work)


def test_usage_is_what_the_kernel_counts(machine: str) -> None:
    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 800_000_000, LOCAL)
        assert await shaper.usage() == {"task": EgressUsage()}
        client, accepted = pair(held.priority)
        with client, accepted:
            accepted.sendall(bytes(100_000))
            await until(lambda: len(client.recv(100_000, socket.MSG_PEEK)) == 100_000)
            sent = (await shaper.usage())["task"]
            assert 100_000 <= sent.bytes < 120_000
            assert sent.packets >= 1

    shaped(machine, work)


def test_what_somebody_else_set_is_left_alone(machine: str) -> None:
    run("tc", "-n", machine, "qdisc", "add", "dev", "lo", "root", "handle", "1:", "htb")

    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 8_000_000, LOCAL)
        assert held.interfaces == ()
        assert held.enforcement.how is None
        assert "lo has a root qdisc that somebody else set (htb 1:)" in held.enforcement.problem
        assert "`takeQdiscs`" in held.enforcement.remedy
        await shaper.free("task")

    shaped(machine, work)
    assert root(machine, "lo") == "htb 1:"


def test_even_if_it_has_our_number(machine: str) -> None:
    run("tc", "-n", machine, "qdisc", "add", "dev", "lo", "root", "handle", f"{MAJOR}:", "htb")

    async def work(shaper: Shaper) -> None:
        assert (await shaper.hold("task", 8_000_000, LOCAL)).enforcement.how is None

    shaped(machine, work)
    assert root(machine, "lo") == f"htb {MAJOR}:"


def test_it_is_taken_if_that_is_wanted(machine: str) -> None:
    run("tc", "-n", machine, "qdisc", "add", "dev", "lo", "root", "handle", "1:", "htb")

    async def work(shaper: Shaper) -> None:
        assert (await shaper.hold("task", 8_000_000, LOCAL)).enforcement.how
        assert root(machine, "lo") == f"htb {MAJOR}:"

    shaped(machine, work, ShapingOptions(take_qdiscs=True))
    assert root(machine, "lo") == "noqueue 0:"


def test_only_the_interfaces_that_are_named(wired: Cable) -> None:
    async def work(shaper: Shaper) -> tuple[str, ...]:
        return (await shaper.hold("task", 8_000_000, ANY)).interfaces

    assert shaped(wired.host, work, ShapingOptions(interfaces=(CABLE,))) == (CABLE,)


@pytest.mark.parametrize(
    ("options", "words"),
    [(ShapingOptions(interfaces=()), "names none"), (ShapingOptions(interfaces=("no0",)), "no0, not of this machine")],
)
def test_names_that_do_not_do(machine: str, options: ShapingOptions, words: str) -> None:
    async def work(shaper: Shaper) -> None:
        (enforcement,) = shaper.enforcements()
        assert enforcement.how is None
        assert words in enforcement.problem
        assert enforcement.remedy
        held = await shaper.hold("task", 8_000_000, LOCAL)
        assert held.priority == 0
        assert held.enforcement == enforcement
        await shaper.change("task", 1_000_000)
        await shaper.free("task")
        assert await shaper.usage() == {}

    shaped(machine, work, options)


def test_a_unix_socket_passes_no_interface(machine: str) -> None:
    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 8_000_000, [ListenAddress("unix", path="/run/task.sock")])
        assert held.enforcement.how is None
        assert "Unix socket" in held.enforcement.problem

    shaped(machine, work)


def test_an_interface_that_comes_back_is_held_again(wired: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.limits.shaping.shaper.LOOK_EVERY_S", 0.2)

    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("task", 8_000_000, ANY)
        run("tc", "-n", wired.host, "qdisc", "del", "dev", CABLE, "root")
        await until(lambda: classes(wired.host, CABLE) == [f"{MAJOR}:{held.priority & 0xFFFF:x}"])
        run("ip", "-n", wired.host, "link", "del", CABLE)
        await asyncio.sleep(0.5)
        assert set(await shaper.usage()) == {"task"}
        assert classes(wired.host, "lo")

    shaped(wired.host, work)


def test_that_a_limit_stops_holding_is_told_and_that_it_holds_again(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.limits.shaping.shaper.LOOK_EVERY_S", 0.2)

    async def work(shaper: Shaper) -> None:
        told: list[Held] = []
        shaper.on_change = lambda label, held: told.append(held) if label == "task" else None
        first = await shaper.hold("task", 8_000_000, LOCAL)
        run("tc", "-n", machine, "qdisc", "replace", "dev", "lo", "root", "pfifo")
        await until(lambda: bool(told) and told[-1].enforcement.how is None)
        assert told[-1].priority == first.priority
        assert told[-1].interfaces == ()
        assert "lo has a root qdisc that somebody else set (pfifo" in told[-1].enforcement.problem
        run("tc", "-n", machine, "qdisc", "del", "dev", "lo", "root")
        await until(lambda: told[-1] == first)
        assert classes(machine, "lo") == [f"{MAJOR}:{first.priority & 0xFFFF:x}"]

    shaped(machine, work)


def test_an_address_that_answers_by_no_interface_that_is_named_is_not_held(wired: Cable) -> None:
    async def work(shaper: Shaper) -> None:
        assert (await shaper.hold("there", 8_000_000, THERE)).enforcement.how
        for listen in (LOCAL, THERE + LOCAL):
            held = (await shaper.hold("task", 8_000_000, listen)).enforcement
            assert held.how is None
            assert held.problem == "what is sent from 127.0.0.1 passes lo, which `shapeInterfaces` does not name"
            assert held.remedy == "name lo there as well, or leave `shapeInterfaces` out"
        assert (await shaper.hold("task", 8_000_000, ANY)).enforcement.how
        run("ip", "-n", wired.host, "link", "del", CABLE)
        assert (await shaper.hold("other", 8_000_000, ANY)).enforcement.how is None
        held = (await shaper.hold("other", 8_000_000, ANY)).enforcement
        assert held.problem == f"`shapeInterfaces` names {CABLE}, not of this machine"

    shaped(wired.host, work, ShapingOptions(interfaces=(CABLE,)))


def start_and_kill(machine: str, count: int) -> None:
    command = ["ip", "netns", "exec", machine, sys.executable, "-c", KILLED, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        process.send_signal(signal.SIGKILL)


def test_a_killed_process_leaves_nothing_once_it_is_started_again(machine: str) -> None:
    start_and_kill(machine, 3)
    assert len(classes(machine, "lo")) == 3

    async def work(shaper: Shaper) -> None:
        held = await shaper.hold("mine", 8_000_000, LOCAL)
        await until(lambda: classes(machine, "lo") == [f"{MAJOR}:{held.priority & 0xFFFF:x}"])

    shaped(machine, work)
    assert root(machine, "lo") == "noqueue 0:"


def test_a_killed_process_leaves_nothing_where_nobody_is_limited_any_more(machine: str) -> None:
    start_and_kill(machine, 2)

    async def work(shaper: Shaper) -> None:
        await until(lambda: root(machine, "lo") == "noqueue 0:")

    shaped(machine, work)


def test_what_a_killed_process_left_stays_while_a_socket_has_its_number(machine: str) -> None:
    start_and_kill(machine, 1)
    (left,) = classes(machine, "lo")
    minor = int(left.partition(":")[2], 16)

    async def go() -> None:
        client, accepted = pair(0x15A1 << 16 | minor)
        with client, accepted:
            async with Shaper() as shaper:
                await shaper.hold("mine", 8_000_000, LOCAL)
                await asyncio.sleep(0.3)
                assert left in classes(machine, "lo")
                assert len(classes(machine, "lo")) == 2
                client.close()
                accepted.close()
                await until(lambda: left not in classes(machine, "lo"))

    run_inside(machine, go)


def test_two_at_once_do_not_get_in_each_others_way(machine: str) -> None:
    """As a process and its successor."""

    async def work(old: Shaper) -> None:
        before = [await old.hold(f"t{number}", 1_000_000, LOCAL) for number in range(20)]
        async with Shaper() as new:
            after = [await new.hold(f"t{number}", 1_000_000, LOCAL) for number in range(20)]
            assert len({held.priority for held in before + after}) == 40
            await asyncio.sleep(0.3)
            assert len(classes(machine, "lo")) == 40
        await until(lambda: len(classes(machine, "lo")) == 20)
        await asyncio.sleep(0.3)
        assert len(classes(machine, "lo")) == 20
        assert root(machine, "lo") == f"htb {MAJOR}:"

    shaped(machine, work)
    assert root(machine, "lo") == "noqueue 0:"


def test_the_predecessor_goes_and_the_successor_stays(machine: str) -> None:
    async def go() -> None:
        old, new = Shaper(), Shaper()
        await old.__aenter__()
        await old.hold("task", 1_000_000, LOCAL)
        await new.__aenter__()
        held = await new.hold("task", 1_000_000, LOCAL)
        await old.__aexit__()
        assert classes(machine, "lo") == [f"{MAJOR}:{held.priority & 0xFFFF:x}"]
        await new.__aexit__()

    run_inside(machine, go)
    assert root(machine, "lo") == "noqueue 0:"


def test_a_thousand_classes(machine: str) -> None:
    async def work(shaper: Shaper) -> None:
        held = [await shaper.hold(f"t{number}", 1_000_000, LOCAL) for number in range(1_000)]
        assert len({each.priority for each in held}) == 1_000
        assert all(each.priority & 0xF == 0 for each in held)
        assert len(classes(machine, "lo")) == 1_000
        assert len(await shaper.usage()) == 1_000

    shaped(machine, work)
    assert root(machine, "lo") == "noqueue 0:"


def test_a_kernel_without_htb_is_told() -> None:
    async def go() -> None:
        async with Shaper(probe=lambda _: errno.ENOENT) as shaper:
            (enforcement,) = shaper.enforcements()
            assert "HTB" in enforcement.problem
            assert "modprobe" in enforcement.remedy
            assert (await shaper.hold("task", 8_000, LOCAL)).priority == 0

    with namespace() as name:
        run_inside(name, go)


def test_without_the_right_nothing_fails_and_the_remedy_is_told(machine: str) -> None:
    program = """
import asyncio
from supervisor.limits.capabilities import drop_capabilities
from supervisor.limits.shaping import Shaper
from supervisor.spec.listen import parse_listen
drop_capabilities(())
async def main():
    async with Shaper() as shaper:
        (enforcement,) = shaper.enforcements()
        held = await shaper.hold("task", 8_000_000, [parse_listen("127.0.0.1:1")])
        assert held.priority == 0 and held.enforcement == enforcement and enforcement.how is None
        print(enforcement.problem, enforcement.remedy)
asyncio.run(main())
"""
    out = run("ip", "netns", "exec", machine, sys.executable, "-c", program)
    assert "CAP_NET_ADMIN" in out
    assert root(machine, "lo") == "noqueue 0:"
