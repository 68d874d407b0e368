"""The settings of a boot server, of a group of machines and of a machine: each declared once, here. Pure.

Attributes that end in `_s` hold seconds; None is the word that `nothing` gives.
"""

# ruff: noqa: RUF009  # setting() is dataclasses.field() with more to say
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from types import MappingProxyType

from supervisor.boot.kinds import ADDRESS, GROUP, INTERFACE, MAC, PREFIX, RANGE, USER, UUID, VERSION, WORDS, Range
from supervisor.spec.kinds import Choice, Count, File, Switch, seconds
from supervisor.spec.setting import Setting, setting
from supervisor.spec.settings import DAY_S

BOOT_SETTINGS_FILE = "/etc/isolated/boot-server.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """What the machines of a group have in common: a table [groups.NAME]."""

    image: str | None = setting(None, VERSION, "image version that they get", nothing="promoted")
    config: Path | None = setting(None, File(), "settings file of `isolated serve` that they get", nothing="none")
    words: str = setting("", WORDS, "more words for the kernel's command line")
    key: bool = setting(
        default=False, kind=Switch(), meaning="whether they may fetch the cluster key; their machines need `mac`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings:
    """One machine: a table [machines.NAME]; the name becomes its host name. It has `mac` or `uuid`, or both."""

    mac: str | None = setting(None, MAC, "MAC address that it boots from", nothing="any")
    uuid: str | None = setting(None, UUID, "UUID of its firmware", nothing="any")
    group: str = setting("default", GROUP, "its group")
    address: IPv4Address | None = setting(None, ADDRESS, "the address that it always gets", nothing="any")
    image: str | None = setting(None, VERSION, "image version that it gets, whatever its group does", nothing="group")
    config: Path | None = setting(None, File(), "settings file that it gets instead of its group's", nothing="group")


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSettings:
    """What an operator decides for a boot server."""

    interface: str | None = setting(
        None, INTERFACE, "interface that machines boot through; has to be set", nothing="none"
    )
    range: Range | None = setting(
        None,
        RANGE,
        "addresses to give out; proxy: another server gives them out, and this one only says what to boot",
        nothing="proxy",
    )
    lease_s: float = setting(3600.0, seconds(120, 30 * DAY_S), "how long an address is given for")
    router: IPv4Address | None = setting(None, ADDRESS, "gateway that machines are told", nothing="none")
    dns: IPv4Address | None = setting(None, ADDRESS, "name server that machines are told", nothing="none")
    prefix: IPv6Network | None = setting(
        None,
        PREFIX,
        "prefix of the interface's IPv6 address to advertise; without one iPXE waits 13 s and more for somebody's",
        nothing="none",
    )
    images: Path = setting(
        Path("/var/lib/isolated-boot/images"),
        File(),
        "folder of image versions, a folder each, and of what is promoted",
    )
    state_dir: Path = setting(
        Path("/var/lib/isolated-boot/state"), File(), "folder of leases and of machines' progress"
    )
    loaders: Path = setting(Path("/usr/share/ipxe"), File(), "folder with undionly.kpxe and ipxe.efi of iPXE")
    transfer: str = setting("http", Choice(("http", "tftp")), "how kernel and initramfs travel")
    http_port: int = setting(8080, Count("port", 1, 65_535), "TCP port of the files")
    tls_port: int = setting(8443, Count("port", 1, 65_535), "TCP port where the key is fetched")
    unknown: str | None = setting(
        None, GROUP, "group of machines that are in no table; refuse: they get nothing, not even an address",
        nothing="refuse",
    )  # fmt: skip
    ca: Path | None = setting(
        None, File(), "CA that signed `tlsCert`, PEM; it travels to machines in their apkovl", nothing="none"
    )
    tls_cert: Path | None = setting(None, File(), "certificate chain of the key's server, PEM", nothing="none")
    tls_key: Path | None = setting(None, File(), "its private key, PEM", nothing="none")
    key_file: Path | None = setting(
        None, File(), "file of mode 0600 with the cluster's keys, base64, one on a line", nothing="none"
    )
    token_s: float = setting(120.0, seconds(5, 3600), "how long a one-time token for the key holds")
    dnsmasq: Path = setting(Path("/usr/sbin/dnsmasq"), File(), "the program dnsmasq")
    dnsmasq_user: str = setting("nobody", USER, "user that dnsmasq runs as, with the network's rights alone")
    log_format: str | None = setting(
        None, Choice(("console", "json")), "form of the log; auto: console on a terminal, else JSON", nothing="auto"
    )
    log_level: str = setting("info", Choice(("debug", "info", "warning", "error")), "the least important lines to log")
    groups: Mapping[str, GroupSettings] = field(default_factory=lambda: MappingProxyType({}))
    machines: Mapping[str, MachineSettings] = field(default_factory=lambda: MappingProxyType({}))


def settings_of(declared: type) -> tuple[Setting, ...]:
    """The settings that one of the classes above declares, in order."""
    return tuple(
        Setting(each.name, _name(each.name), each.default, each.metadata["setting"])
        for each in fields(declared)
        if "setting" in each.metadata
    )


def _name(attribute: str) -> str:
    first, *rest = attribute.removesuffix("_s").split("_")
    return first + "".join(word.capitalize() for word in rest)


BOOT_SETTINGS = settings_of(BootSettings)
GROUP_SETTINGS = settings_of(GroupSettings)
MACHINE_SETTINGS = settings_of(MachineSettings)
