"""The benchmarks by name: their cases, who has a part in them, and how a turn is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.benchmarks import (
    coldstart,
    containment,
    crash,
    density,
    fleet,
    groups,
    handover,
    http_load,
    overshoot,
    quota,
    wake,
)
from tools.benchmarks.http_load import HttpOptions
from tools.benchmarks.load import WORKLOADS, Wrk
from tools.benchmarks.run import Plan
from tools.benchmarks.subject import Boots, Budgets, Contains, Daemons, Holds, Limits, Load, Serves, Subject


@dataclass(frozen=True)
class Size:
    """How much is measured. Each default is a compromise of noise and patience on a machine of two cores."""

    rounds: int | None = None  # None: the benchmark's own default
    seconds: int = 5
    connections: int = 64
    starts: int = 200  # the fewest whose p99 is not simply the largest
    isolates: tuple[int, ...] = (1, 100, 1000)
    shapes: tuple[str, ...] = containment.SHAPES
    terminations: int = 500  # p99 is then the fifth largest
    wakes: int = 200  # as with starts
    tasks: tuple[int, ...] = (1000,)
    running: int = 20
    handovers: int = 10
    kills: int = 5
    spin_seconds: int = 62  # the loop's lag is that of the last minute
    groups: tuple[int, ...] = (1000,)


QUICK = Size(
    rounds=1,
    seconds=2,
    starts=50,
    isolates=(1, 100),
    shapes=("many-arrays", "arraybuffers"),
    terminations=100,
    wakes=50,
    tasks=(100,),
    handovers=2,
    kills=2,
    spin_seconds=5,
    groups=(100,),
)


def http(size: Size, obtain_wrk: Callable[[], Wrk]) -> Plan[Serves]:
    """Cases are the workloads; three rounds."""
    options = HttpOptions(connections=size.connections, seconds=size.seconds)
    wrk = obtain_wrk()

    def measure(subject: Serves, case: str, folder: Path) -> dict[str, dict[str, float]]:
        return {case: http_load.measure(wrk, subject, case, options, folder)}

    return Plan(
        benchmark="http",
        cases=[workload.name for workload in WORKLOADS],
        rounds=size.rounds or 3,
        options={"connections": size.connections, "seconds": size.seconds},
        part=lambda subject, _case: subject if isinstance(subject, Serves) else None,
        measure=measure,
    )


def cold_start(size: Size) -> Plan[Boots]:
    """One turn gives the cases "cold" and, where there is one, "warm pool"; three rounds."""
    return Plan(
        benchmark="coldstart",
        cases=["start"],
        rounds=size.rounds or 3,
        options={"starts": size.starts},
        part=lambda subject, _case: subject if isinstance(subject, Boots) else None,
        measure=lambda subject, _case, folder: coldstart.measure(subject, size.starts, folder),
        note=lambda subject: subject.how_started,
    )


def idle_density(size: Size) -> Plan[Holds]:
    """Cases are the numbers of isolates; one round, since memory hardly varies between rounds."""

    def part(subject: Subject, case: str) -> Holds | None:
        return subject if isinstance(subject, Holds) and int(case) <= subject.most else None

    return Plan(
        benchmark="density",
        cases=[str(count) for count in size.isolates],
        rounds=size.rounds or 1,
        options={"isolates": list(size.isolates)},
        part=part,
        measure=lambda subject, case, folder: {case: density.measure(subject, int(case), folder)},
    )


def memory(size: Size) -> Plan[Contains]:
    """Cases are the shapes of running out of memory; one round: the figures of a script hardly vary."""
    terms = containment.Terms()
    return Plan(
        benchmark="containment",
        cases=size.shapes,
        rounds=size.rounds or 1,
        options=asdict(terms) | {"shapes": list(size.shapes)},
        part=lambda subject, _case: subject if isinstance(subject, Contains) else None,
        measure=lambda subject, case, folder: {case: containment.measure(subject, case, terms, folder)},
        note=lambda subject: subject.how_limited,
    )


def cpu(size: Size) -> Plan[Budgets]:
    """One case; one round, since a round holds as many samples as are asked for."""
    load = Load(busy=10, idle=300, terminations=size.terminations, budget_ms=50)
    return Plan(
        benchmark="overshoot",
        cases=[overshoot.case(load)],
        rounds=size.rounds or 1,
        options=asdict(load),
        part=lambda subject, _case: subject if isinstance(subject, Budgets) else None,
        measure=lambda subject, case, folder: {case: overshoot.measure(subject, load, folder)},
    )


def waking(size: Size) -> Plan[Daemons]:
    """One turn gives the cases "asleep" and "awake"; one round."""
    return Plan(
        benchmark="wake",
        cases=["wake"],
        rounds=size.rounds or 1,
        options={"wakes": size.wakes},
        part=lambda subject, _case: subject if isinstance(subject, Daemons) else None,
        measure=lambda subject, _case, folder: wake.measure(subject, size.wakes, folder),
    )


def fleets(size: Size) -> Plan[Daemons]:
    """Cases are the numbers of tasks; one round, since a round holds as many samples as tasks."""
    return Plan(
        benchmark="fleet",
        cases=[str(count) for count in size.tasks],
        rounds=size.rounds or 1,
        options={"tasks": list(size.tasks)},
        part=lambda subject, _case: subject if isinstance(subject, Daemons) else None,
        measure=lambda subject, case, folder: {case: fleet.measure(subject, int(case), folder)},
    )


def handing_over(size: Size, obtain_wrk: Callable[[], Wrk]) -> Plan[Daemons]:
    """Cases are what becomes of connections; one round."""
    relay = handover.Relay(tasks=size.running, handovers=size.handovers)
    wrk = obtain_wrk()
    return Plan(
        benchmark="handover",
        cases=handover.CASES,
        rounds=size.rounds or 1,
        options=asdict(relay),
        part=lambda subject, _case: subject if isinstance(subject, Daemons) else None,
        measure=lambda subject, case, folder: {case: handover.measure(wrk, subject, case, relay, folder)},
    )


def crashing(size: Size) -> Plan[Daemons]:
    """One case; one round, since a round holds several kills."""
    return Plan(
        benchmark="crash",
        cases=[str(size.running)],
        rounds=size.rounds or 1,
        options={"tasks": size.running, "kills": size.kills},
        part=lambda subject, _case: subject if isinstance(subject, Daemons) else None,
        measure=lambda subject, case, folder: {case: crash.measure(subject, int(case), size.kills, folder)},
    )


def quotas(size: Size) -> Plan[Limits]:
    """Cases are who spins; one round."""
    return Plan(
        benchmark="quota",
        cases=list(quota.CASES),
        rounds=size.rounds or 1,
        options={"spin_seconds": size.spin_seconds},
        part=lambda subject, _case: subject if isinstance(subject, Limits) else None,
        measure=lambda subject, case, folder: {case: quota.measure(subject, case, size.spin_seconds, folder)},
    )


def cpu_groups(size: Size) -> Plan[Limits]:
    """Cases are the numbers of groups; one round, since a round holds as many samples."""
    return Plan(
        benchmark="groups",
        cases=[str(count) for count in size.groups],
        rounds=size.rounds or 1,
        options={"groups": list(size.groups)},
        part=lambda subject, _case: subject if isinstance(subject, Limits) else None,
        measure=lambda subject, case, folder: {case: groups.measure(subject, int(case), folder)},
    )


# A benchmark is added by one more plan, one more entry here and its columns in table.py.
type AnyPlan = Plan[Any]
PLANS: dict[str, Callable[[Size, Callable[[], Wrk]], AnyPlan]] = {
    "http": http,
    "coldstart": lambda size, _obtain_wrk: cold_start(size),
    "density": lambda size, _obtain_wrk: idle_density(size),
    "containment": lambda size, _obtain_wrk: memory(size),
    "overshoot": lambda size, _obtain_wrk: cpu(size),
    "wake": lambda size, _obtain_wrk: waking(size),
    "fleet": lambda size, _obtain_wrk: fleets(size),
    "handover": handing_over,
    "crash": lambda size, _obtain_wrk: crashing(size),
    "quota": lambda size, _obtain_wrk: quotas(size),
    "groups": lambda size, _obtain_wrk: cpu_groups(size),
}
