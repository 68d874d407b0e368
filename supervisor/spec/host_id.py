"""What a host of a cluster may be called. Pure."""

from __future__ import annotations

import re

HOST_ID = r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?"  # also a name for DNS (RFC 1123), so that machines' names will do


def is_host_id(value: object) -> bool:
    """Whether it can be the id of a host."""
    return isinstance(value, str) and re.fullmatch(HOST_ID, value) is not None
