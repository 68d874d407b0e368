"""Who may start a machine: the file that a Redfish spare names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from supervisor.spec.secret_file import read_secret, wrong_file

FIELD = "credentials"
LENGTH = 1024  # bytes; management controllers take 20 to 40 characters each
_LINE = re.compile(r"([^:\x00-\x1f\x7f]+):([^\x00-\x1f\x7f]+)")  # RFC 7617: no colon in the name, no control characters
_ALLOWED = f"a file of mode 0600 with one line of at most {LENGTH} bytes, user:password"
_MAKE = "make one: `(umask 077; cat > FILE)`, and type user:password, Enter, Ctrl-D"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name, and what only its owner knows."""

    user: str
    password: str = field(repr=False)


def read_credentials(file: Path) -> Credentials:
    """The one line `user:password` of `file`; SettingsError if it is none, or others can read it."""
    secret = read_secret(file, field=FIELD, limit=LENGTH + 1, remedy=_MAKE, allowed=_ALLOWED)
    try:
        found = _LINE.fullmatch(secret.decode().rstrip("\r\n")) if len(secret) <= LENGTH else None
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise wrong_file(FIELD, file, "it does not hold user:password", _MAKE, _ALLOWED)
    return Credentials(found[1], found[2])
