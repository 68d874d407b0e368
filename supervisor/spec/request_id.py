"""The id that a client, or a proxy in front, gave its request: what its failure is found by in the log."""

from __future__ import annotations

import re

NAME = b"x-request-id"

# What ids are made of: UUIDs, ULIDs, hex, base64 of both alphabets, trace ids with separators. Nothing that a log, a
# terminal or JSON would have to escape. Amazon's trace ids, the longest in common use, have some 100 characters.
_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")


def request_id_of(headers: bytes) -> str | None:
    """Returns the request's id; None without one, with several, or with one that is not fit to be repeated.

    `headers` is b"name\\nvalue\\n" for each field, as tasks are given them. Only called when a request failed: it
    looks through all fields.
    """
    parts = headers.split(b"\n")
    found = [value for name, value in zip(parts[0::2], parts[1::2], strict=False) if name.lower() == NAME]
    if len(found) != 1 or _ID.fullmatch(found[0]) is None:
        return None
    return found[0].decode("ascii")
