"""From a task's settings to the record that is placed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Mode, Needs, Record
from supervisor.pool.room import memory_of
from supervisor.spec.settings import HostSettings
from supervisor.spec.task import TaskSpec


def wanted_record(spec: TaskSpec, settings: Mapping[str, Any], bundle: str | None, *, wanted: bool = True) -> Record:
    """What is asked of the cluster; version, owner and guardians come with the placement."""
    cores = (spec.cpu,) if isinstance(spec.cpu, int) else spec.cpu
    return Record(
        label=spec.label,
        epoch=0,
        revision=0,
        owner="",
        settings=dict(settings),
        bundle=bundle,
        wanted=wanted,
        needs=Needs(memory_of(spec.limits.mem), cores=cores, hosts=spec.placement.hosts),
        mode=Mode(spec.placement.mode),
    )


def rules_of(settings: HostSettings) -> Rules:
    """The numbers of the cluster's rules."""
    pace = settings.cluster_pace
    plain = Rules(
        grace_s=settings.cluster_grace_s,
        floor=settings.cluster_floor,
        idle_s=settings.cluster_idle_s,
        age_s=settings.cluster_age_s,
        goes_home=settings.power_off,
    )
    return plain if pace == 1.0 else plain.paced(pace)
