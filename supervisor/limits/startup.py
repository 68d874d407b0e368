"""At start: limits are raised as far as rights go, and what is too narrow for the settings is told with its remedy."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

from supervisor.limits.files import raise_open_files
from supervisor.limits.machine import Machine, read_machine
from supervisor.spec.settings import HostSettings
from supervisor.spec.units import SIZE

# Mappings of an isolate that has run for a while; a full heap of 16 MiB makes it about 90.
MAPPINGS_EACH = 22
# The interpreter, V8's code and the libraries, with room: about 700 of a host without isolates.
MAPPINGS_OWN = 2000
# An isolate has one thread; V8's own, Python's and the store's are a few dozen.
THREADS_OWN = 64
# One event of each isolate; listeners, the store, logs and outgoing connections have the rest.
FILES_OWN = 256
# A hand-over has two processes for a while.
PROCESSES = 2
# What an isolate reserves (and does not use) of the address space.
RESERVED_EACH = 33 * 2**20
# The least that a host with a handful of small isolates runs in.
MEMORY_MIN = 256 * 2**20


def prepare(settings: HostSettings) -> tuple[str, ...]:
    """Raises the limit of open files, then tells what the operator should mend. Before capabilities are dropped."""
    raise_files_to(files_needed(settings))
    return advice(read_machine(), settings)


def raise_files_to(wanted: int) -> int:
    """Raises the limit of open files to what its hard limit is, and that one to `wanted` if rights allow it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        with contextlib.suppress(ValueError, OSError):  # needs CAP_SYS_RESOURCE, and fs.nr_open is above it
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    return raise_open_files()


def files_needed(settings: HostSettings) -> int:
    """How many files a host with these settings may have open at once."""
    return (settings.isolates or 0) + (settings.connections or 0) + FILES_OWN


def advice(machine: Machine, settings: HostSettings) -> tuple[str, ...]:
    """What is too narrow on `machine` for `settings`, each with what to do, worst first. Pure."""
    return (
        *_mappings(machine, settings),
        *_files(machine, settings),
        *_threads(machine, settings),
        *_memory(machine, settings),
    )


def _mappings(machine: Machine, settings: HostSettings) -> Iterator[str]:
    if settings.isolates is None:
        return
    wanted = settings.isolates * MAPPINGS_EACH + MAPPINGS_OWN
    if wanted > machine.mappings:
        room = max(0, (machine.mappings - MAPPINGS_OWN) // MAPPINGS_EACH)
        yield (
            f"vm.max_map_count is {machine.mappings}, room for about {room} isolates of the {settings.isolates} that "
            f"`isolates` allows: `sysctl -w vm.max_map_count={_round(wanted)}`, and the same in /etc/sysctl.d/, "
            "or lower `isolates`"
        )


def _files(machine: Machine, settings: HostSettings) -> Iterator[str]:
    wanted = files_needed(settings)
    if machine.open_files is not None and wanted > machine.open_files:
        yield (
            f"at most {machine.open_files} files may be open and `isolates` and `connections` together need {wanted}: "
            f"raise LimitNOFILE= (systemd), rc_ulimit (OpenRC) or `ulimit -n` to {_round(wanted)}, or lower one of them"
        )


def _threads(machine: Machine, settings: HostSettings) -> Iterator[str]:
    wanted = ((settings.isolates or 0) + THREADS_OWN) * PROCESSES
    if machine.processes is not None and wanted > machine.processes:
        remedy = {
            "RLIMIT_NPROC": "raise LimitNPROC= (systemd) or `ulimit -u`",
            "kernel.threads-max": f"`sysctl -w kernel.threads-max={_round(wanted)}`",
            "kernel.pid_max": f"`sysctl -w kernel.pid_max={_round(wanted)}`",
        }.get(machine.processes_by, "raise TasksMax= (systemd) or the cgroup's pids.max")
        yield (
            f"{machine.processes_by} is {machine.processes}; {settings.isolates} isolates need {wanted} threads "
            f"during a hand-over: {remedy}, or lower `isolates`"
        )


def _memory(machine: Machine, settings: HostSettings) -> Iterator[str]:
    if machine.overcommit == 2:  # as in the kernel's documentation
        yield (
            "vm.overcommit_memory is 2: the kernel refuses memory before it is used up, so isolates may fail to boot "
            "while some is free: `sysctl -w vm.overcommit_memory=0`"
        )
    if machine.address_space is not None and machine.address_space < (settings.isolates or 1) * RESERVED_EACH:
        yield (
            f"the address space is limited to {SIZE.tell(machine.address_space)}, and each isolate reserves "
            f"{SIZE.tell(RESERVED_EACH)} of it: remove the limit (`ulimit -v unlimited`, LimitAS=infinity)"
        )
    if settings.memory is not None and settings.memory > machine.memory:
        yield (
            f"`memory` is {SIZE.tell(settings.memory)} and the machine has {SIZE.tell(machine.memory)}: "
            "lower it, or isolates together may use more than there is"
        )
    if machine.memory < MEMORY_MIN:
        yield f"{SIZE.tell(machine.memory)} of memory is little for a host: give it {SIZE.tell(MEMORY_MIN)} or more"


def _round(number: int) -> int:
    """The next power of two: what people expect of such a limit."""
    return 1 << (number - 1).bit_length()
