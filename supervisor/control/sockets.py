"""Sockets that the control API listens on, bound or taken over from the process before this one."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from pathlib import Path

from supervisor.errors import ListenError
from supervisor.spec.listen import UNIX_PATH_BYTES, ListenAddress

OWNER = 0o600  # who may open the API's socket may do everything
GROUP = 0o660  # figures are for whoever watches the machine


def lock(path: Path) -> int:
    """The descriptor of the lock beside a Unix socket: while it is open, no other host takes the socket. ListenError.

    The lock file stays for ever: to remove it would let two processes hold two locks of the same name.
    """
    name = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ListenError.from_os_error(f"unix:{path}", error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno != errno.EWOULDBLOCK:
            raise ListenError.from_os_error(f"unix:{path}", error) from error
        remedy = "a host runs already with this socket (`isolated status`); stop it, or set another socket"
        raise ListenError(f"unix:{path}", "another process holds its lock", remedy) from None
    return descriptor


def bind_unix(path: Path, mode: int) -> socket.socket:
    """A socket bound at `path`; call it with the lock held. ListenError."""
    if len(os.fsencode(path)) > UNIX_PATH_BYTES:
        raise ListenError(f"unix:{path}", f"the path is longer than {UNIX_PATH_BYTES} bytes", "choose a shorter one")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        _remove_stale(path)
        sock.bind(os.fspath(path))
        os.chmod(path, mode)  # before listen(): nobody can have connected yet
    except OSError as error:
        sock.close()
        raise ListenError.from_os_error(f"unix:{path}", error) from error
    except BaseException:
        sock.close()
        raise
    return sock


def bind_tcp(address: ListenAddress) -> list[socket.socket]:
    """Sockets for all addresses that a host name has; port 0 is any, the same for all of them. ListenError."""
    bound: list[socket.socket] = []
    port = address.port
    try:
        flags = socket.AI_PASSIVE | socket.AI_NUMERICSERV
        found = socket.getaddrinfo(address.host, port, type=socket.SOCK_STREAM, flags=flags)
        for family, name in dict.fromkeys((family, name) for family, _, _, _, name in found):  # some stand twice
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            bound.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or a restart waits for old connections
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((name[0], port, *name[2:]))
            port = sock.getsockname()[1]
    except OSError as error:
        for sock in bound:
            sock.close()
        raise ListenError.from_os_error(str(address), error) from error
    return bound


def identity(path: Path) -> tuple[int, int] | None:
    """Device and number of the file at `path`."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _remove_stale(path: Path) -> None:
    """Removes a socket that nobody listens on; anything else stays and is an error."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ListenError(f"unix:{path}", "a file that is no socket is there", "remove it, or set another socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:
            pass  # somebody listens whose backlog is full
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
