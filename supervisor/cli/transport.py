"""Connections to the control API: one per request, so that a hand-over in between is not noticed."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass

from supervisor.cli.address import Address, HttpsAddress, SocketAddress
from supervisor.cli.codes import HostUnreachable, NotPermitted
from supervisor.cli.credentials import read_token
from supervisor.errors import IsolatedError, Problem, SettingsError
from supervisor.printable import printable, shown

CONNECT_S = 10.0  # a host that is up accepts within milliseconds; a network in between takes a few retransmits


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach a host, and as whom."""

    address: Address
    token_file: str | None = None
    ca_file: str | None = None  # certificates to trust; None: those of the system

    def connect(self, timeout_s: float | None) -> http.client.HTTPConnection:
        """A connection on which an answer may take `timeout_s`. HostUnreachable, NotPermitted, SettingsError."""
        connection = self._connection()
        connection.timeout = CONNECT_S if timeout_s is None else min(CONNECT_S, timeout_s)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise self._told(error) from None
        connection.sock.settimeout(timeout_s)
        return connection

    def headers(self) -> dict[str, str]:
        """What every request carries. SettingsError."""
        if self.token_file is None or isinstance(self.address, SocketAddress):
            return {}  # the socket's owner is let in as such
        return {"Authorization": f"Bearer {read_token(self.token_file)}"}

    def _connection(self) -> http.client.HTTPConnection:
        if isinstance(self.address, SocketAddress):
            return _UnixConnection(self.address.path)
        return _TlsConnection(self.address, _trust(self.ca_file))

    def _told(self, error: OSError) -> IsolatedError:
        """Words for a connection that did not come about."""
        where = f"no host answers at {self.address}"
        if isinstance(error, PermissionError):
            remedy = "the socket belongs to those who run the host: use sudo, or ask them"
            return NotPermitted(f"not permitted to use {self.address}", remedy)
        if isinstance(error, ssl.SSLCertVerificationError):
            why = printable(error.verify_message or str(error))
            return HostUnreachable(f"{where} whom to trust: {why}", "name its certificates with --ca FILE")
        if isinstance(error, TimeoutError):
            why = "nothing came back in time"
        elif isinstance(error, FileNotFoundError):
            why = "there is no such socket"
        elif isinstance(error, ConnectionRefusedError):
            why = "nobody listens there"
        else:
            why = printable(error.strerror or str(error))
        return HostUnreachable(f"{where}: {why}", "start one (`isolated serve`), or name another with --host")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _TlsConnection(http.client.HTTPSConnection):
    def __init__(self, address: HttpsAddress, trust: ssl.SSLContext) -> None:
        super().__init__(address.name, address.port, context=trust)

    def connect(self) -> None:
        super().connect()
        # A follower waits for hours; keep-alive probes tell when the other side has gone without a word.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _trust(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        message = f"no certificates can be read from the file: {printable(str(error))}"
        problem = Problem(message, "name a file of PEM certificates", field="--ca", value=shown(ca_file))
        raise SettingsError([problem]) from None
