"""What lines of dnsmasq's log mean. Pure but for what it remembers of a line that belongs to the next ones.

The forms are those of dnsmasq 2.80 to 2.92 with `log-dhcp`; a line in another form is no event, and is logged as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_XID = r"(?:(?P<xid>\d+) )?"
_MAC = r"(?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5})"
_DHCP = re.compile(
    rf"{_XID}(?P<kind>PXE|DHCP(?:DISCOVER|OFFER|REQUEST|ACK|NAK))\([^)]+\) (?:(?P<address>[\d.]+|proxy) )?{_MAC}"
    r"(?: (?P<rest>.*))?"
)
_VENDOR = re.compile(rf"{_XID}vendor class: PXEClient.*")
_SENT = re.compile(r"sent (?P<path>/.*) to (?P<address>[\d.]+)")
_FAILED = re.compile(r"failed sending (?P<path>/.*) to (?P<address>[\d.]+)")
_MISSING = re.compile(r"file (?P<path>\S.*) not found(?: for (?P<address>[\d.]+))?")
_ABORTED = re.compile(r"error (?P<code>\d+) (?P<why>.*) received from (?P<address>[\d.]+)")
_KEPT = 256  # requests that are remembered at once as those of firmware


@dataclass(frozen=True, slots=True)
class DhcpSeen:
    """A machine and dnsmasq spoke of an address. `firmware`: by the network card, before any system runs."""

    mac: str
    kind: str  # DISCOVER, OFFER, REQUEST, ACK, NAK, PXE
    address: str | None
    firmware: bool
    refused: bool


@dataclass(frozen=True, slots=True)
class FileSent:
    """A file went by TFTP to an address, whole."""

    path: str
    address: str


@dataclass(frozen=True, slots=True)
class FileNotSent:
    """A file did not, or not whole."""

    path: str | None
    address: str | None
    why: str


type Seen = DhcpSeen | FileSent | FileNotSent


class LogReader:
    """Reads lines in their order."""

    def __init__(self) -> None:
        self._firmware: dict[str, None] = {}  # numbers of requests, in the order of their coming

    def read(self, line: str) -> Seen | None:
        """What a line says; None: nothing that we follow. `line` may have dnsmasq's own name and time before it."""
        _, _, text = line.partition(": ") if line.startswith("dnsmasq") or ": " in line[:60] else ("", "", line)
        text = (text or line).strip()
        if match := _VENDOR.fullmatch(text):
            self._remember(match["xid"])
            return None
        if match := _DHCP.fullmatch(text):
            return self._dhcp(match)
        if match := _SENT.fullmatch(text):
            return FileSent(match["path"], match["address"])
        if match := _FAILED.fullmatch(text):
            return FileNotSent(match["path"], match["address"], "the machine stopped answering")
        if match := _MISSING.fullmatch(text):
            return FileNotSent(match["path"], match["address"], "there is no such file")
        if match := _ABORTED.fullmatch(text):
            return FileNotSent(None, match["address"], match["why"])
        return None

    def _dhcp(self, match: re.Match[str]) -> DhcpSeen:
        kind = match["kind"].removeprefix("DHCP")
        address = match["address"] if match["address"] != "proxy" else None
        firmware = kind == "PXE" or (match["xid"] or "") in self._firmware
        return DhcpSeen(match["mac"], kind, address, firmware, (match["rest"] or "").strip() == "ignored")

    def _remember(self, number: str | None) -> None:
        if number is not None:
            self._firmware[number] = None
            while len(self._firmware) > _KEPT:
                del self._firmware[next(iter(self._firmware))]
