"""The settings of a host: each declared once, here. Pure; settings_load.py reads them, settings_doc.py tells of them.

Attributes that end in `_s` hold seconds; sizes are bytes; None is the word that `nothing` gives.
"""

# ruff: noqa: RUF009  # setting() is dataclasses.field() with more to say
from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from supervisor.spec.kinds import (
    Address,
    Addresses,
    Choice,
    CoreList,
    Count,
    File,
    HostName,
    Interfaces,
    Share,
    Switch,
    Text,
    seconds,
    size,
)
from supervisor.spec.listen import ListenAddress
from supervisor.spec.program import Program
from supervisor.spec.setting import Setting, setting
from supervisor.spec.spares import Spare, Spares
from supervisor.spec.taint import Thresholds

SETTINGS_FILE = "/etc/isolated/isolated.toml"

MIB = 2**20
GIB = 2**30
TIB = 2**40
DAY_S = 86_400

CLUSTER_PORT, GOSSIP_PORT = 7443, 7946  # as the documentation has them

COUNT_MAX = 1_000_000  # beyond the open files and threads that a process is usually given
MEMORY_SHARE = 0.25  # of the machine's memory: how much may stay with parked threads if nothing else is said


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """What an operator decides for a host. The defaults are those of a machine with some GiB of memory."""

    state_dir: Path = setting(Path("/var/lib/isolated"), File(), "folder of the store and of uploaded bundles")
    socket: Path = setting(
        Path("/run/isolated/control.sock"), File(socket=True), "Unix socket of the control API, for its owner only"
    )
    api_listen: ListenAddress | None = setting(
        None, Address(unix=False), "where the control API is served by TLS as well", nothing="none"
    )
    api_token_file: Path | None = setting(
        None, File(), "file of mode 0600 with the token that clients of `apiListen` show", nothing="none"
    )
    api_cert: Path | None = setting(None, File(), "certificate chain of `apiListen`, PEM", nothing="none")
    api_key: Path | None = setting(None, File(), "private key of `apiListen`, PEM", nothing="none")
    metrics_listen: ListenAddress | None = setting(
        None, Address(unix=True), "where /metrics and /healthz alone are served, without a token", nothing="none"
    )
    warm: int = setting(4, Count("isolates", 0, 1000), "isolates kept ready for the next boot, about 1.5 MiB each")
    isolates: int | None = setting(
        2000, Count("isolates", 1, COUNT_MAX), "isolates alive at once, over all tasks", nothing="unlimited"
    )
    memory: int | None = setting(
        None, size(16 * MIB, 64 * TIB), "sum of the memory limits of living isolates", nothing="unlimited"
    )
    connections: int | None = setting(
        10_000, Count("connections", 1, COUNT_MAX), "open connections of clients, over all tasks", nothing="unlimited"
    )
    full_task: str = setting(
        "answer",
        Choice(("answer", "backlog")),
        "what becomes of connections beyond `limits.net.connections`: answered with 503, or left until one closes",
    )
    queue: int | None = setting(
        1000,
        Count("requests", 1, COUNT_MAX),
        "requests of a task that wait for its isolate to boot",
        nothing="unlimited",
    )
    drain_s: float = setting(
        30.0, seconds(1, 3600), "how long requests under way may take once the host or a task was asked to stop"
    )
    bundle_size: int = setting(64 * MIB, size(1024, 16 * GIB), "an uploaded bundle, packed")
    bundle_unpacked: int = setting(256 * MIB, size(1024, 64 * GIB), "an uploaded bundle, unpacked")
    bundle_entries: int = setting(10_000, Count("entries", 1, COUNT_MAX), "files and folders in a bundle")
    block_for_s: float = setting(
        3600.0, seconds(1, 100 * DAY_S), "how long a script is not started again whose thread had to be parked"
    )
    console_lines: int | None = setting(
        200,
        Count("lines per second", 1, COUNT_MAX),
        "console lines of a task that are kept; the rest are counted",
        nothing="unlimited",
    )
    handover_parked: int | None = setting(
        20, Count("threads", 1, COUNT_MAX), "parked threads after which a fresh process takes over", nothing="unlimited"
    )
    handover_mappings: float | None = setting(
        0.7,
        Share(0.1, 1.0),
        "share of vm.max_map_count after which a fresh process takes over, once a thread is parked",
        nothing="unlimited",
    )
    handover_memory: int | None = setting(
        None,
        size(16 * MIB, 64 * TIB),
        "memory that no living isolate accounts for, after which a fresh process takes over, once a thread is parked; "
        f"auto: {MEMORY_SHARE:.0%} of the machine's",
        nothing="auto",
    )
    handover_ready_s: float = setting(
        60.0, seconds(1, 3600), "how long a fresh process may take to get ready; after that the old one goes on"
    )
    unenforced: str = setting(
        "refuse",
        Choice(("refuse", "warn")),
        "what becomes of a task with a limit that this host cannot hold: it is refused, or runs without with a warning",
    )
    loop_cores: tuple[int, ...] | None = setting(
        None,
        CoreList(),
        "cores for the host's own threads: event loop, watchdog, readers; tasks without `cpu` still run on all of them",
        nothing="any",
    )
    shape_interfaces: tuple[str, ...] | None = setting(
        None,
        Interfaces(),
        "interfaces on which `limits.net.egress` is held; auto: those that carry the traffic of a task; none: nowhere",
        nothing="auto",
    )
    take_qdiscs: bool = setting(
        default=False,
        kind=Switch(),
        meaning="whether a root qdisc that somebody else set on such an interface is replaced, for good",
    )
    cluster_listen: ListenAddress | None = setting(
        None,
        Address(unix=False, usual=CLUSTER_PORT),
        "where other hosts reach this one: with it the host is one of a cluster",
        nothing="none",
    )
    cluster_advertise: ListenAddress | None = setting(
        None,
        Address(unix=False, usual=CLUSTER_PORT),
        "the address that others are told; auto: that of `clusterListen`",
        nothing="auto",
    )
    cluster_key_file: Path | None = setting(
        None, File(), "file of mode 0600 with the keys that all hosts of the cluster share, one a line", nothing="none"
    )
    cluster_join: tuple[str, ...] = setting(
        (), Addresses(GOSSIP_PORT), "`gossipListen` of hosts at which the cluster is looked for; one that is up will do"
    )
    gossip_listen: ListenAddress = setting(
        ListenAddress("tcp", host="0.0.0.0", port=GOSSIP_PORT),  # by its key, nobody but hosts is listened to
        Address(unix=False, usual=GOSSIP_PORT),
        "where the gossip of the hosts is heard, by TCP and UDP",
    )
    gossip_advertise: ListenAddress | None = setting(
        None,
        Address(unix=False, usual=GOSSIP_PORT),
        "the address of that which others are told; auto: the host of `clusterAdvertise`",
        nothing="auto",
    )
    host_id: str | None = setting(
        None,
        HostName(),
        "what the host is called in the cluster; auto: the machine's name and six digits",
        nothing="auto",
    )
    image_id: str = setting("", Text(), "the image that the host was booted with; newer ones take over the work")
    cluster_grace_s: float = setting(
        30.0, seconds(1, 3600), "how long a host may not answer before its tasks start elsewhere"
    )
    cluster_floor: int = setting(3, Count("hosts", 1, 1000), "so many hosts, the newest, are never switched off")
    cluster_idle_s: float = setting(300.0, seconds(1, 100 * DAY_S), "how long a host has no work before it may go home")
    cluster_age_s: float = setting(600.0, seconds(0, 100 * DAY_S), "how long it stays up before that, at least")
    power_off: bool = setting(
        default=False, kind=Switch(), meaning="whether a host that went home is switched off; else it only says so"
    )
    power_off_command: tuple[str, ...] = setting(("poweroff",), Program(), "the command that switches it off, no shell")
    reboot_command: tuple[str, ...] = setting(
        ("reboot",), Program(), "the command by which it starts again with a newer image instead, if `powerOff` is true"
    )
    spares: tuple[Spare, ...] = setting(
        (), Spares(), "hosts that are off, and how each is started when no host has room"
    )
    boot_time_s: float | None = setting(
        None, seconds(0, 100 * 365 * DAY_S), "in place of the machine's, since 1970", nothing="auto", hidden=True
    )
    cluster_pace: float = setting(1.0, Share(0.01, 1.0), "all times of the cluster's rules, for tests", hidden=True)
    log_format: str | None = setting(
        None, Choice(("console", "json")), "form of the log; auto: console on a terminal, else JSON", nothing="auto"
    )
    log_level: str = setting("info", Choice(("debug", "info", "warning", "error")), "the least important lines to log")
    v8_flags: str = setting("", Text(), "flags for V8 itself", hidden=True)
    seccomp: bool = setting(default=True, kind=Switch(), meaning="whether isolate threads are confined", hidden=True)

    def thresholds(self, machine_memory: int) -> Thresholds:
        """When a fresh process takes over, on a machine with so many bytes of memory."""
        memory = int(machine_memory * MEMORY_SHARE) if self.handover_memory is None else self.handover_memory
        return Thresholds(parked=self.handover_parked, mappings=self.handover_mappings, memory=memory)


def _settings() -> tuple[Setting, ...]:
    return tuple(
        Setting(each.name, _name(each.name), each.default, each.metadata["setting"]) for each in fields(HostSettings)
    )


def _name(attribute: str) -> str:
    first, *rest = attribute.removesuffix("_s").split("_")
    return first + "".join(word.capitalize() for word in rest)


SETTINGS = _settings()
