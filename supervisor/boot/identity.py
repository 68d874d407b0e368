"""How machines are told apart: by the MAC address that they boot from, and by the UUID of their firmware. Pure."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from supervisor.spec.refused import Refused

_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


def parse_mac(value: object) -> str:
    """A MAC address as six lower-case pairs with colons; raises Refused. Addresses of groups are no machine's."""
    if isinstance(value, str) and _MAC.fullmatch(text := value.strip().lower()):
        mac = text.replace("-", ":")
        if not int(mac[:2], 16) & 1:
            return mac
    raise Refused(
        "not the MAC address of a machine",
        allowed="six pairs of hexadecimal digits with colons or hyphens between them, the first pair even",
        remedy="write for example '52:54:00:12:34:56'; the firmware's setup and `ip link` show it",
    )


def parse_uuid(value: object) -> str:
    """A UUID in lower case; raises Refused. All zeros or all ones is what firmware without one says."""
    if isinstance(value, str) and _UUID.fullmatch(text := value.strip().lower()) and len(set(text) - {"-"}) > 1:
        return text
    raise Refused(
        "not the UUID of a machine",
        allowed="32 hexadecimal digits in groups of 8, 4, 4, 4 and 12",
        remedy="`dmidecode -s system-uuid` shows it",
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """A machine as it names itself; `str()` is one part of a path, from which `parse_identity` makes it again."""

    mac: str
    uuid: str | None = None

    def __str__(self) -> str:
        hyphens = self.mac.replace(":", "-")
        return hyphens if self.uuid is None else f"{hyphens}_{self.uuid}"


def parse_identity(text: str) -> Identity:
    """The identity that a part of a path spells; raises Refused. A UUID that firmware made up is left out."""
    mac, _, rest = text.partition("_")
    if not rest:
        return Identity(parse_mac(mac))
    try:
        return Identity(parse_mac(mac), parse_uuid(rest))
    except Refused:
        if _UUID.fullmatch(rest.lower()):
            return Identity(parse_mac(mac))
        raise


def wire_forms(text: str) -> tuple[str, str]:
    """A UUID as firmware sends it in DHCP's option 97, in both byte orders that are met, as dnsmasq writes bytes.

    RFC 4578, 2.3: a type octet of 0, then the UUID; much firmware sends its first three fields little-endian.
    """
    parsed = uuid.UUID(text)
    little, big = (b"\0" + each for each in (parsed.bytes_le, parsed.bytes))
    return little.hex(":"), big.hex(":")
