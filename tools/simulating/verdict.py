"""What a run showed: figures, and what was promised and did not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tools.simulating.world import World


def broken(world: World) -> list[str]:
    """Every promise that did not hold, in words. To be asked after the world has been quiet for QUIET_S."""
    found = list(world.violations) + list(world.time.defects)
    found += [f"two copies of a strict task: {each}" for each in world.copies.double_strict]
    return found + wrong(world)


def wrong(world: World) -> list[str]:
    """What is not as it should be at this moment, in words. To be asked after the world has been quiet for QUIET_S."""
    found = []
    if lost := world.lost():
        found.append(f"{len(lost)} tasks run nowhere: {_some(lost)}")
    if doubled := world.doubled():
        found.append(f"{len(doubled)} tasks run twice, or though they were removed: {_some(doubled)}")
    if misplaced := _misplaced(world):
        found.append(f"{len(misplaced)} tasks run on hosts that do not own them: {_some(misplaced)}")
    if crowded := [host.id for host in world.alive if len(host.running) > host.machine.tasks]:
        found.append(f"{len(crowded)} hosts run more than they have room for: {_some(crowded)}")
    if not world.alive:
        found.append("no host is left")
    return found


def figures(world: World) -> list[tuple[str, str]]:
    """What was measured: name, value."""
    kinds = world.network.kinds
    rates = Counter(int(at) for at, _, _ in world.departures)
    return [
        ("hosts alive", f"{len(world.alive)} of {len(world.hosts)}"),
        ("tasks wanted", f"{len(world.wanted)}, applied in vain {len(world.unplaced)}"),
        (
            "admissions asked for one placement",
            f"{kinds['admit'] / max(1, kinds['boot']):.2f}",
        ),
        ("calls", f"{kinds.total()}, without an answer {world.network.silences}"),
        (
            "calls for each task",
            f"{kinds.total() / max(1, len(world.wanted) + len(world.removed)):.0f}: {_kinds(kinds)}",
        ),
        ("apply until it answers, s", _spread(world.apply_s)),
        ("from the end of a copy to the next one, s", _spread(world.copies.absences)),
        ("two copies at a time, s", _spread(world.copies.overlaps)),
        ("two copies after the latest disturbance, s", _spread(world.copies.late_overlaps)),
        ("hosts that went home", f"{len(world.departures)}, at most {max(rates.values(), default=0)} in a second"),
        (
            "most hosts draining, of the share allowed",
            f"{world.most_draining:.0%}, in calm {world.most_draining_in_calm:.0%}",
        ),
        ("notices", ", ".join(f"{what} {count}" for what, count in sorted(world.notices.items())) or "none"),
        ("turns of the simulation", f"{world.time.turns}"),
    ]


def _misplaced(world: World) -> list[str]:
    owners = {
        record.label: host.id
        for host in world.alive
        if host.coordinator is not None
        for record in host.coordinator.records()
    }
    running = world.copies.running
    return [label for label in world.wanted if running.get(label) and owners.get(label) not in running[label]]


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "none"
    ordered = sorted(values)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"median {middle:.2f}, 99 % {late:.2f}, most {ordered[-1]:.2f}, of {len(ordered)}"


def _kinds(kinds: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())


def _some(labels: list[str]) -> str:
    return ", ".join(labels[:5]) + (" ..." if len(labels) > 5 else "")
