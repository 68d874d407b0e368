"""The agent's file of keys. It writes this file itself, in place: who ends in the middle of that leaves half of one."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

from supervisor.cluster.serf.rotation import encoded

KEY_LENGTHS = (16, 24, 32)  # bytes: AES-128, -192 and -256, as memberlist takes them


def content(keys: Sequence[bytes]) -> str:
    """The file's content: the first key is the one in use."""
    return json.dumps([encoded(key) for key in keys])


def is_whole(file: Path) -> bool:
    """Whether an agent could start from it: none does from a file that is cut off. OSError, but for a missing file."""
    try:
        keys = json.loads(file.read_bytes())
        return (
            isinstance(keys, list) and bool(keys) and all(len(b64decode(k, validate=True)) in KEY_LENGTHS for k in keys)
        )
    except FileNotFoundError, ValueError, TypeError, RecursionError:
        return False
