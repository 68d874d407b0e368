"""The configuration of dnsmasq, from our settings. Pure.

It answers DHCP (or only adds what to boot to another server's answers), serves the loaders by TFTP and advertises a
router. What a machine boots is decided by our own HTTP, which iPXE asks: here are only the ways to iPXE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from supervisor.boot.identity import wire_forms
from supervisor.boot.network import Site
from supervisor.boot.settings import BootSettings

BIOS_LOADER, UEFI_LOADER = "undionly.kpxe", "ipxe.efi"
# RFC 4578, 2.1 and IANA's registry of processor architectures: EFI byte code, which much firmware says, and x86-64.
UEFI_ARCHITECTURES = (7, 9)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where dnsmasq reads and writes: files by TFTP, leases, and machines that we heard of while it ran."""

    tftp: Path
    leases: Path
    heard: Path
    pid: Path


def dnsmasq_conf(settings: BootSettings, site: Site, folders: Folders) -> str:
    """The text of its configuration file."""
    sections = (_process(settings, site, folders), _addresses(settings, site), _who(settings, folders))
    lines = [*(line for section in sections for line in section), *_what_to_boot(settings, site)]
    return "\n".join(("# Made by `isolated boot-server`; changes are lost.", *lines)) + "\n"


def _process(settings: BootSettings, site: Site, folders: Folders) -> Iterator[str]:
    yield "port=0"  # no DNS
    yield f"interface={site.interface}"
    yield "except-interface=lo"
    yield "bind-interfaces"
    yield f"user={settings.dnsmasq_user}"
    if settings.dnsmasq_user == "root":  # or it changes its group, and so forgets with whom it is to die
        yield "group=root"
    yield f"pid-file={folders.pid}"
    yield "log-facility=-"
    yield "log-dhcp"
    yield "enable-tftp"
    yield f"tftp-root={folders.tftp}"
    yield "tftp-no-fail"
    yield f"dhcp-leasefile={folders.leases}"


def _addresses(settings: BootSettings, site: Site) -> Iterator[str]:
    network = site.address.network
    if settings.range is None:
        yield f"dhcp-range={network.network_address},proxy,{network.netmask}"
    else:
        span = f"{settings.range.first},{settings.range.last},{network.netmask}"
        yield f"dhcp-range={span},{round(settings.lease_s)}"
        yield "dhcp-authoritative"  # a machine that was elsewhere before is told so at once
        yield f"dhcp-option=option:router{_told(settings.router)}"
        yield f"dhcp-option=option:dns-server{_told(settings.dns)}"
    if settings.prefix is not None:
        yield "enable-ra"
        yield f"dhcp-range={settings.prefix.network_address},ra-only,64"
        yield f"ra-param={site.interface},10,0"  # every 10 s, and no router of ours for other networks


def _told(value: object | None) -> str:
    """An option's value; without one the option is not sent, where dnsmasq would name itself."""
    return "" if value is None else f",{value}"


def _who(settings: BootSettings, folders: Folders) -> Iterator[str]:
    for name, machine in settings.machines.items():
        if machine.mac is not None:
            words = [machine.mac, "set:listed", *([str(machine.address)] if machine.address else []), name]
            yield f"dhcp-host={','.join(words)}"
        if machine.uuid is not None and machine.mac is None:
            yield from (f"dhcp-match=set:listed,97,{form}" for form in dict.fromkeys(wire_forms(machine.uuid)))
    yield f"dhcp-hostsdir={folders.heard}"
    if settings.unknown is None:
        yield "dhcp-ignore=tag:!listed"


def _what_to_boot(settings: BootSettings, site: Site) -> Iterator[str]:
    yield "dhcp-match=set:ipxe,175"  # iPXE's own option, in each of its requests
    for number in UEFI_ARCHITECTURES:
        yield f"dhcp-match=set:uefi,option:client-arch,{number}"
    yield f"dhcp-boot=tag:ipxe,http://{site.address.ip}:{settings.http_port}/boot.ipxe"
    yield f"dhcp-boot=tag:!ipxe,tag:uefi,{UEFI_LOADER}"
    yield f"dhcp-boot=tag:!ipxe,tag:!uefi,{BIOS_LOADER}"
    if settings.range is None:  # beside another server, firmware takes a menu of one entry; iPXE the name above
        yield f'pxe-service=tag:!ipxe,x86PC,"iPXE",{BIOS_LOADER}'
        for kind in ("BC_EFI", "X86-64_EFI"):
            yield f'pxe-service=tag:!ipxe,{kind},"iPXE",{UEFI_LOADER}'
