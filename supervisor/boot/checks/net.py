"""Checks of the network: other DHCP servers, ports, TFTP, addresses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

from supervisor.boot.checks import dhcp_probe, tftp
from supervisor.boot.checks.finding import Finding, error, warning
from supervisor.boot.dnsmasq_conf import BIOS_LOADER, UEFI_LOADER
from supervisor.boot.network import Site
from supervisor.boot.settings import BootSettings

IF_INET6 = Path("/proc/net/if_inet6")


def check_addresses(settings: BootSettings, site: Site) -> Iterator[Finding]:
    """Whether the settings' addresses are those of the interface's network."""
    network = site.address.network
    named = {f"machines.{name}.address": each.address for name, each in settings.machines.items()}
    if settings.range is not None:
        named |= {"range": settings.range.first, "the end of range": settings.range.last, "router": settings.router}
        if settings.range.first <= site.address.ip <= settings.range.last:
            yield error(f"range has {site.address.ip}, which is our own address", "choose a range without it")
    for name, address in named.items():
        if address is not None and address not in network:
            remedy = f"choose one within {network}, or give {site.interface} an address there"
            yield error(f"{name} is {address}, which is not in the network of {site.interface}, {network}", remedy)
    if settings.prefix is not None and not has_prefix(site.interface, settings.prefix):
        remedy = f"ip -6 address add {settings.prefix.network_address + 1}/64 dev {site.interface}"
        yield warning(
            f"{site.interface} has no address in {settings.prefix}, which is not advertised therefore", remedy
        )


def has_prefix(interface: str, prefix: IPv6Network) -> bool:
    """Whether the interface has an IPv6 address in it."""
    for line in IF_INET6.read_text().splitlines() if IF_INET6.exists() else []:
        fields = line.split()
        if fields[-1] == interface and IPv6Address(int(fields[0], 16)) in prefix:
            return True
    return False


def check_other_servers(settings: BootSettings, site: Site, wait_s: float) -> Iterator[Finding]:
    """Asks for an address. Beside `range` nobody else may answer; as a proxy, somebody has to."""
    try:
        answers = dhcp_probe.offers(site.interface, site.mac, wait_s)
    except OSError as refused:
        yield warning(f"no DHCP request could be sent: {refused.strerror}", "run the check as root")
        return
    others = [each for each in answers if each.server != site.address.ip]
    if settings.range is not None:
        for each in others:
            offered = "what to boot" if each.address is None else str(each.address)
            remedy = "switch it off for this network, or set range = 'proxy' and let it give out the addresses"
            yield error(f"another DHCP server answers on {site.interface}: {each.server} offers {offered}", remedy)
    elif all(each.address is None for each in others):
        remedy = "switch one on, or set `range` so that this server gives them out"
        yield error(f"range is proxy, and no DHCP server gives out addresses on {site.interface}", remedy)


def check_ports(settings: BootSettings, site: Site) -> Iterator[Finding]:
    """While no boot server runs: whether its ports are free."""
    address = str(site.address.ip)
    wanted = [
        (socket.SOCK_DGRAM, "", 67),
        (socket.SOCK_DGRAM, address, 69),
        (socket.SOCK_STREAM, address, settings.http_port),
    ]
    if settings.key_file is not None:
        wanted.append((socket.SOCK_STREAM, address, settings.tls_port))
    for kind, host, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what was closed just now is free
            try:
                probe.bind((host, port))
            except PermissionError:
                yield warning(f"whether port {port} is free cannot be told without rights", "run the check as root")
            except OSError as refused:
                protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
                remedy = (
                    f"`ss -lnp{'t' if protocol == 'TCP' else 'u'}` shows who has it; end that, or choose another port"
                )
                yield error(f"{protocol} port {port}: {refused.strerror}", remedy)


def check_tftp(settings: BootSettings, site: Site) -> Iterator[Finding]:
    """While a boot server runs: fetches a loader as firmware does."""
    name = BIOS_LOADER if (settings.loaders / BIOS_LOADER).is_file() else UEFI_LOADER
    address = str(site.address.ip)
    try:
        tftp.fetch(address, name, limit=4096, source=address)
    except tftp.TftpError as refused:
        remedy = f"let UDP port 69 and answers from high ports through the firewall of {site.interface}; see its log"
        yield error(f"{name} does not come by TFTP from {address}: {refused}", remedy)
    except OSError as refused:
        yield error(f"TFTP cannot be tried: {refused.strerror}", "check the interface")
