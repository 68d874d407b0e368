"""dnsmasq's configuration and log as texts; test_dnsmasq.py has the real program read and write them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.dnsmasq_conf import Folders, dnsmasq_conf
from supervisor.boot.dnsmasq_log import DhcpSeen, FileNotSent, FileSent, LogReader, Seen
from supervisor.boot.kinds import Range
from supervisor.boot.network import Site, mac_of
from supervisor.boot.settings import BootSettings, MachineSettings

SITE = Site("eth1", IPv4Interface("10.0.0.1/24"), "52:54:00:00:00:fe")
FOLDERS = Folders(Path("/t"), Path("/l"), Path("/h"), Path("/p"))
SPAN = Range(IPv4Address("10.0.0.100"), IPv4Address("10.0.0.199"))
ONE = "52:54:00:00:00:01"


def lines(**settings: object) -> list[str]:
    return dnsmasq_conf(BootSettings(interface="eth1", **settings), SITE, FOLDERS).splitlines()  # type: ignore[arg-type]


def test_full_service_gives_addresses_and_tells_no_gateway_of_its_own() -> None:
    found = lines(range=SPAN, prefix=IPv6Network("fd00::/64"))
    assert "dhcp-range=10.0.0.100,10.0.0.199,255.255.255.0,3600" in found
    assert "dhcp-option=option:router" in found
    assert "enable-ra" in found
    assert not [line for line in found if line.startswith("pxe-service")]


def test_a_proxy_gives_none() -> None:
    found = lines()
    assert "dhcp-range=10.0.0.0,proxy,255.255.255.0" in found
    assert len([line for line in found if line.startswith("pxe-service=tag:!ipxe")]) == 3
    assert not [line for line in found if "dhcp-option" in line or "enable-ra" in line]


def test_strangers_are_ignored_unless_there_is_a_group_for_them() -> None:
    assert "dhcp-ignore=tag:!listed" in lines(range=SPAN)
    assert "dhcp-ignore=tag:!listed" not in lines(range=SPAN, unknown="default")


def test_machines_are_listed_by_mac_or_by_uuid() -> None:
    machines = {
        "one": MachineSettings(mac=ONE, address=IPv4Address("10.0.0.7")),
        "two": MachineSettings(uuid="00112233-4455-6677-8899-aabbccddeeff"),
    }
    found = lines(range=SPAN, machines=machines)
    assert f"dhcp-host={ONE},set:listed,10.0.0.7,one" in found
    assert "dhcp-match=set:listed,97,00:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff" in found
    assert "dhcp-match=set:listed,97,00:33:22:11:00:55:44:77:66:88:99:aa:bb:cc:dd:ee:ff" in found


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (f"dnsmasq-dhcp[7]: 99 DHCPDISCOVER(br0) {ONE} ", DhcpSeen(ONE, "DISCOVER", None, False, False)),
        (f"dnsmasq-dhcp[7]: 99 DHCPACK(br0) 10.0.0.7 {ONE} one", DhcpSeen(ONE, "ACK", "10.0.0.7", False, False)),
        (f"DHCPREQUEST(br0) 10.0.0.7 {ONE}", DhcpSeen(ONE, "REQUEST", "10.0.0.7", False, False)),
        (f"dnsmasq-dhcp[7]: 99 DHCPDISCOVER(br0) {ONE} ignored", DhcpSeen(ONE, "DISCOVER", None, False, True)),
        (f"dnsmasq-dhcp[7]: 99 PXE(br0) 10.0.0.7 {ONE} undionly.kpxe", DhcpSeen(ONE, "PXE", "10.0.0.7", True, False)),
        (f"dnsmasq-dhcp[7]: 99 PXE(br0) {ONE} proxy", DhcpSeen(ONE, "PXE", None, True, False)),
        ("dnsmasq-tftp[7]: sent /t/images/v 1/vmlinuz to 10.0.0.7", FileSent("/t/images/v 1/vmlinuz", "10.0.0.7")),
        (
            "dnsmasq-tftp[7]: failed sending /t/x to 10.0.0.7",
            FileNotSent("/t/x", "10.0.0.7", "the machine stopped answering"),
        ),
        ("dnsmasq-tftp[7]: file /t/x not found for 10.0.0.7", FileNotSent("/t/x", "10.0.0.7", "there is no such file")),
        (
            "dnsmasq-tftp[7]: error 0 TFTP Aborted received from 10.0.0.7",
            FileNotSent(None, "10.0.0.7", "TFTP Aborted"),
        ),
        ("dnsmasq-dhcp[7]: 99 available DHCP range: 10.0.0.100 -- 10.0.0.199", None),
        ("dnsmasq[7]: started, version 2.93 DNS disabled", None),
        ("", None),
    ],
)
def test_a_line_of_the_log_is_what_it_says(line: str, seen: Seen | None) -> None:
    assert LogReader().read(line) == seen


def test_requests_of_firmware_are_told_by_the_line_before() -> None:
    reader = LogReader()
    reader.read("dnsmasq-dhcp[7]: 99 vendor class: PXEClient:Arch:00000:UNDI:002001")
    firmware = [reader.read(f"dnsmasq-dhcp[7]: {xid} DHCPDISCOVER(br0) {ONE} ") for xid in (99, 98)]
    assert [each.firmware for each in firmware if isinstance(each, DhcpSeen)] == [True, False]


@given(st.text())
def test_any_line_is_read(line: str) -> None:
    LogReader().read(line)


def test_the_kernels_table_says_who_has_an_address() -> None:
    table = (
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        f"10.0.0.7         0x1         0x2         {ONE.upper()}     *        br0\n"
        "10.0.0.8         0x1         0x0         00:00:00:00:00:00     *        br0\n"
    )
    assert mac_of("10.0.0.7", table) == ONE
    assert mac_of("10.0.0.8", table) is None  # asked for, and nobody has answered
    assert mac_of("10.0.0.9", table) is None
