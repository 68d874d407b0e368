"""All hosts are asked at once; who does not answer is named, and the others' answers are there."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.peers.fanout import all_tasks, ask_all, one_task
from supervisor.cluster.peers.merging import STRANDED, merge_tasks
from supervisor.cluster.peers.psk import KeyRing
from supervisor.cluster.peers.wire import Wire
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import Member
from supervisor.spec.views import TaskView
from tests.cluster.peers.hosts import KEY, answer, member, nobody, peer, saying
from tests.control.asking import on_uvloop

SETTINGS = {"mainPath": "./app.js", "listen": ["127.0.0.1:0"]}


def a_task(label: str, host: str | None = None) -> TaskView:
    return TaskView(
        task=label, state="idle", wanted=True, revision=1, applied=0.0, listen=(), requests=0, failures=0, boots=0,
        cpu_s=0.0, host=host,
    )  # fmt: skip


NEWER = a_task("new").model_dump(by_alias=True) | {"energyJ": 3, "net": {"received": 0, "lost": 1}}


@on_uvloop
async def test_the_tasks_of_all_hosts_come_by_label_and_the_silent_hosts_by_name(folder: Path) -> None:
    async with (
        peer(folder, "host-1") as one,
        peer(folder, "host-2") as two,
        saying(answer(b'[{"no": "task"}]')) as odd,
        saying(answer(b"no JSON")) as mad,
        saying(answer(json.dumps([NEWER]).encode())) as newer,
        saying(answer(b"{}", "503 Service Unavailable")) as busy,
        Wire(KeyRing([KEY])) as wire,
    ):
        for host, labels in ((one, ("b", "a")), (two, ("c", "b"))):
            for label in labels:
                await host.host.apply({"taskId": label, **SETTINGS}, bundle=None, dry_run=False)
        with nobody() as port:
            members = [member("me", 1), one.member, two.member, member("odd", odd), member("busy", busy),
                       member("gone", port), member("mad", mad), member("newer", newer)]  # fmt: skip
            views, silent = await all_tasks(wire, ("me", [a_task("own")]), members)
    assert [(view.task, view.host) for view in views] == [
        ("a", "host-1"), ("b", "host-1"), ("b", "host-2"), ("c", "host-2"), ("new", "newer"), ("own", "me"),
    ]  # fmt: skip
    assert views[0].state == "running"
    assert silent == ("busy", "gone", "mad", "odd")


@on_uvloop
async def test_a_task_of_a_newer_host_is_shown_without_what_is_not_known_here() -> None:
    async with (
        saying(answer(json.dumps(NEWER).encode())) as newer,
        saying(answer(b"[1]")) as odd,
        saying(answer(b'{"detail": "no such task"}', "404 Not Found")) as ignorant,
        Wire(KeyRing([KEY])) as wire,
    ):
        assert await one_task(wire, member("newer", newer), "new") == a_task("new", host="newer")
        with pytest.raises(Silent, match="odd does not answer with tasks as this host knows them"):
            await one_task(wire, member("odd", odd), "new")
        with pytest.raises(Silent, match="ignorant: no such task"):
            await one_task(wire, member("ignorant", ignorant), "new")


async def test_so_many_are_asked_at_once_and_not_more() -> None:
    running = most = 0

    async def ask(to: Member) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        if to.id.endswith("7"):
            raise Silent("no")
        return to.id.upper()

    found = await ask_all([member(f"h{number}", 1) for number in range(100)], ask, at_once=8)
    assert most == 8
    assert len(found.answers) == 90
    assert found.answers["h10"] == "H10"
    assert found.silent == tuple(sorted(f"h{number}" for number in range(7, 100, 10)))


async def test_a_defect_is_no_silence() -> None:
    async def ask(to: Member) -> str:
        raise KeyError(to.id)

    with pytest.raises(ExceptionGroup):
        await ask_all([member("a", 1)], ask)


async def test_nobody_is_asked_when_there_is_nobody() -> None:
    async def ask(to: Member) -> str:
        return to.id

    assert (await ask_all([], ask)).answers == {}


def test_a_task_on_no_host_is_told_once_and_not_at_all_if_a_host_has_it() -> None:
    lost, kept = (a_task(label).model_copy(update={"state": STRANDED, "host": "gone"}) for label in ("lost", "kept"))
    found = merge_tasks({"a": [lost, kept], "b": [lost], "c": [a_task("kept")]})
    assert [(view.task, view.host) for view in found] == [("kept", "c"), ("lost", "gone")]


@given(st.dictionaries(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=5), max_size=5))
def test_merging_loses_nothing_and_orders_all(answers: dict[str, list[str]]) -> None:
    views = merge_tasks({host: [a_task(label) for label in labels] for host, labels in answers.items()})
    assert sorted((view.host, view.task) for view in views) == sorted(
        (host, label) for host, labels in answers.items() for label in labels
    )
    assert [(view.task, view.host) for view in views] == sorted((view.task, view.host) for view in views)
