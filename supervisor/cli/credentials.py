"""The token file: what lets a person in at a host elsewhere."""

from __future__ import annotations

import os
import re
import stat

from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown

TOKEN_BYTES_MAX = 4096  # a token is some dozens of characters; larger is another file by mistake

_TOKEN = re.compile(r"[\x21-\x7e]+")


def read_token(file: str) -> str:
    """The token in `file`, without the space around it. SettingsError, which never shows what was in the file."""
    try:
        with open(file, "rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(TOKEN_BYTES_MAX + 1)
    except OSError as error:
        raise _wrong(file, f"the file cannot be read: {error.strerror}", "check the path and its permissions") from None
    except ValueError:  # NUL in the name
        raise _wrong(file, "no file can have this name", "check the name") from None
    if stat.S_ISREG(mode) and mode & 0o077:
        raise _wrong(file, f"others may read the file (mode {mode & 0o777:04o})", "chmod 600 it")
    text = data.decode("ascii", errors="replace").strip()
    if len(data) > TOKEN_BYTES_MAX or not _TOKEN.fullmatch(text):
        raise _wrong(file, "the file does not hold a token", "write the token into it, visible ASCII on one line")
    return text


def _wrong(file: str, message: str, remedy: str) -> SettingsError:
    return SettingsError([Problem(message, remedy, field="--token-file", value=shown(file))])
