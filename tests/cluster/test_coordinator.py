"""One coordinator per host, all in one process: what a user and an operator of a small cluster see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from supervisor.cluster.finding import find as find_newest
from supervisor.cluster.placing import NotPlaced, Placed
from supervisor.cluster.ports import BootFailed, Kept
from supervisor.cluster.rules import Rules
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Cause, Departure, HostState, Member, MemberState, Mode, Needs, Record
from tests.fakes.cluster import FakeCluster, wanted
from tests.fakes.virtual_time import on_virtual_time

RULES = Rules()


@on_virtual_time
async def test_the_newest_host_with_room_takes_a_task() -> None:
    cluster = FakeCluster("old", "middle", "new")
    await cluster.start()
    assert isinstance(await cluster.coordinators["old"].apply(wanted("first")), Placed)
    cluster.see("new", room=False)
    assert isinstance(await cluster.coordinators["new"].apply(wanted("second")), Placed)
    assert (cluster.running("first"), cluster.running("second")) == (["new"], ["middle"])
    await cluster.close()


@on_virtual_time
async def test_a_host_alone_is_a_cluster() -> None:
    cluster = FakeCluster("only")
    await cluster.start()
    outcome = await cluster.coordinators["only"].apply(wanted("task"))
    assert isinstance(outcome, Placed)
    assert outcome.record.guardians == ()
    assert await cluster.coordinators["only"].remove("task") is not None
    assert cluster.running("task") == []
    await cluster.close()


@on_virtual_time
async def test_a_full_host_is_passed_by_and_no_host_is_overcommitted() -> None:
    cluster = FakeCluster("a", "b", "c", memory=2)
    await cluster.start()
    outcomes = [await cluster.coordinators["a"].apply(wanted(f"task-{number}")) for number in range(7)]
    assert [isinstance(outcome, Placed) for outcome in outcomes] == [True] * 6 + [False]
    assert {host: len(machine.running) for host, machine in cluster.machines.items()} == {"a": 2, "b": 2, "c": 2}
    await cluster.close()


@on_virtual_time
async def test_the_same_task_applied_at_two_hosts_at_once_runs_once() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    await cluster.start()
    both = (cluster.coordinators[host].apply(wanted("task")) for host in ("a", "b"))
    assert any(isinstance(outcome, Placed) for outcome in await asyncio.gather(*both))
    await asyncio.sleep(120)
    assert len(cluster.running("task")) == 1
    await cluster.close()


@on_virtual_time
async def test_the_same_task_applied_twice_at_one_host_at_once_is_placed_once_and_changed_once() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    await cluster.start()
    outcomes = await asyncio.gather(*(cluster.coordinators["a"].apply(wanted("task", version=n)) for n in (1, 2)))
    assert [outcome.record.epoch for outcome in outcomes if isinstance(outcome, Placed)] == [1, 1]
    assert len(cluster.placed) == 1
    assert cluster.machines["d"].running["task"].settings == {"version": 2}
    await cluster.close()


def test_a_removal_of_a_record_that_is_not_the_newest_any_more_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    @on_virtual_time
    async def check() -> None:
        cluster = FakeCluster("a", "b", "c", "d")
        await cluster.start()
        outcome = await cluster.coordinators["a"].apply(wanted("task"))
        assert isinstance(outcome, Placed)
        await cluster.coordinators["a"].apply(wanted("task", version=2))
        known = [outcome.record]

        async def find(shared: Shared, label: str, *others: str) -> Record | None:
            return known.pop() if known else await find_newest(shared, label, *others)

        monkeypatch.setattr("supervisor.cluster.applying.find", find)
        assert isinstance(await cluster.coordinators["b"].remove("task"), Placed)
        assert cluster.running("task") == []
        await cluster.close()

    check()


@on_virtual_time
async def test_a_host_knows_for_a_day_what_it_gave_up() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    fail(cluster, "SyntaxError: no", Cause.PROGRAM, "d")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task"))
    given_up = cluster.coordinators["d"]._shared.given_up
    assert list(given_up) == ["task"]
    await asyncio.sleep(RULES.tombstone_s + 2 * RULES.audit_s)
    assert list(given_up) == []
    await cluster.close()


@on_virtual_time
async def test_any_host_finds_changes_and_removes_a_task() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task", version=1))
    assert isinstance(await cluster.coordinators["b"].apply(wanted("task", version=2)), Placed)
    found = await cluster.coordinators["c"].find("task")
    assert found is not None
    assert found.settings == {"version": 2}
    assert cluster.running("task") == ["e"]
    assert cluster.machines["e"].running["task"].settings == {"version": 2}
    assert isinstance(await cluster.coordinators["d"].remove("task"), Placed)
    assert await cluster.coordinators["a"].remove("task") is None
    assert cluster.running("task") == []
    await cluster.close()


@on_virtual_time
async def test_a_bundle_that_only_the_asked_host_has_comes_to_the_owner_and_its_guardians() -> None:
    names = tuple("abcdefghij")
    cluster = FakeCluster(*names)
    await cluster.start()

    async def applies(asked: str, label: str, digest: str) -> None:
        cluster.machines[asked].bundles.add(digest)
        outcome = await cluster.coordinators[asked].apply(replace(wanted(label), bundle=digest))
        assert isinstance(outcome, Placed)
        assert cluster.running(label) == ["j"]
        assert all(digest in cluster.machines[host].bundles for host in ("j", *outcome.record.guardians))

    for number in range(20):
        await applies(names[number % 9], f"task-{number}", f"first-{number}")
        await applies(names[number % 7], f"task-{number}", f"second-{number}")
    await cluster.close()


@on_virtual_time
async def test_a_bundle_goes_with_a_change_that_moves_a_task() -> None:
    cluster = FakeCluster(*"abcdefgh")
    cluster.machines["a"].memory = 1000
    await cluster.start()
    first = await cluster.coordinators["b"].apply(wanted("task"))
    assert isinstance(first, Placed)
    asked = next(host for host in "bcdefg" if host not in first.record.guardians)
    cluster.machines[asked].bundles.add("new")
    outcome = await cluster.coordinators[asked].apply(replace(wanted("task", needs=Needs(500)), bundle="new"))
    assert isinstance(outcome, Placed)
    assert cluster.running("task") == ["a"]
    assert all("new" in cluster.machines[host].bundles for host in ("a", *outcome.record.guardians))
    await cluster.close()


@on_virtual_time
async def test_a_change_whose_bundle_cannot_be_had_is_refused_and_changes_nothing() -> None:
    cluster = FakeCluster(*"abcdef")
    await cluster.start()
    before = await cluster.coordinators["a"].apply(wanted("task", version=1))
    assert isinstance(before, Placed)
    outcome = await cluster.coordinators["a"].apply(replace(wanted("task", version=2), bundle="nowhere"))
    assert isinstance(outcome, NotPlaced)
    assert "host f could not get its bundle nowhere: a does not have it; " in outcome.problem
    await asyncio.sleep(RULES.audit_s)
    for each in cluster.coordinators.values():
        known = await each.find("task")
        assert known is not None
        assert (known.settings, known.bundle) == ({"version": 1}, None)
    assert cluster.machines["f"].running["task"] == before.record
    await cluster.close()


@on_virtual_time
async def test_a_guardian_that_did_not_get_a_bundle_keeps_the_record_and_gets_the_bundle_later() -> None:
    cluster = FakeCluster(*"abcdef")
    await cluster.start()
    first = await cluster.coordinators["a"].apply(wanted("task"))
    assert isinstance(first, Placed)
    guardian = next(host for host in first.record.guardians if host not in "af")
    machine = cluster.machines[guardian]
    hold, can_hold = machine.hold_bundle, False

    async def hold_later(digest: str, sources: Sequence[Member], within_s: float | None = None) -> str | None:
        return await hold(digest, sources, within_s) if can_hold else "not yet"

    machine.hold_bundle = hold_later  # type: ignore[method-assign]
    cluster.machines["a"].bundles.add("new")
    outcome = await cluster.coordinators["a"].apply(replace(wanted("task"), bundle="new"))
    assert isinstance(outcome, Placed)
    known = await cluster.coordinators[guardian].door.find("task")
    assert known is not None
    assert known.bundle == "new"
    await asyncio.sleep(120)
    assert "new" not in machine.bundles
    can_hold = True
    await asyncio.sleep(100)
    assert "new" in machine.bundles
    await cluster.close()


@on_virtual_time
async def test_a_guardian_that_ends_gets_no_more_bundles() -> None:
    cluster = FakeCluster(*"abcdef")
    await cluster.start()
    first = await cluster.coordinators["a"].apply(wanted("task"))
    assert isinstance(first, Placed)
    guardian = next(host for host in first.record.guardians if host not in "af")
    asked: list[str] = []

    async def hold(digest: str, sources: Sequence[Member], within_s: float | None = None) -> str | None:
        asked.append(digest)
        await asyncio.sleep(1)
        return "not yet"

    cluster.machines[guardian].hold_bundle = hold  # type: ignore[method-assign]
    cluster.machines["a"].bundles.add("new")
    outcome = await cluster.coordinators["a"].apply(replace(wanted("task"), bundle="new"))
    assert isinstance(outcome, Placed)
    assert guardian in outcome.record.guardians
    await asyncio.sleep(60)
    assert len(asked) > 1
    door = cluster.coordinators[guardian].door
    known = await door.find("task")
    assert known is not None
    late = asyncio.create_task(door.guard(known))
    await asyncio.sleep(0.5)
    await cluster.crash(guardian)
    asked.clear()
    assert await late is None
    await asyncio.sleep(600)
    assert asked == []
    await cluster.close()


@on_virtual_time
async def test_a_task_that_outgrows_its_host_moves() -> None:
    cluster = FakeCluster("a", "b", "c")
    cluster.machines["a"].memory = 1000
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task", needs=Needs(50)))
    assert cluster.running("task") == ["c"]
    assert isinstance(await cluster.coordinators["b"].apply(wanted("task", needs=Needs(500))), Placed)
    await asyncio.sleep(30)
    assert cluster.running("task") == ["a"]
    await cluster.close()


@on_virtual_time
async def test_a_host_constraint_is_honoured_and_a_wrong_one_told() -> None:
    cluster = FakeCluster("a", "b", "c")
    await cluster.start()
    await cluster.coordinators["c"].apply(wanted("task", needs=Needs(1, hosts=("a",))))
    assert cluster.running("task") == ["a"]
    assert isinstance(await cluster.coordinators["c"].apply(wanted("other", needs=Needs(1, hosts=("x",)))), NotPlaced)
    await cluster.coordinators["c"].apply(wanted("task", needs=Needs(1, hosts=("b",))))
    await asyncio.sleep(30)
    assert cluster.running("task") == ["b"]
    await cluster.close()


@on_virtual_time
async def test_the_tasks_of_a_dead_host_answer_elsewhere_after_the_grace() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    for number in range(10):
        await cluster.coordinators["a"].apply(wanted(f"task-{number}"))
    await asyncio.sleep(5)
    await cluster.crash("e")
    await asyncio.sleep(RULES.grace_s - 2)
    assert cluster.running("task-0") == []
    await asyncio.sleep(10)
    assert [cluster.running(f"task-{number}") for number in range(10)] == [["d"]] * 10
    await cluster.close()


@on_virtual_time
async def test_a_host_that_comes_back_gives_up_what_was_restarted_and_keeps_the_rest() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task"))
    await asyncio.sleep(5)
    await cluster.crash("e")
    await asyncio.sleep(60)
    await cluster.start("e")
    cluster.see("e", alive=MemberState.ALIVE)
    assert "boot task" not in cluster.machines["e"].events[1:]
    await asyncio.sleep(60)
    assert cluster.running("task") == ["d"]
    await cluster.crash("d")
    await asyncio.sleep(5)
    await cluster.start("d")
    cluster.see("d", alive=MemberState.ALIVE)
    await asyncio.sleep(60)
    assert cluster.running("task") == ["d"]  # it was back before the grace was over
    await cluster.close()


@on_virtual_time
async def test_a_host_that_lost_its_disk_has_its_tasks_placed_anew() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task"))
    await asyncio.sleep(5)
    await cluster.crash("d")
    cluster.machines["d"].disk.clear()
    await cluster.start("d")
    cluster.see("d", alive=MemberState.ALIVE, boot_time=99.0)
    await asyncio.sleep(40)
    assert len(cluster.running("task")) == 1
    await cluster.close()


@pytest.mark.parametrize("mode", list(Mode))
@on_virtual_time
async def test_an_owner_cut_off_goes_on_or_stops_as_the_task_asks(mode: Mode) -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task", mode=mode))
    await asyncio.sleep(10)
    others = "abcd"
    cluster.cut = {(host, "e") for host in others} | {("e", host) for host in others}
    alone = [replace(each, alive=MemberState.FAILED, since=asyncio.get_running_loop().time()) for each in
             cluster.members.values() if each.id != "e"]  # fmt: skip
    e = cluster.coordinators.pop("e")
    cluster.see("e", alive=MemberState.FAILED)
    e.on_members([*alone, replace(cluster.members["e"], alive=MemberState.ALIVE)])
    await asyncio.sleep(RULES.lease_s + 2)
    assert cluster.running("task") == ([] if mode is Mode.STRICT else ["e"])
    await asyncio.sleep(30)
    assert cluster.running("task") == (["d"] if mode is Mode.STRICT else ["d", "e"])
    cluster.cut.clear()
    cluster.coordinators["e"] = e
    cluster.see("e", alive=MemberState.ALIVE)
    await asyncio.sleep(30)
    assert cluster.running("task") == ["d"]
    await cluster.close()


@pytest.mark.parametrize("mode", list(Mode))
@on_virtual_time
async def test_a_draining_host_moves_its_tasks_without_a_gap_but_for_strict_ones(mode: Mode) -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task", mode=mode))
    order: list[str] = []
    cluster.machines["d"].events = cluster.machines["c"].events = order
    await asyncio.sleep(10)
    assert await cluster.coordinators["d"].drain(30.0) == {}
    assert cluster.running("task") == ["c"]
    moved = [event for event in order if event.endswith(" task")]
    assert moved[:2] == (["stop task", "boot task"] if mode is Mode.STRICT else ["boot task", "stop task"])
    assert cluster.coordinators["d"].state is HostState.DRAINING
    await cluster.close()


@on_virtual_time
async def test_what_finds_no_other_host_is_named_and_goes_on() -> None:
    cluster = FakeCluster("a", "b")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task", needs=Needs(1, hosts=("b",))))
    stayed = await cluster.coordinators["b"].drain(5.0)
    assert list(stayed) == ["task"]
    await cluster.coordinators["b"].resume()
    await asyncio.sleep(20)
    assert cluster.running("task") == ["b"]
    assert isinstance(await cluster.coordinators["a"].remove("task"), Placed)
    await cluster.close()


@on_virtual_time
async def test_a_boot_that_fails_is_tried_on_the_next_host() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    cluster.machines["d"].boot_problem = "the port is in use"
    await cluster.start()
    assert isinstance(await cluster.coordinators["a"].apply(wanted("task")), Placed)
    assert cluster.running("task") == ["c"]
    await asyncio.sleep(120)
    assert cluster.running("task") == ["c"]
    await cluster.close()


def fail(cluster: FakeCluster, problem: str, cause: Cause, *hosts: str) -> None:
    for host in hosts:
        cluster.machines[host].boot_problem, cluster.machines[host].boot_cause = problem, cause


@pytest.mark.parametrize("cause", [Cause.HOST, Cause.PROGRAM])
@on_virtual_time
async def test_a_new_task_that_comes_up_nowhere_is_nowhere_and_stays_so(cause: Cause) -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    fail(cluster, "SyntaxError: no", cause, *cluster.machines)
    await cluster.start()
    outcome = await cluster.coordinators["a"].apply(wanted("task"))
    assert isinstance(outcome, NotPlaced)
    assert outcome.cause is cause
    assert "SyntaxError: no" in outcome.problem
    tries = [event for machine in cluster.machines.values() for event in machine.events]
    assert tries.count("fail task") == (1 if cause is Cause.PROGRAM else 5)
    await asyncio.sleep(1200)
    assert [event for machine in cluster.machines.values() for event in machine.events].count("fail task") == len(
        [event for event in tries if event == "fail task"]
    )
    found = await cluster.coordinators["b"].find("task")
    assert found is not None
    assert not found.exists
    for machine in cluster.machines.values():
        machine.boot_problem = None
    assert isinstance(await cluster.coordinators["c"].apply(wanted("task")), Placed)
    await asyncio.sleep(1200)
    assert cluster.running("task") == ["e"]
    await cluster.close()


@pytest.mark.parametrize("cause", [Cause.HOST, Cause.PROGRAM])
@pytest.mark.parametrize("mode", list(Mode))
@on_virtual_time
async def test_a_task_that_comes_up_on_no_other_host_goes_on_where_it_is(mode: Mode, cause: Cause) -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task", mode=mode))
    await asyncio.sleep(30)
    fail(cluster, "the port is in use", cause, "a", "b", "c", "d")
    stayed = await cluster.coordinators["e"].drain(5.0)
    assert "the port is in use" in stayed["task"]
    await cluster.coordinators["e"].resume()
    if mode is Mode.BEST_EFFORT:
        assert "stop task" not in cluster.machines["e"].events
    await asyncio.sleep(RULES.lease_s)
    assert cluster.running("task") == ["e"]
    before = list(cluster.machines["e"].events)
    await asyncio.sleep(1200)
    assert cluster.machines["e"].events == before
    await cluster.close()


@on_virtual_time
async def test_a_change_that_moves_a_task_is_its_owners_and_leaves_no_gap() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task", version=1))
    await asyncio.sleep(30)
    fail(cluster, "SyntaxError: no", Cause.PROGRAM, "b")
    outcome = await cluster.coordinators["a"].apply(wanted("task", needs=Needs(1, hosts=("b",)), version=2))
    assert isinstance(outcome, NotPlaced)
    assert (outcome.problem, outcome.cause) == ("SyntaxError: no", Cause.PROGRAM)
    await asyncio.sleep(120)
    assert cluster.machines["e"].events == ["boot task"]
    found = await cluster.coordinators["c"].find("task")
    assert found is not None
    assert (found.owner, found.settings) == ("e", {"version": 1})
    cluster.machines["b"].boot_problem = None
    outcome = await cluster.coordinators["a"].apply(wanted("task", needs=Needs(1, hosts=("b",)), version=2))
    assert isinstance(outcome, Placed)
    await asyncio.sleep(120)
    assert cluster.running("task") == ["b"]
    assert cluster.machines["b"].running["task"].settings == {"version": 2}
    await cluster.close()


@on_virtual_time
async def test_a_dead_hosts_program_is_tried_on_one_host_after_the_other_with_pauses() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task"))
    await asyncio.sleep(30)
    fail(cluster, "it threw", Cause.PROGRAM, "d", "c")
    await cluster.crash("e")
    await asyncio.sleep(1200)
    assert cluster.running("task") in (["a"], ["b"])
    assert len([event for host in "dc" for event in cluster.machines[host].events if event == "fail task"]) < 20
    await cluster.close()


@pytest.mark.parametrize("cause", [Cause.HOST, Cause.PROGRAM])
@on_virtual_time
async def test_what_does_not_boot_any_more_on_its_host_is_tried_later_and_later_or_moves(cause: Cause) -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task"))
    await asyncio.sleep(30)
    fail(cluster, "the port is in use", cause, "e")
    await cluster.crash("e")
    await cluster.start("e")
    cluster.see("e", alive=MemberState.ALIVE)
    await asyncio.sleep(1200)
    failures = cluster.machines["e"].events.count("fail task")
    if cause is Cause.HOST:
        assert (cluster.running("task"), failures) == (["d"], 2)
    else:
        assert cluster.running("task") == []
        assert 4 < failures < 12
        cluster.machines["e"].boot_problem = None
        await asyncio.sleep(310)
        assert cluster.running("task") == ["e"]
    await cluster.close()


@on_virtual_time
async def test_who_was_passed_by_and_why_is_told() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    cluster.machines["c"].memory = 10
    cluster.cut = {("a", "d")}
    await cluster.start()
    needs = Needs(64 * 2**20)
    assert isinstance(await cluster.coordinators["a"].apply(wanted("first")), Placed)
    assert cluster.placed[-1]["past"] == "d: it does not answer"
    outcome = await cluster.coordinators["a"].apply(wanted("second", needs=needs))
    assert isinstance(outcome, NotPlaced)
    assert outcome.cause is Cause.ROOM
    assert outcome.problem.startswith(
        "no host has room for it: d: it does not answer; c: it has 9 bytes of memory left"
    )
    outcome = await cluster.coordinators["a"].apply(wanted("third", needs=Needs(1, hosts=("x", "c"), cores=(7,))))
    assert isinstance(outcome, NotPlaced)
    assert "x: it is not up" in outcome.problem
    await cluster.close()


@on_virtual_time
async def test_a_task_that_fits_nowhere_is_no_reason_not_to_place_another_one() -> None:
    cluster = FakeCluster("a", "b", memory=10)
    await cluster.start()
    for needs in (Needs(11), Needs(1, cores=(99,))):
        outcome = await cluster.coordinators["a"].apply(wanted("big", needs=needs))
        assert isinstance(outcome, NotPlaced)
        assert outcome.cause is Cause.ROOM
        assert isinstance(await cluster.coordinators["a"].apply(wanted("small", needs=Needs(1))), Placed)
        assert cluster.running("small") == ["b"]
    await cluster.close()


@on_virtual_time
async def test_a_task_that_may_run_on_its_leaving_host_only_is_told_so() -> None:
    cluster = FakeCluster("a", "b")
    await cluster.start()
    assert isinstance(await cluster.coordinators["a"].apply(wanted("task", needs=Needs(1, hosts=("b",)))), Placed)
    assert await cluster.coordinators["b"].drain(0.0) == {"task": "it may run on b only"}
    await cluster.close()


@on_virtual_time
async def test_idle_hosts_go_home_down_to_the_floor_and_the_newest_stay() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    now = asyncio.get_running_loop().time()
    for machine in cluster.machines.values():
        machine.idle_from = now
    await cluster.start()
    await news_travels(cluster, 2000)
    gone = {host for host, machine in cluster.machines.items() if machine.departure is Departure.IDLE}
    assert gone == {"a", "b"}
    await cluster.close()


@on_virtual_time
async def test_a_host_whose_way_home_fails_is_up_again_and_goes_later() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    for host in "bcde":
        cluster.see(host, room=False)
    await cluster.coordinators["a"].apply(wanted("task"))
    assert cluster.running("task") == ["a"]
    for host in "bcde":
        cluster.see(host, room=True)
    machine = cluster.machines["a"]
    machine.idle_from = asyncio.get_running_loop().time()
    keep = machine.keep

    async def disk_is_full(kept: Kept) -> None:
        raise OSError(28, "No space left on device")

    machine.keep = disk_is_full  # type: ignore[method-assign]
    await news_travels(cluster, 900)
    assert ("a", "defect") in cluster.notices
    told = [state for state, _ in machine.told]
    tries = told.count(HostState.DRAINING)
    assert 1 <= tries <= 5
    machine.keep = keep  # type: ignore[method-assign]
    await news_travels(cluster, 900)
    assert machine.departure is Departure.IDLE
    await cluster.close()


async def news_travels(cluster: FakeCluster, seconds: float) -> None:
    """So long all hosts hear what each says about itself, and who has left."""
    for _ in range(int(seconds / 5)):
        await asyncio.sleep(5)
        for host, machine in cluster.machines.items():
            state = machine.told[-1][0]
            if cluster.members[host].alive is MemberState.ALIVE and machine.departure is not None:
                cluster.see(host, alive=MemberState.LEFT)
            elif cluster.members[host].state is not state:
                cluster.see(host, state=state)


@on_virtual_time
async def test_a_host_that_is_stopped_tells_which_strict_tasks_still_need_it_as_a_guardian() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    for number in range(9):
        await cluster.coordinators["b"].apply(wanted(f"task-{number}", mode=Mode.STRICT))
    cluster.cut = {("a", "e"), ("e", "a")}  # their owner cannot say that it has found another one
    await cluster.coordinators["a"].leave(10)
    assert ("a", "still-needed") in cluster.notices
    assert "leave" in cluster.machines["a"].events
    cluster.see("a", alive=MemberState.LEFT)
    cluster.see("b", state=HostState.DRAINING)
    await cluster.coordinators["b"].leave(10)
    assert ("b", "still-needed") not in cluster.notices
    await cluster.close()


@on_virtual_time
async def test_an_idle_host_stays_as_long_as_a_strict_task_needs_it_as_a_guardian() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e")
    await cluster.start()
    for number in range(9):
        await cluster.coordinators["b"].apply(wanted(f"task-{number}", mode=Mode.STRICT))
    guarded = {record.label for record in cluster.coordinators["e"].records() if "a" in record.guardians}
    assert guarded
    cluster.machines["a"].idle_from = asyncio.get_running_loop().time()
    cluster.cut = {("a", "e"), ("e", "a")}  # their owner cannot say that it has found another one
    await news_travels(cluster, 1500)
    assert "leave" not in cluster.machines["a"].events
    assert ("a", "stays") in cluster.notices
    cluster.cut.clear()
    await news_travels(cluster, 1500)
    assert "leave" in cluster.machines["a"].events
    assert all(cluster.running(label) == ["e"] for label in guarded)
    await cluster.close()


@on_virtual_time
async def test_of_a_strict_task_that_nobody_can_place_most_guardians_stay_and_the_others_go_home() -> None:
    cluster = FakeCluster(*"abcdefgh")
    await cluster.start()
    outcome = await cluster.coordinators["a"].apply(wanted("task", mode=Mode.STRICT, needs=Needs(1, hosts=("h",))))
    assert isinstance(outcome, Placed)
    guardians = set(outcome.record.guardians)
    await asyncio.sleep(60)
    await cluster.crash("h")
    for machine in cluster.machines.values():
        machine.idle_from = asyncio.get_running_loop().time()
    await news_travels(cluster, 6000)
    gone = {host for host, machine in cluster.machines.items() if "leave" in machine.events}
    assert gone >= set("abcd") - guardians  # all but the floor
    assert len(gone & guardians) == 1
    for host in gone:
        await cluster.coordinators.pop(host).close()
    await cluster.start("h")
    cluster.see("h", alive=MemberState.ALIVE)
    await asyncio.sleep(60)
    assert cluster.running("task") == ["h"]
    await cluster.close()


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_guardian_that_missed_a_change_is_told_soon(*, is_removed: bool) -> None:
    @on_virtual_time
    async def check() -> None:
        cluster = FakeCluster("a", "b", "c")
        await cluster.start()
        outcome = await cluster.coordinators["a"].apply(wanted("task", v=1))
        assert isinstance(outcome, Placed)
        assert (outcome.record.owner, set(outcome.record.guardians)) == ("c", {"a", "b"})
        await asyncio.sleep(60)
        cluster.cut = {("b", "c"), ("c", "b")}  # for so short that nobody notices
        owner = cluster.coordinators["c"]
        done = await owner.remove("task") if is_removed else await owner.apply(wanted("task", v=2))
        assert isinstance(done, Placed)
        await asyncio.sleep(20)
        cluster.cut.clear()
        await asyncio.sleep(60)
        known = await cluster.coordinators["b"].door.find("task")
        assert known is not None
        assert (known.removed, known.settings) == (is_removed, {} if is_removed else {"v": 2})
        await cluster.close()

    check()


@pytest.mark.parametrize("mode", list(Mode))
def test_guardians_that_said_goodbye_are_waited_for_by_a_strict_task_alone(mode: Mode) -> None:
    @on_virtual_time
    async def check() -> None:
        cluster = FakeCluster("a", "b", "c", "d", "e", "f")
        await cluster.start()
        outcome = await cluster.coordinators["a"].apply(wanted("task", mode=mode))
        assert isinstance(outcome, Placed)
        await cluster.crash("f")
        for host in outcome.record.guardians[:2]:  # they may have promised an epoch to somebody
            await cluster.coordinators.pop(host).close()
            cluster.see(host, alive=MemberState.LEFT)
        await asyncio.sleep(600)
        assert len(cluster.running("task")) == (0 if mode is Mode.STRICT else 1)
        await cluster.close()

    check()


@on_virtual_time
async def test_who_gives_a_task_up_tells_the_guardians_that_believed_it() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e", "f")
    await cluster.start()
    outcome = await cluster.coordinators["a"].apply(wanted("task"))
    assert isinstance(outcome, Placed)
    unheard, *others = outcome.record.guardians
    newer = replace(outcome.record, epoch=2, revision=1, owner="e", guardians=tuple(others), previous=())
    for guardian in others:
        assert await cluster.coordinators[guardian].door.guard(newer) is None
    await cluster.coordinators["f"].door.retire("task", 2)
    await asyncio.sleep(3)
    known = await cluster.coordinators[unheard].door.find("task")
    assert known is not None
    assert (known.owner, known.epoch) == ("e", 2)
    await cluster.close()


@on_virtual_time
async def test_a_strict_task_of_three_hosts_survives_the_death_of_any_one() -> None:
    for dead in ("a", "b", "c"):
        cluster = FakeCluster("a", "b", "c")
        await cluster.start()
        assert isinstance(await cluster.coordinators["a"].apply(wanted("task", mode=Mode.STRICT)), Placed)
        await asyncio.sleep(60)
        await cluster.crash(dead)
        await asyncio.sleep(120)
        assert cluster.running("task") == ["b" if dead == "c" else "c"]
        await cluster.close()


@on_virtual_time
async def test_new_guardians_are_found_though_hosts_come_and_go_all_the_time() -> None:
    cluster = FakeCluster("a", "b", "c", "d", "e", "f")
    await cluster.start()
    outcome = await cluster.coordinators["a"].apply(wanted("task"))
    assert isinstance(outcome, Placed)
    gone, *_ = outcome.record.guardians
    restless = next(host for host in "abcde" if host not in outcome.record.guardians)
    await asyncio.sleep(60)  # its guardians are not asked any more
    cluster.see(gone, alive=MemberState.LEFT)
    for turn in range(10):
        cluster.see(restless, state=(HostState.DRAINING, HostState.UP)[turn % 2])
        await asyncio.sleep(0.5 * RULES.settle_s)
    (record,) = cluster.coordinators["f"].records()
    assert gone not in record.guardians
    await cluster.close()


@on_virtual_time
async def test_a_spare_is_started_once_by_the_newest_when_nobody_has_room() -> None:
    cluster = FakeCluster("a", "b", spares=("spare-1", "spare-2"), memory=1)
    await cluster.start()
    for host in ("a", "b"):
        cluster.see(host, room=False)
    await asyncio.sleep(120)
    assert (cluster.machines["a"].woken, cluster.machines["b"].woken) == ([], ["spare-1"])
    await cluster.close()


@on_virtual_time
async def test_the_next_spare_is_started_when_one_cannot_be_told_to() -> None:
    cluster = FakeCluster("a", "b", spares=("spare-1", "spare-2"), memory=1)
    wake = cluster.machines["b"].wake_spare

    async def wakes(spare: str) -> None:
        await wake(spare)
        if spare == "spare-1":
            raise BootFailed("its command cannot be started")

    cluster.machines["b"].wake_spare = wakes  # type: ignore[method-assign]
    await cluster.start()
    for host in ("a", "b"):
        cluster.see(host, room=False)
    await asyncio.sleep(30)
    assert cluster.machines["b"].woken == ["spare-1", "spare-2"]
    assert ("b", "wake-failed") in cluster.notices
    await cluster.close()


@on_virtual_time
async def test_a_host_says_no_room_before_it_is_full() -> None:
    cluster = FakeCluster("a", "b", memory=20)
    await cluster.start()
    for number in range(20):
        await cluster.coordinators["a"].apply(wanted(f"task-{number}", needs=Needs(1, hosts=("b",))))
    await asyncio.sleep(3)
    assert cluster.machines["b"].told[-1] == (HostState.UP, False)
    await cluster.close()


@on_virtual_time
async def test_no_duty_ends_by_a_defect() -> None:
    cluster = FakeCluster("a", "b", "c", "d")
    await cluster.start()
    await cluster.coordinators["a"].apply(wanted("task"))
    await cluster.crash("d")
    await asyncio.sleep(1500)
    assert not [each for each in cluster.notices if each[1] == "defect"]
    await cluster.close()
