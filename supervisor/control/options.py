"""What may be set about the control API; every number with where it comes from."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from supervisor.spec.listen import ListenAddress

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """The API for other machines: TLS always, and a token in every request."""

    address: ListenAddress
    certificate: Path  # PEM, the chain included
    key: Path  # PEM, without a password
    token_file: Path  # nobody but its owner may read it


@dataclass(frozen=True, slots=True, eq=False)
class PeerOptions:
    """The API for the other hosts of the cluster."""

    address: ListenAddress
    context: ssl.SSLContext  # lets in who has a cluster key, and nobody else


@dataclass(frozen=True, slots=True)
class ControlOptions:
    """Where the control API listens and what it takes. Times are seconds, sizes are bytes."""

    socket: Path
    uploads: Path  # folder for bundles on their way in, on the store's file system; made where it is missing
    remote: RemoteOptions | None = None
    peers: PeerOptions | None = None
    metrics: ListenAddress | None = None  # plain, for /metrics and /healthz alone
    bundle_size: int = 64 * MIB  # of an archive as it is sent
    body_size: int = MIB  # of any other body; a task file may not be larger either
    # A task's record: settings of body_size, of which each character may be written as six (\u0000), and some more.
    peer_body_size: int = 8 * MIB
    downloads_at_once: int = 16  # bundles that peers fetch; each keeps an archive, above a MiB in a temporary file
    uploads_at_once: int = 4  # each may take bundle_size of the disk before anything of it was checked
    connections: int = 1000  # of each listener: people, scripts and dashboards; far below RLIMIT_NOFILE
    streams: int = 200  # of events and logs that are followed; each holds a queue
    keep_alive: float = 75.0  # idle connection, or one that does not get done with a request's head
    body_timeout: float = 30.0  # without a byte of a body that is being waited for
    send_timeout: float = 60.0  # without a client taking a byte of a stream
    comment: float = 15.0  # between two signs of life on a quiet event stream; proxies give up after 30 s and more
    grace: float = 5.0  # at the end: for requests in flight
