"""Clusters of a few dozen hosts on a clock that jumps: Hypothesis picks what goes wrong, the promises have to hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from supervisor.cluster.rendezvous import group_of
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Claim, Departure, MemberState, Mode, Record
from tools.simulating.host import Host
from tools.simulating.scenarios import QUIET_S, SCENARIOS, populate
from tools.simulating.verdict import broken, figures
from tools.simulating.world import World

RULES = Rules()
type Step = Callable[[World], None]


def crash(world: World) -> None:
    """A host that comes back after half a minute, as the newest one.

    One that forgets what it promised does so only while all see each other: see the windows in ARCHITECTURE.md.
    """
    hosts = [host for host in world.alive if host.machine.has_disk or not world.network.cut]
    if hosts and len(world.alive) > 2:
        host = world.chance.choice(hosts)
        world.crash(host)
        world.run(world.chance.uniform(1.0, 70.0))
        world.reboot(host)


def cut(world: World) -> None:
    hosts = world.alive
    world.chance.shuffle(hosts)
    at = world.chance.randint(1, max(1, len(hosts) - 1))
    world.partition([hosts[:at], hosts[at:]], one_way=world.chance.random() < 0.3)


def slow(world: World) -> None:
    world.disturb()
    world.network.slow = {host.id: 4.0 for host in world.chance.sample(world.alive, len(world.alive) // 4)}
    world.network.loss = 0.2


def fail_boots(world: World) -> None:
    world.disturb()
    world.boot_failures = 0.4


def apply_more(world: World) -> None:
    for number in range(10):
        mode = Mode.STRICT if number % 3 == 0 else Mode.BEST_EFFORT
        world.apply(f"more-{world.time.now:.2f}-{number}", mode=mode)


def remove_some(world: World) -> None:
    for label in world.chance.sample(sorted(world.wanted), len(world.wanted) // 4):
        world.remove(label)


def owned(host: Host) -> list[Record]:
    assert host.coordinator is not None
    return host.coordinator.records()


def newest_revision(world: World) -> int:
    kept = [each.record for host in world.hosts.values() for each in host.disk.values()]
    return max(record.revision for record in kept if record is not None)


def likely(world: World) -> tuple[str, ...]:
    return world.order.first(group_of("task"), set(world.hosts), RULES.guardians + 2)


STEPS: list[Step] = [crash, cut, slow, fail_boots, World.heal, apply_more, remove_some]


FAULTS = given(
    st.integers(0, 2**32),
    st.integers(2, 12),
    st.lists(st.tuples(st.sampled_from(STEPS), st.floats(0.5, 80.0)), max_size=8),
)


def survives(seed: int, hosts: int, steps: list[tuple[Step, float]]) -> None:
    world = World(seed, RULES)
    populate(world, hosts, 3 * hosts, per_second=40, room=200)
    for step, pause_s in steps:
        step(world)
        world.run(pause_s)
    world.heal()
    world.run(QUIET_S)
    assert broken(world) == []


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@FAULTS
@example(0, 2, [(cut, 1.0), (remove_some, 43.0)])
@example(0, 3, [
    (apply_more, 57.0), (apply_more, 57.0), (crash, 57.296875), (apply_more, 5.625), (crash, 37.25), (cut, 1.25),
    (fail_boots, 17.625), (slow, 51.0),
])  # fmt: skip
@example(7, 5, [(remove_some, 23.25), (cut, 1.0), (fail_boots, 53.0), (cut, 11.0)])
@example(1692, 5, [
    (slow, 24.36), (crash, 70.68), (slow, 24.42), (cut, 79.78), (cut, 15.82), (remove_some, 40.16), (cut, 17.5),
    (apply_more, 73.77),
])  # fmt: skip
@example(2530, 8, [
    (slow, 9.66), (World.heal, 20.66), (slow, 11.42), (apply_more, 77.07), (fail_boots, 16.14), (slow, 37.33),
    (World.heal, 50.65), (cut, 67.32),
])  # fmt: skip
@example(5654, 3, [(slow, 21.22), (remove_some, 32.86), (apply_more, 20.37)])
@example(572, 7, [
    (World.heal, 63.9), (cut, 67.09), (World.heal, 48.65), (slow, 39.84), (fail_boots, 47.39), (fail_boots, 76.09),
    (remove_some, 29.01), (remove_some, 16.49),
])  # fmt: skip
@example(1608, 8, [
    (slow, 55.7), (remove_some, 2.17), (apply_more, 48.97), (crash, 38.96), (apply_more, 52.08), (remove_some, 33.65),
    (remove_some, 13.03), (apply_more, 70.04),
])  # fmt: skip
@example(7, 5, [(cut, 60.0), (crash, 20.0), (World.heal, 5.0), (remove_some, 30.0)])
def test_whatever_goes_wrong_every_task_runs_once_in_the_end(
    seed: int, hosts: int, steps: list[tuple[Step, float]]
) -> None:
    survives(seed, hosts, steps)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False)
@FAULTS
def test_whatever_goes_wrong_for_longer(seed: int, hosts: int, steps: list[tuple[Step, float]]) -> None:
    survives(seed, hosts, steps)


@pytest.mark.parametrize("scenario", ["crashes", "partition", "one-way", "flapping", "slow", "herd"])
def test_a_named_course_of_events_breaks_no_promise(scenario: str) -> None:
    world = World(3, RULES)
    populate(world, 25, 120, per_second=50)
    SCENARIOS[scenario](world, 3.0)
    world.run(QUIET_S)
    assert broken(world) == []
    assert len(world.wanted) >= 120


def test_all_hosts_idle_at_once_go_home_one_by_one_down_to_the_floor_and_the_newest_stay() -> None:
    world = World(5, replace(RULES, idle_s=30.0, age_s=60.0))
    populate(world, 20, 40, per_second=40)
    newest = sorted(world.alive, key=lambda host: host.machine.boot_time)[-RULES.floor :]
    SCENARIOS["idle"](world, 25.0)
    world.run(QUIET_S)
    assert broken(world) == []
    assert {host.id for host in world.alive} == {host.id for host in newest}
    assert len(world.departures) == 20 - RULES.floor
    assert world.most_draining_in_calm <= 1.0


def test_a_new_image_spreads_from_one_host_to_all_and_no_task_misses_a_second() -> None:
    world = World(6, replace(RULES, canary_s=60.0, idle_s=1e6))
    populate(world, 8, 40, per_second=40)
    SCENARIOS["rollout"](world, 45.0)
    world.run(QUIET_S)
    assert broken(world) == []
    assert {host.machine.image for host in world.alive} == {"image-2"}
    assert {departure for _, _, departure in world.departures} == {Departure.UPDATE}
    assert max(world.copies.absences, default=0.0) < 1.0  # strict tasks stop before they start again


def test_moves_overlap_and_best_effort_tasks_are_never_without_a_copy_while_hosts_go() -> None:
    world = World(8, replace(RULES, canary_s=60.0, idle_s=1e6))
    populate(world, 6, 0, per_second=40)
    for number in range(20):
        world.apply(f"task-{number}")
    world.run(20.0)
    SCENARIOS["rollout"](world, 40.0)
    assert world.copies.absences == []
    assert world.copies.overlaps
    assert max(world.copies.overlaps) < 5.0


def test_a_spare_comes_when_nobody_has_room_and_only_one_at_a_time() -> None:
    world = World(9, RULES, spares=("spare-1", "spare-2"))
    for name in ("spare-1", "spare-2"):
        world.add(name, tasks=50, is_on=False)
    populate(world, 3, 12, per_second=40)
    for number in range(20):
        world.apply(f"more-{number}")
    world.run(200.0)
    assert len(world.wanted) == 24  # all that fit on three hosts
    for label in world.unplaced:
        world.apply(label)
    world.run(60.0)
    assert broken(world) == []
    assert len(world.wanted) == 32
    assert world.notices["wakes"] == 1


def test_a_partition_costs_two_copies_only_until_a_minute_after_it_heals() -> None:
    world = World(4, RULES)
    populate(world, 20, 100, per_second=50)
    hosts = world.alive
    world.partition([hosts[::2], hosts[1::2]])
    world.run(150.0)
    assert world.doubled()
    world.heal()
    world.run(75.0)
    assert world.doubled() == []
    assert world.copies.double_strict == []


def strict_task(world: World) -> tuple[Host, Record]:
    """A cluster with one task: who owns it, and its record."""
    populate(world, 12, 0, per_second=40, room=20)
    world.apply("task", mode=Mode.STRICT)
    world.run(30.0)
    owner = world.hosts[next(iter(world.copies.running["task"]))]
    return owner, owned(owner)[0]


def removes_the_task(world: World) -> None:
    world.remove("task")
    world.run(60.0)
    assert broken(world) == []
    assert world.copies.running["task"] == {}


def test_a_strict_task_whose_owner_tried_other_guardians_in_vain_can_still_be_removed() -> None:
    world = World(14, RULES)
    owner, record = strict_task(world)
    members = world.gossip.latest(owner.id).members.values()
    assert owner.coordinator is not None
    owner.coordinator.on_members(
        replace(member, alive=MemberState.FAILED, since=world.time.now) if member.id in record.guardians else member
        for member in members
    )
    world.run(30.0)
    tried = newest_revision(world)
    assert tried > record.revision
    owner.coordinator.on_members(members)
    world.run(30.0)
    assert owned(owner)[0].revision > tried
    removes_the_task(world)


def test_and_when_the_owner_has_forgotten_that_it_did() -> None:
    world = World(15, RULES)
    _, record = strict_task(world)
    other = next(host for host in likely(world) if host not in record.guardians and host != record.owner)
    door = world.hosts[other].open_door
    assert door is not None
    tried = replace(record, revision=record.revision + 3, guardians=(other,), previous=record.guardians)
    world.time.start(door.guard(tried), world.hosts[other].life)
    removes_the_task(world)


def test_a_guardian_with_a_promise_that_nobody_used_is_not_asked_about_it_at_every_lease() -> None:
    world = World(10, RULES)
    owner, record = strict_task(world)
    guardian = world.hosts[record.guardians[0]]
    others = [host for host in world.alive if host is not guardian]
    world.partition([others, [guardian]])
    world.run(RULES.lease_s)  # while its lease runs it promises nothing
    door = guardian.open_door
    assert door is not None
    world.time.start(door.claim(Claim("task", record.epoch + 1, "nobody", record.version)), guardian.life)
    world.heal()
    world.run(120.0)
    before = world.network.kinds["guard"]
    world.run(300.0)
    assert list(world.copies.running["task"]) == [owner.id]
    assert world.network.kinds["guard"] - before < 60  # 3 calls about twice a minute, where every lease would make 180


def test_a_guardian_that_cannot_restart_a_task_for_lack_of_others_asks_nobody() -> None:
    world = World(12, RULES)
    populate(world, 30, 150, per_second=50)
    hosts = world.alive
    world.partition([hosts[::2], hosts[1::2]])
    before = world.network.kinds["find"]
    world.run(200.0)
    assert world.notices["restart-failed"] > 100
    assert world.network.kinds["find"] - before <= 5 * (world.notices["restarted"] + 20)


def test_what_is_wrong_in_the_middle_of_everything_is_told_in_the_end() -> None:
    world = World(13, RULES)
    populate(world, 6, 12, per_second=40)
    wanted = set(world.wanted)
    world.wanted["never-placed"] = Mode.BEST_EFFORT
    SCENARIOS["everything"](world, 1.0)
    assert wanted <= world.removed
    assert [each for each in broken(world) if "run nowhere: never-placed" in each and "after herd" in each]


HISTORY = """
from supervisor.cluster.rules import Rules
from tools.simulating.scenarios import SCENARIOS, populate
from tools.simulating.verdict import figures
from tools.simulating.world import World
world = World(11, Rules())
populate(world, 10, 40, per_second=40)
SCENARIOS["flapping"](world, 2.0)
SCENARIOS["crashes"](world, 2.0)
SCENARIOS["idle"](world, 6.0)
print(figures(world))
"""


def test_the_same_seed_gives_the_same_history_whatever_python_hashes() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", HISTORY],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert "turns" in told.pop()


def test_a_simulation_that_breaks_a_promise_says_so() -> None:
    world = World(1, RULES)
    populate(world, 3, 6, per_second=40)
    label = next(iter(world.wanted))
    for host in world.alive:
        host.crash()
    found = broken(world)
    assert any("run nowhere" in each and label in each for each in found)
    assert "no host is left" in found
    assert dict(figures(world))["hosts alive"] == "0 of 3"


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"everything"}))
@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_hosts_and_two_thousand_tasks(scenario: str, seed: int) -> None:
    world = World(seed, RULES)
    populate(world, 100, 2000, per_second=200)
    SCENARIOS[scenario](world, 10.0)
    world.run(QUIET_S)
    assert broken(world) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [1, 4]
)  # 4: a strict task could not be removed any more after a partition that flapped
def test_a_hundred_hosts_survive_everything_in_one_go(seed: int) -> None:
    world = World(seed, RULES)
    populate(world, 100, 2000, per_second=200)
    SCENARIOS["everything"](world, 10.0)
    world.run(QUIET_S)
    assert broken(world) == []
