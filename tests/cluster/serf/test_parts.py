"""The parts that follow an agent, with one that answers as a test likes."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from supervisor.cluster.alone import Alone
from supervisor.cluster.membership import Membership
from supervisor.cluster.serf import files, joiner, listener, publisher, rotator
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.joiner import Joiner
from supervisor.cluster.serf.life import Life
from supervisor.cluster.serf.listener import Listener
from supervisor.cluster.serf.memory import Memory
from supervisor.cluster.serf.options import SerfOptions
from supervisor.cluster.serf.process import AgentProcess
from supervisor.cluster.serf.program import find_serf
from supervisor.cluster.serf.publisher import Publisher
from supervisor.cluster.serf.reports import Reports
from supervisor.cluster.serf.retry import Retry
from supervisor.cluster.serf.rotator import Rotator
from supervisor.cluster.serf.tags import tags_of
from supervisor.cluster.serf.view import View
from supervisor.cluster.values import HostState, Member, MemberState
from tests.cluster.serf.agents import KEY, OTHER_KEY, until
from tests.cluster.serf.samples import member, seen
from tests.fakes.agent import FakeAgent, fake_agent


class Running:
    """In the place of an agent's process."""

    is_over = False
    last_words = ""


def life_of(agent: FakeAgent) -> Life:
    return Life(cast(AgentProcess, Running()), agent.rpc)


class Log:
    """Reports, and what they told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.reports = Reports(self._tell)

    def _tell(self, level: str, event: str, details: Mapping[str, Any]) -> None:
        self.lines.append(f"{level}: {event}")


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def listed(*members: Member) -> dict[str, Any]:
    return {
        "Members": [
            {"Name": each.id, "Status": each.alive.value, "Addr": b"", "Port": 1, "Tags": tags_of(each)}
            for each in members
        ]
    }


async def test_a_lost_connection_is_made_again_and_everybody_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "LOOK_S", 600.0)  # nothing else is asked
    view, log, changed = View(member("own")), Log(), asyncio.Event()
    heard = Listener(view, log.reports, asyncio.get_running_loop().time, changed.set)
    async with fake_agent() as agent, running(heard.run(life_of(agent), expects_others=True)):
        for alive in (MemberState.ALIVE, MemberState.FAILED):
            asked = await agent.asked.get()
            assert asked.command == "stream"
            asked.answer()
            asked = await agent.asked.get()
            assert asked.command == "members"
            asked.answer(listed(member("own"), member("a", alive=alive)))
            await changed.wait()
            changed.clear()
            assert (view.members[0].id, view.members[0].alive) == ("a", alive)
            while not agent.asked.empty():
                agent.asked.get_nowait()
            agent.drop()


async def test_the_view_is_current_when_all_who_were_known_are_listed_or_had_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "LOOK_S", 0.02)
    view, log, now = View(member("own"), [member("gone")]), Log(), 100.0
    heard = Listener(view, log.reports, lambda: now, lambda: None)
    async with fake_agent() as agent:
        async with running(heard.run(life_of(agent), expects_others=True)):
            (await agent.asked.get()).answer()
            (await agent.asked.get()).answer(listed(member("own")))
            await asyncio.sleep(0.05)
            assert [each.alive for each in view.members] == [MemberState.ALIVE] * 2
            assert not heard.is_current
            now += listener.SETTLE_S

            async def answering() -> None:
                while True:
                    (await agent.asked.get()).answer(listed(member("own")))

            async with running(answering()):
                await until(lambda: heard.is_current)
            assert not view.others_alive
        assert not heard.is_current


async def test_who_said_goodbye_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "LOOK_S", 0.02)
    view, log = View(member("own"), [member("left", alive=MemberState.LEFT)]), Log()
    heard = Listener(view, log.reports, lambda: 100.0, lambda: None)
    async with fake_agent() as agent, running(heard.run(life_of(agent), expects_others=False)):
        (await agent.asked.get()).answer()
        (await agent.asked.get()).answer(listed(member("own")))
        await until(lambda: heard.is_current)
    assert [each.alive for each in view.members] == [MemberState.LEFT, MemberState.ALIVE]


async def test_joining_is_tried_again_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until every address has answered: of hosts that start together some may have met, and not the rest."""
    met: list[str] = []
    monkeypatch.setattr(joiner, "RETRY", Retry(0.01, 0.02))
    monkeypatch.setattr(joiner, "SEEN_S", 0.01)
    monkeypatch.setattr(Listener, "has_met_others", property(lambda _: bool(met)))
    view, log, one, two = View(member("own")), Log(), "10.0.0.1:7946", "10.0.0.2:7946"
    heard = Listener(view, log.reports, asyncio.get_running_loop().time, lambda: None)
    seeker = Joiner(view, heard, [one, two], log.reports, Random(1))

    async with fake_agent() as agent, running(seeker.run(life_of(agent))):

        async def asked(*answering: str) -> str:
            """The next join is answered by these, and refused by others; whose it was."""
            call = await agent.asked.get()
            assert call.command == "join"
            address: str = call.body[b"Existing"][0].decode()
            if address in answering:
                call.answer({"Num": 1})
            else:
                refused = f"* Failed to join {address}: dial tcp: connect: connection refused"
                call.answer({"Num": 0}, error=refused)
            return address

        for _ in range(6):
            await asked()
        assert f"nobody answers at {one}; nobody answers at {two}\n" in (log.reports.problem or "")
        assert len(log.lines) == 1
        assert {await asked(one), await asked(one)} == {one, two}  # that was this host itself, perhaps
        assert [await asked() for _ in range(3)] == [two] * 3
        assert f"nobody answers at {two}" in (log.reports.problem or "")
        met.append("somebody")
        assert [await asked() for _ in range(3)] == [two] * 3
        assert log.reports.problem is None
        assert log.lines[-1] == "info: cluster: joining is well again"
        await asked(two)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(agent.asked.get(), 0.3)


async def test_a_new_agent_looks_where_others_were_before() -> None:
    """Its snapshot may be half a second old, and so without them."""
    view, log = View(member("own")), Log()
    heard = Listener(view, log.reports, asyncio.get_running_loop().time, lambda: None)
    here, left = member("a"), member("b", alive=MemberState.LEFT)
    view.see([replace(seen(here), address="10.0.0.7:7946"), replace(seen(left), address="10.0.0.8:7946")], 1.0)
    seeker = Joiner(view, heard, [], log.reports, Random(1))
    async with fake_agent() as agent, running(seeker.run(life_of(agent))):
        assert (await agent.asked.get()).body[b"Existing"] == [b"10.0.0.7:7946"]


async def test_only_the_newest_tags_are_published_and_not_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "EVERY_S", 0.3)
    view, log = View(member("own")), Log()
    said = Publisher(view, log.reports)
    loop = asyncio.get_running_loop()
    async with fake_agent() as agent, running(said.run(life_of(agent), tags_of(view.own))):
        said.changed()
        await asyncio.sleep(0.05)
        assert agent.asked.empty(), "nothing is new"
        view.tell(HostState.UP, room=False)
        said.changed()
        first = await agent.asked.get()
        began = loop.time()
        first.answer()
        for room in (True, False, True):
            view.tell(HostState.DRAINING, room=room)
            said.changed()
        second = await agent.asked.get()
        assert loop.time() - began >= 0.29
        assert (second.body[b"Tags"][b"state"], second.body[b"Tags"][b"room"]) == (b"draining", b"1")
        second.answer(error="no space")
        await until(lambda: "no space" in (log.reports.problem or ""))
        (await agent.asked.get()).answer()
        await until(lambda: log.reports.problem is None)


async def test_a_key_stays_until_everybody_has_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotator, "RETRY", Retry(0.01, 0.02))
    log = Log()
    turner = Rotator((KEY,), log.reports, Random(1))
    async with fake_agent() as agent, running(turner.run(life_of(agent))):
        turner.want((OTHER_KEY,))
        for _ in range(3):
            asked = await agent.asked.get()
            assert asked.command == "install-key"
            asked.answer({"NumErr": 0}, error="2/3 nodes reported success")
        assert "2/3 nodes reported success" in (log.reports.problem or "")
        for command in ("install-key", "use-key", "remove-key"):
            asked = await agent.asked.get()
            assert asked.command == command
            asked.answer({"NumErr": 0})
        await until(lambda: len([line for line in log.lines if "is done on all hosts" in line]) == 3)
        assert log.reports.problem is None
        assert agent.asked.empty()


def test_an_agent_that_lost_its_keys_gets_those_of_the_cluster_first() -> None:
    turner = Rotator((KEY,), Log().reports, Random(1))
    turner.want((OTHER_KEY, KEY))
    assert turner.known == (KEY, OTHER_KEY)


async def test_members_are_remembered_without_what_changes_often(tmp_path: Path) -> None:
    view, log = View(member("own"), [member("a"), member("b", alive=MemberState.LEFT)]), Log()
    options = SerfOptions(folder=tmp_path / "serf", keys=(KEY,))
    memory = Memory(options, log.reports)
    assert memory.load(1.0) == []
    async with running(memory.run(view)):
        memory.changed()
        await until(lambda: memory._written)
    kept = options.known.stat()
    memory.close(View(member("own"), [member("a", room=False), member("b", alive=MemberState.LEFT)]))
    assert options.known.stat().st_mtime_ns == kept.st_mtime_ns
    assert [(each.id, each.alive) for each in Memory(options, log.reports).load(1.0)] == [
        ("a", MemberState.FAILED),
        ("b", MemberState.LEFT),
    ]


async def test_who_ends_waits_for_what_is_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go, write = threading.Event(), threading.Event(), files.write_secret

    def slow(file: Path, content: bytes) -> None:
        begun.set()
        assert go.wait(60)
        write(file, content)

    monkeypatch.setattr(files, "write_secret", slow)
    options = SerfOptions(folder=tmp_path / "serf", keys=(KEY,))
    memory = Memory(options, Log().reports)
    writing = asyncio.create_task(memory.run(View(member("own"), [member("a")])))
    memory.changed()
    await until(begun.is_set)
    writing.cancel()
    await asyncio.wait((writing,), timeout=0.1)
    assert not writing.done()
    go.set()
    await asyncio.wait((writing,))
    assert writing.cancelled()
    assert options.known.exists()


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    for keys in ((), (b"short",), (KEY, b"x" * 33)):
        with pytest.raises(ValueError, match="32 bytes"):
            SerfOptions(folder=tmp_path, keys=keys)
    assert "kkkk" not in repr(SerfOptions(folder=tmp_path, keys=(KEY,)))


def test_the_program_that_was_given_is_used_or_missed(tmp_path: Path) -> None:
    program = tmp_path / "serf"
    with pytest.raises(AgentError, match="no program serf"):
        find_serf(program)
    program.write_text("#!/bin/sh\n")
    with pytest.raises(AgentError, match="no program serf"):
        find_serf(program)
    program.chmod(0o755)
    assert find_serf(program) == program


async def test_a_cluster_of_one_is_the_host_itself() -> None:
    async with Alone(member("own")) as alone:
        membership: Membership = alone
        changes = membership.changes()
        assert (await anext(changes)).changed == (member("own"),)
        membership.tell(HostState.DRAINING, room=False)
        assert (await anext(changes)).changed == membership.members
        assert membership.own == member("own", state=HostState.DRAINING, room=False)
        assert membership.is_current
        assert membership.problem is None
        membership.use_keys((KEY,))
        await membership.forget("x")
        await membership.leave()


def test_a_secret_is_on_the_disk_before_it_takes_the_place_of_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace_ = os.fsync, Path.replace

    def syncs(handle: int) -> None:
        sync(handle)
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{handle}')).name}")

    def replaces(new: Path, file: Path) -> Path:
        done.append(f"replace {new.name}")
        return replace_(new, file)

    monkeypatch.setattr(os, "fsync", syncs)
    monkeypatch.setattr(Path, "replace", replaces)
    file = tmp_path / "members.json"
    files.write_secret(file, b"new")
    assert done == ["sync members.json.new", "replace members.json.new", f"sync {tmp_path.name}"]
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)
