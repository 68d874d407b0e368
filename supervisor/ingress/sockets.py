"""Listening sockets: made, bound and, where they are files, removed."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace

from supervisor.errors import ListenError
from supervisor.spec.listen import ListenAddress

# How often a free port of one of a name's addresses may turn out taken on another before we give up.
PORT_TRIES = 8


@dataclass(frozen=True, slots=True)
class Bound:
    """A socket that is bound and not listening yet, and the address as it came out."""

    sock: socket.socket
    address: ListenAddress
    inode: tuple[int, int] | None = None  # device and number of a Unix socket's file

    def close(self) -> None:
        """Closes the socket and removes its file, if it is still the one we made."""
        self.sock.close()
        self.remove_file()

    def remove_file(self) -> None:
        """Removes a Unix socket's file, unless somebody put another in its place."""
        if self.inode is None:
            return
        try:
            found = os.lstat(self.address.path)
            if (found.st_dev, found.st_ino) == self.inode:
                os.unlink(self.address.path)
        except OSError:
            pass  # gone already, or its folder is not ours any more: nothing that could be done now


def bind(address: ListenAddress, unix_mode: int) -> list[Bound]:
    """Sockets for `address`, one for each IP address that a host name has. Raises ListenError."""
    try:
        return [_bind_unix(address, unix_mode)] if address.kind == "unix" else _bind_tcp(address)
    except OSError as error:
        raise ListenError.from_os_error(str(address), error) from error


def adopt(asked: ListenAddress, sock: socket.socket) -> Bound:
    """What another process bound for `asked` and passed on. ListenError if it is not that."""
    try:
        kind = {socket.AF_UNIX: "unix", socket.AF_INET: "tcp", socket.AF_INET6: "tcp"}.get(sock.family)
        if kind != asked.kind or sock.type != socket.SOCK_STREAM:
            raise ListenError(str(asked), "the socket that was passed on is of another kind", "start isolated anew")
        sock.settimeout(0)
        name = sock.getsockname()
    except OSError as error:
        raise ListenError.from_os_error(str(asked), error) from error
    if asked.kind == "tcp":
        return Bound(sock, replace(asked, host=str(name[0]), port=int(name[1])))
    return Bound(sock, asked, _socket_file(asked.path))


def _socket_file(path: str) -> tuple[int, int] | None:
    """What Bound knows a socket's file by; None if it was removed or replaced by something else."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None


def _bind_tcp(address: ListenAddress) -> list[Bound]:
    found = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )
    # A name may list an address twice, and one of a family that this machine has switched off.
    targets = list(dict.fromkeys((family, str(sockaddr[0]), sockaddr[2:]) for family, _, _, _, sockaddr in found))
    for tries_left in reversed(range(PORT_TRIES if address.is_any_port else 1)):
        try:
            return _bind_all(address, targets)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or tries_left == 0:
                raise
    raise AssertionError("unreachable")


def _bind_all(address: ListenAddress, targets: Sequence[tuple[int, str, tuple[object, ...]]]) -> list[Bound]:
    """Binds every address of a name to the same port; the first decides which, when any will do."""
    bound: list[Bound] = []
    port = address.port
    missing: OSError | None = None
    try:
        for family, host, scope in targets:
            try:
                sock = _tcp_socket(family, (host, port, *scope))
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) and len(targets) > 1:
                    missing = error
                    continue
                raise
            port = sock.getsockname()[1]
            bound.append(Bound(sock, replace(address, host=host, port=port)))
    except BaseException:
        for each in bound:
            each.close()
        raise
    if not bound and missing is not None:
        raise missing
    return bound


def _tcp_socket(family: int, name: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or a restart waits for old TIME_WAIT connections
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # [::]:80 beside 0.0.0.0:80
        sock.bind(name)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_unix(address: ListenAddress, mode: int) -> Bound:
    _remove_stale(address)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        sock.bind(address.path)
        os.chmod(address.path, mode)  # before listen(): nobody can have connected yet
        made = os.lstat(address.path)
    except BaseException:
        sock.close()
        raise
    return Bound(sock, address, (made.st_dev, made.st_ino))


def _remove_stale(address: ListenAddress) -> None:
    """Removes a socket file that nobody listens on; anything else at that path stays and is an error."""
    try:
        found = os.lstat(address.path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ListenError(str(address), "a file that is no socket is there", "remove it, or choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        try:
            probe.connect(address.path)
        except ConnectionRefusedError:
            os.unlink(address.path)
            return
        except BlockingIOError:
            pass  # somebody listens whose backlog is full
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
