"""Where the control API of a host is: a Unix socket of this machine, or HTTPS."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from supervisor.errors import Problem, SettingsError
from supervisor.printable import printable, shown

DEFAULT_HOST = "/run/isolated/control.sock"
PATH_BYTES_MAX = 107  # sun_path of struct sockaddr_un, and its NUL
HTTPS_PORT = 443

_ALLOWED = "/path/of/a/socket, unix:/path, or https://name:port"


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """A Unix socket of this machine."""

    path: str

    def __str__(self) -> str:
        return printable(self.path)


@dataclass(frozen=True, slots=True)
class HttpsAddress:
    """A host elsewhere; `name` is also what its certificate has to be for."""

    name: str
    port: int

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return f"https://{name}:{self.port}"


type Address = SocketAddress | HttpsAddress


def parse_address(text: str) -> Address:
    """The address that `text` says; SettingsError for what is none."""
    if text.startswith(("/", "unix:")):
        return _socket(text, text.removeprefix("unix:"))
    scheme, separator, _ = text.partition("://")
    if scheme.lower() == "https" and separator:
        return _https(text)
    if scheme.lower() == "http":
        raise _wrong(text, "plain HTTP would show the token to everybody in between", "write https://")
    raise _wrong(text, "not the address of a host", "write for example /run/isolated/control.sock")


def _socket(text: str, path: str) -> SocketAddress:
    if not path.startswith("/") or "\0" in path:
        raise _wrong(text, "not the path of a socket", "begin the path with /")
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        raise _wrong(text, f"the path is longer than {PATH_BYTES_MAX} bytes", "reach it by a shorter path, or a link")
    return SocketAddress(path)


def _https(text: str) -> HttpsAddress:
    try:
        parts = urlsplit(text)
        name, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(text, f"not an address: {printable(str(error))}", "write https://name:port") from None
    if not name or any(character.isspace() or not character.isprintable() for character in text):
        raise _wrong(text, "the address names no host", "write https://name:port")
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _wrong(text, "the address says more than a host and a port", "leave the rest out; the token is a file")
    return HttpsAddress(name, HTTPS_PORT if port is None else port)


def _wrong(text: str, message: str, remedy: str) -> SettingsError:
    return SettingsError([Problem(message, remedy, allowed=_ALLOWED, field="--host", value=shown(text))])
