"""Addresses that a task is served at: 'host:port', '[::1]:port' or 'unix:/path'."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from supervisor.spec.refused import Refused

# sockaddr_un's sun_path holds 108 bytes, the last of which is the closing NUL (unix(7)).
UNIX_PATH_BYTES = 107
PORT_MAX = 65_535
HOST_NAME_LENGTH = 253  # RFC 1035, 2.3.4, without the closing dot

ALLOWED = "'host:port', '[IPv6]:port' or 'unix:/path', port 0 (any free one) to 65535"
# Looser than the parser, which also knows IPv4 and IPv6: for editors.
LISTEN_PATTERN = r"^(unix:/.*[^/]|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?\]:[0-9]{1,5}|[A-Za-z0-9_.-]+:[0-9]{1,5})$"
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII | re.IGNORECASE)
_SCOPE = re.compile(r"[A-Za-z0-9_.-]{1,15}", re.ASCII)  # a network interface's name (IFNAMSIZ less the closing NUL)


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen; two addresses are equal when they are the same spelled in another way."""

    kind: Literal["tcp", "unix"]
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.kind == "unix":
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_any_port(self) -> bool:
        """Whether the system chooses the port, so that the same address may stand twice."""
        return self.kind == "tcp" and self.port == 0


def parse_listen(value: object, usual: int = 3000) -> ListenAddress:
    """The address that `value` spells, in its one canonical form; raises Refused, with the `usual` port as example."""
    if isinstance(value, ListenAddress):
        value = str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        _refuse(
            "a number is not an address", f"write '127.0.0.1:{value}', or '0.0.0.0:{value}' to be reached from outside"
        )
    if not isinstance(value, str):
        _refuse("an address is a text", f"write for example '127.0.0.1:{usual}'")
    if value.startswith("unix:"):
        return ListenAddress("unix", path=_unix_path(value.removeprefix("unix:")))
    if "://" in value:
        _refuse("an address has no scheme", f"write '{value.split('://', 1)[1].split('/')[0]}'")
    if value.startswith(("/", "./", "@")):
        _refuse("a path needs unix: before it", "write 'unix:/absolute/path'")
    host, colon, port = value.rpartition(":")
    if not colon:
        host, port = ("127.0.0.1", value) if value.isdigit() else (value or "127.0.0.1", str(usual))
        _refuse(f"the {'host' if value.isdigit() else 'port'} is missing", f"write for example '{host}:{port}'")
    return ListenAddress("tcp", host=_host(host, port, usual), port=_port(port))


def _unix_path(path: str) -> str:
    if not path.startswith("/"):
        _refuse("the path of a Unix socket must be absolute", "write 'unix:/absolute/path'")
    if "\0" in path or not _is_utf8(path):
        _refuse("the path holds a character that no path can hold", "choose another path")
    if path.endswith("/"):
        _refuse("the path of a Unix socket ends with the name of the socket", f"write 'unix:{path}task.sock'")
    path = "/" + posixpath.normpath(path).lstrip("/")
    length = len(path.encode())
    if length > UNIX_PATH_BYTES:
        _refuse(
            f"the path has {length} bytes and the system takes {UNIX_PATH_BYTES}",
            "choose a shorter path, for example under /run",
        )
    return path


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > PORT_MAX:
        _refuse(f"{text!r} is not a port", "write a number from 0 to 65535 after the last colon; 0 takes any free port")
    return int(text)


def _host(host: str, port: str, usual: int) -> str:
    if host.startswith("[") and host.endswith("]"):
        return _ipv6(host[1:-1], usual)
    if host in ("", "*"):
        _refuse("the host is missing", f"write '127.0.0.1:{port}' (this machine only) or '0.0.0.0:{port}' (everybody)")
    if ":" in host:
        _refuse("an IPv6 address needs brackets", f"write '[{host}]:{port}'")
    if host.rpartition(".")[2].isdigit():  # as in WHATWG URL: what ends in a number is an IPv4 address or nothing
        return _ipv4(host)
    if len(host) > HOST_NAME_LENGTH or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        _refuse(f"{host!r} is not a host name", "write an address as 127.0.0.1 or [::1], or a name as localhost")
    return host.lower()


def _ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        _refuse(f"{host!r} is not an IPv4 address", "write four numbers from 0 to 255, as in 127.0.0.1")


def _ipv6(host: str, usual: int) -> str:
    scope = host.partition("%")[2]
    try:
        if "%" in host and not _SCOPE.fullmatch(scope):
            raise ValueError
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        _refuse(f"{host!r} is not an IPv6 address", f"write for example [::1]:{usual}; a host name takes no brackets")


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _refuse(message: str, remedy: str) -> NoReturn:
    raise Refused(message, allowed=ALLOWED, remedy=remedy)
