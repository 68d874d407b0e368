"""One listening socket of the control API, from taking it to giving it up."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from supervisor.control import sockets
from supervisor.errors import ListenError
from supervisor.spec.listen import ListenAddress

BACKLOG = 128  # connections that wait to be accepted: commands and dashboards
HANDSHAKE_S = 10.0  # for TLS; people's networks need under a second

type Factory = Callable[[], asyncio.BaseProtocol]


@dataclass(slots=True, eq=False)
class Listener:
    """A bound socket. `key` names it in a hand-over; `path` and `lock` are there for a Unix socket."""

    key: str
    sock: socket.socket
    path: Path | None = None
    lock: int | None = None
    owns_file: bool = True  # whether the file of a Unix socket goes when the listener does
    file: tuple[int, int] | None = None  # what stands at `path`, as sockets.identity tells it
    _server: asyncio.Server | None = field(default=None, repr=False)

    async def listen(self, factory: Factory, context: ssl.SSLContext | None) -> None:
        """Accepts connections from now on, which also takes the file over. ListenError."""
        loop = asyncio.get_running_loop()
        try:
            if self.path is not None:
                # or closing the server removes the file, even if a successor listens on the same socket
                self._server = await loop.create_unix_server(
                    factory, sock=self.sock, backlog=BACKLOG, cleanup_socket=False
                )
            else:
                handshake = None if context is None else HANDSHAKE_S
                self._server = await loop.create_server(
                    factory, sock=self.sock, backlog=BACKLOG, ssl=context, ssl_handshake_timeout=handshake
                )
        except OSError as error:
            raise ListenError.from_os_error(self.address, error) from error
        self.owns_file = True

    @property
    def address(self) -> str:
        """As bound."""
        if self.path is not None:
            return f"unix:{self.path}"
        host, port = self.sock.getsockname()[:2]
        return str(ListenAddress("tcp", host=host, port=port))

    @property
    def handles(self) -> dict[str, int]:
        """What a successor needs, by the names under which it looks for it."""
        lock = {} if self.lock is None else {f"{self.key} lock": self.lock}
        return {self.key: self.sock.fileno()} | lock

    def close(self) -> None:
        """Stops accepting; connections go on. Removes the file of a Unix socket, if it is still ours."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.sock.close()
        if (
            self.path is not None
            and self.owns_file
            and self.file is not None
            and sockets.identity(self.path) == self.file
        ):
            self.path.unlink(missing_ok=True)
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def unix(path: Path, given: dict[str, int], mode: int) -> Listener:
    """The Unix socket at `path`: the given one, which is taken out of `given`, or a new one. ListenError."""
    key = f"control unix:{path}"
    inherited, lock = given.pop(key, None), given.pop(f"{key} lock", None)
    lock = sockets.lock(path) if lock is None else lock
    try:
        sock = sockets.bind_unix(path, mode) if inherited is None else socket.socket(fileno=inherited)
    except BaseException:
        os.close(lock)
        raise
    return Listener(key, sock, path, lock, owns_file=inherited is None, file=sockets.identity(path))


def tcp(use: str, address: ListenAddress, given: dict[str, int]) -> list[Listener]:
    """The sockets of `address`, likewise; `use` tells the API's from those for figures."""
    key = f"control {use} {address}"
    inherited = [given.pop(name) for name in sorted(given) if name.startswith(f"{key} #")]
    found = [socket.socket(fileno=each) for each in inherited] or sockets.bind_tcp(address)
    return [Listener(f"{key} #{number}", sock) for number, sock in enumerate(found)]
