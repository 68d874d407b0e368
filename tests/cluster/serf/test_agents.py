"""Real agents on the loopback of a namespace: who sees what."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from supervisor.cluster.serf import AgentError, listener, rpc
from supervisor.cluster.serf.rotation import encoded
from supervisor.cluster.serf.tags import LARGEST, size, tags_of
from supervisor.cluster.values import HostState, MemberState
from tests.cluster.serf.agents import DEADLINE_S, KEY, OTHER_KEY, Host, host, met, options, until, why_no_agent
from tests.limits.namespaces import namespace, run_inside, why_not

ROOT = Path(__file__).parents[3]
WHY_NOT = why_no_agent() or why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")

ALIVE, FAILED, LEFT = MemberState.ALIVE, MemberState.FAILED, MemberState.LEFT
type Play = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.fixture(scope="module")
def machine() -> Iterator[str]:
    with namespace() as name:
        yield name


@pytest.fixture
def play(machine: str) -> Play:
    """Runs a coroutine in the namespace."""
    return lambda work: run_inside(machine, work)


async def begin(stack: AsyncExitStack, folder: Path, *numbers: int) -> list[Host]:
    """Hosts that have met; all look for the first."""
    first = numbers[0]
    found = [await stack.enter_async_context(host(options(folder, each, first))) for each in numbers]
    await met(*found)
    return found


def test_hosts_meet_and_know_each_other_as_serf_does(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            hosts = await begin(stack, tmp_path, 1, 2, 3)
            await until(lambda: all(each.membership.is_current for each in hosts))
            # Who looked for another before that one's agent was there looks again.
            await until(lambda: all(each.membership.problem is None for each in hosts), lambda: hosts[0].lines)
            for each in hosts:
                assert [member.id for member in each.membership.members] == ["h1", "h2", "h3"]
            assert hosts[0].of("h2") is not None
            assert hosts[0].of("h2").api == "10.0.0.2:7000"  # type: ignore[union-attr]
            lines = [line.split() for line in hosts[2].serf("members").splitlines()]
            assert sorted((line[0], line[1], line[2]) for line in lines) == [
                (f"h{number}", f"127.0.0.{number}:7946", "alive") for number in (1, 2, 3)
            ]
            assert "state=up" in hosts[2].serf("members")

    play(work)


def test_a_change_of_tags_is_seen_and_many_are_one(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            since = two.of("h1").since  # type: ignore[union-attr]
            for number in range(20):
                one.membership.tell(HostState.UP, room=number % 2 == 0)
            one.membership.tell(HostState.DRAINING, room=False)
            assert one.membership.own.state is HostState.DRAINING
            await until(lambda: two.of("h1").state is HostState.DRAINING)  # type: ignore[union-attr]
            assert two.of("h1").room is False  # type: ignore[union-attr]
            assert two.of("h1").since == since  # type: ignore[union-attr]
            assert len(two.story("h1")) <= 3

    play(work)


def test_an_agent_that_is_killed_comes_back_and_nobody_notices(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            for kill_switch in (False, True):
                before = one.membership.agent_pid
                assert before is not None
                os.kill(before if kill_switch else one.agent, signal.SIGKILL)
                await another_agent(one, before)
                await until(lambda: one.membership.is_current)
            await until(lambda: one.membership.problem is None, lambda: one.lines)
            assert any("SIGKILL" in event for _, event in one.lines)
            await asyncio.sleep(2)
            assert FAILED not in two.story("h1")
            assert FAILED not in one.story("h2")
            assert one.state("h2") is ALIVE

    play(work)


def test_a_host_that_dies_or_stands_still_takes_its_agent_along(play: Play, machine: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            hosts = await begin(stack, tmp_path, 1, 2, 3)
            killed, stopped = started(machine, tmp_path, 4), started(machine, tmp_path, 5)
            stack.callback(end, killed)
            stack.callback(end, stopped)
            killed_ids, stopped_ids = await pids(killed), await pids(stopped)
            await until(lambda: all(each.state(name) is ALIVE for each in hosts for name in ("h4", "h5")))
            killed.kill()
            stopped.send_signal(signal.SIGSTOP)
            await until(lambda: all(map(is_gone, killed_ids + stopped_ids)), lambda: (killed_ids, stopped_ids))
            await until(lambda: all(FAILED in each.story(name) for each in hosts for name in ("h4", "h5")))
            stopped.send_signal(signal.SIGCONT)
            await until(lambda: all(each.state("h5") is ALIVE for each in hosts), lambda: hosts[0].bursts)
            assert hosts[0].state("h4") is FAILED
            assert all(FAILED not in each.story(name) for each in hosts for name in ("h1", "h2", "h3"))

    play(work)


@pytest.mark.slow
def test_an_agent_that_hangs_is_failed_and_replaced(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two, three = await begin(stack, tmp_path, 1, 2, 3)
            before = two.membership.agent_pid
            os.kill(two.agent, signal.SIGSTOP)
            await until(lambda: FAILED in one.story("h2"), lambda: one.bursts)
            await another_agent(two, before)
            await until(lambda: one.state("h2") is three.state("h2") is ALIVE, lambda: one.bursts)

    play(work)


def test_who_leaves_has_left_and_may_come_again(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            async with host(options(tmp_path, 3, 1)) as three:
                await met(one, two, three)
                await three.membership.leave()
                await until(lambda: {one.state("h3"), two.state("h3")} == {LEFT}, lambda: one.bursts)
            assert FAILED not in one.story("h3")
            async with host(options(tmp_path, 3, 1)) as three:
                await met(one, two, three)

    play(work)


def test_a_successor_takes_over_while_nobody_notices(play: Play, tmp_path: Path) -> None:
    """It begins while its predecessor still has the agent, which goes without a goodbye."""

    async def work() -> None:
        async with AsyncExitStack() as stack:
            (one,) = await begin(stack, tmp_path, 1)
            predecessor = AsyncExitStack()
            two = await predecessor.enter_async_context(host(options(tmp_path, 2, 1)))
            await met(one, two)
            await until(lambda: "alive: h1" in two.options.snapshot.read_text())  # written twice a second
            begun = len(one.bursts)
            successor = await stack.enter_async_context(host(options(tmp_path, 2)))  # finds them by the snapshot alone
            await asyncio.sleep(0.5)
            assert successor.membership.agent_pid is None
            await predecessor.aclose()
            await met(one, successor)
            await asyncio.sleep(2)
            assert {state for burst in one.bursts[begun:] for state in [m.alive for m in burst.changed]} <= {ALIVE}

    play(work)


def test_who_failed_is_known_to_the_next_process_until_it_is_forgotten(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its agent does not: an agent that was started anew has never heard of who is dead."""
    monkeypatch.setattr(listener, "SETTLE_S", 600.0)  # so long it is not current, however busy the machine is

    async def work() -> None:
        async with AsyncExitStack() as stack:
            await begin(stack, tmp_path, 1, 2)
        async with host(options(tmp_path, 2, 1)) as two:
            assert two.state("h1") is FAILED
            await until(lambda: two.membership.agent_pid)
            await until(lambda: two.bursts)
            assert two.state("h1") is FAILED
            assert two.membership.is_current is False
            assert "h1" not in two.serf("members")
            await two.membership.forget("h1")
            await until(lambda: two.state("h1") is None)
            await until(lambda: any(burst.forgotten == ("h1",) for burst in two.bursts))

    play(work)


def test_all_hosts_forget_who_failed_or_left_until_it_comes_back(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            async with host(options(tmp_path, 3, 1)) as failing, host(options(tmp_path, 4, 1)) as leaving:
                await met(one, two, failing, leaving)
                await leaving.membership.leave()
            await until(lambda: (one.state("h3"), one.state("h4")) == (FAILED, LEFT), lambda: one.membership.members)
            for name in ("h3", "h4"):
                await two.membership.forget(name)
            await until(lambda: all(h.state(n) is None for h in (one, two) for n in ("h3", "h4")), lambda: one.lines)
            for each in (one, two):
                each.membership._listener.look()  # their agents list both still
            await asyncio.sleep(1)
            assert all(h.state(n) is None for h in (one, two) for n in ("h3", "h4"))
            back = await stack.enter_async_context(host(options(tmp_path, 3, 1)))
            await met(one, two, back)

    play(work)


def test_a_host_that_does_not_know_it_any_more_has_the_others_forget_one(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            async with host(options(tmp_path, 3, 1)) as failing:
                await met(one, two, failing)
            await until(lambda: one.state("h3") is two.state("h3") is FAILED, lambda: one.membership.members)
            boot_time = next(each.boot_time for each in two.membership.members if each.id == "h3")
            two.membership._view.end("h3", boot_time, 0.0)  # it heard of it while the other one was away
            assert two.state("h3") is None
            await two.membership.forget("h3")
            await until(lambda: one.state("h3") is None, lambda: one.lines)

    play(work)


def test_another_key_is_refused_and_said(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "SETTLE_S", 600.0)

    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            stranger = await stack.enter_async_context(host(options(tmp_path, 3, 1, keys=(OTHER_KEY,))))
            told = "127.0.0.1:7946 has another cluster key"  # a busy agent may be late with its answer at first
            await until(lambda: told in (stranger.membership.problem or ""), lambda: stranger.lines)
            assert "clusterKeyFile" in stranger.membership.problem  # type: ignore[operator]
            await asyncio.sleep(1)
            assert one.of("h3") is two.of("h3") is stranger.of("h1") is None
            assert stranger.membership.is_current is False

    play(work)


def test_keys_are_changed_under_a_running_cluster(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            one.membership.use_keys((OTHER_KEY, KEY))
            await until(lambda: keyring(two) == [OTHER_KEY, KEY], lambda: (one.lines, keyring(two)))
            three = await stack.enter_async_context(host(options(tmp_path, 3, 1, keys=(OTHER_KEY,))))
            await met(one, two, three)
            two.membership.use_keys((OTHER_KEY, KEY))  # its own file was changed, too: nothing is left to do
            one.membership.use_keys((OTHER_KEY,))
            await until(lambda: keyring(one) == keyring(two) == [OTHER_KEY], lambda: one.lines)
            before = two.membership.agent_pid
            os.kill(two.agent, signal.SIGKILL)  # comes back with what the cluster gave it, not with what it began with
            await another_agent(two, before)
            async with asyncio.timeout(DEADLINE_S):
                while (await installed(two)).get(encoded(OTHER_KEY)) != 3:
                    await asyncio.sleep(0.05)
            await until(lambda: one.membership.problem is None, lambda: one.lines)

    play(work)


def test_an_agent_that_died_while_it_wrote_its_keys_comes_back(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, two = await begin(stack, tmp_path, 1, 2)
            for torn in ("", '["a2tra2tra2tra2tra2tr'):
                before = two.membership.agent_pid
                two.options.keyring.write_text(torn)
                os.kill(two.agent, signal.SIGKILL)
                await another_agent(two, before)
                await until(lambda: keyring(two) == [KEY], lambda: two.lines)
                await met(one, two)
            await until(lambda: two.membership.problem is None, lambda: two.lines)

    play(work)


def test_secrets_are_in_files_of_our_own_alone(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            (one,) = await begin(stack, tmp_path, 1)
            folder = one.options.folder
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            secret = [one.options.config, one.options.keyring, one.options.rpc]
            assert {stat.S_IMODE(file.stat().st_mode) for file in secret} == {0o600}
            token = json.loads(one.options.config.read_text())["rpc_auth"]
            for pid in (one.agent, one.membership.agent_pid):
                for name in ("cmdline", "environ"):
                    shown = Path(f"/proc/{pid}/{name}").read_bytes()
                    assert encoded(KEY).encode() not in shown
                    assert token.encode() not in shown
            said = one.serf("members") + "".join(event for _, event in one.lines)
            assert encoded(KEY) not in said
            assert token not in said
        assert not one.options.rpc.exists()

    play(work)


def test_an_address_in_use_is_said_and_tried_again(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            (one,) = await begin(stack, tmp_path, 1)
            clash = options(tmp_path / "other", 1)
            two = await stack.enter_async_context(host(clash))
            await until(lambda: two.membership.problem, lambda: two.lines)
            assert "port 7946 of the cluster address is in use" in two.membership.problem  # type: ignore[operator]
            assert two.membership.is_current is False
            await one.membership.__aexit__()
            await until(lambda: two.membership.agent_pid is not None, lambda: two.lines)
            await until(lambda: two.membership.problem is None, lambda: two.lines)
            one.membership._running = asyncio.create_task(asyncio.sleep(0))

    play(work)


@pytest.mark.slow
def test_a_second_host_of_the_same_name_gives_way_and_says_why(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            one, _, three = await begin(stack, tmp_path, 1, 2, 3)
            twin = replace(options(tmp_path, 4, 1), folder=tmp_path / "twin" / "h2")
            double = await stack.enter_async_context(host(twin, api="10.0.0.4:7000"))
            await until(lambda: "has this host's id" in (double.membership.problem or ""), lambda: double.lines)
            assert {
                each.api for other in (one, three) for b in other.bursts for each in b.changed if each.id == "h2"
            } == {"10.0.0.2:7000"}

    play(work)


def test_the_longest_tags_are_carried_whole(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with AsyncExitStack() as stack:
            (one,) = await begin(stack, tmp_path, 1)
            image = "i" * 447
            two = await stack.enter_async_context(host(options(tmp_path, 2, 1), image=image))
            two.membership.tell(HostState.STARTING, room=False)
            assert size(tags_of(two.membership.own)) == LARGEST
            await met(one, two)
            await until(lambda: one.of("h2").state is HostState.STARTING)  # type: ignore[union-attr]
            assert one.of("h2").image == image  # type: ignore[union-attr]

    play(work)


def test_one_host_by_itself_is_current_and_says_goodbye_at_once(play: Play, tmp_path: Path) -> None:
    async def work() -> None:
        async with host(options(tmp_path, 1)) as one:
            await until(lambda: one.membership.is_current)
            await one.membership.leave()
            assert not any("without a goodbye" in event for _, event in one.lines)

    play(work)


async def installed(of: Host) -> dict[str, int]:
    """On how many hosts each key is; nothing while its agent has not found all of them."""
    life = of.membership._life
    if life is None:
        return {}
    try:
        async with await life.connect() as connection:
            return await rpc.keys(connection)
    except AgentError:
        return {}


async def another_agent(of: Host, before: int | None) -> None:
    """Waits until it has one with another switch."""
    await until(lambda: of.membership.agent_pid not in (None, before), lambda: of.lines)


def started(machine: str, folder: Path, number: int) -> subprocess.Popen[str]:
    """A host in a process of its own."""
    module = ["-m", "tests.cluster.serf.mini_host", str(folder), str(number), "1"]
    command = ["ip", "netns", "exec", machine, sys.executable, *module]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


async def pids(process: subprocess.Popen[str]) -> list[int]:
    """Of its switch and its agent."""
    assert process.stdout is not None
    return list(map(int, (await asyncio.to_thread(process.stdout.readline)).split()))


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def is_gone(pid: int) -> bool:
    """Whether nothing but its entry in a parent's table is left."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError, ProcessLookupError:
        return True


def keyring(of: Host) -> list[bytes]:
    """The keys that its agent has, the one in use first."""
    known = {encoded(key): key for key in (KEY, OTHER_KEY)}
    try:
        return [known[each] for each in json.loads(of.options.keyring.read_text())]
    except ValueError:
        return []  # it is being written
