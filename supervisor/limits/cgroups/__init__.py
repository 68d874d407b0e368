"""Sustained CPU quotas for threads, by the kernel's cgroups, version 1 or 2."""

from supervisor.limits.cgroups.groups import CpuGroups, Placed, QuotaUsage, foreseen_quota
from supervisor.limits.cgroups.home import move_home
from supervisor.limits.cgroups.mounts import Absent, Hierarchy, find_hierarchy

__all__ = ["Absent", "CpuGroups", "Hierarchy", "Placed", "QuotaUsage", "find_hierarchy", "foreseen_quota", "move_home"]
