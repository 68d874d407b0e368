"""TLS by a key that both sides have: no certificates, and nothing for who has no key.

TLS 1.3 with an external pre-shared key (RFC 8446, 2.2 and 4.2.11), which OpenSSL never takes without an ephemeral
Diffie-Hellman exchange beside it: who learns the key later cannot read what was recorded. There is neither resumption
(no tickets), which would outlive a key, nor early data, which could be replayed.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from supervisor.cluster.keys import PEERS, ClusterKey

IDENTITY_DIGITS = 8  # tells a few keys apart; told in clear, and tells nothing of a random key


@dataclass(frozen=True, slots=True)
class PeerKey:
    """The key for connections with peers that a cluster key makes, and the name that it is asked for by."""

    identity: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, key: ClusterKey) -> PeerKey:
        """The one of a cluster key."""
        secret = key.derived(PEERS)
        return cls(hashlib.sha256(secret).hexdigest()[:IDENTITY_DIGITS], secret)


class KeyRing:
    """The keys of a host, for connections to come: calls are made with the first, and any of them lets a peer in.

    Loop thread. The contexts that it makes follow `become`.
    """

    def __init__(self, keys: Sequence[ClusterKey]) -> None:
        self.become(keys)

    def become(self, keys: Sequence[ClusterKey]) -> None:
        """From now on these count, at least one."""
        found = [PeerKey.of(key) for key in keys]
        self._first = found[0]
        self._accepted = {key.identity: key.secret for key in found}

    def server_context(self) -> ssl.SSLContext:
        """For a listener: no handshake is finished but with one of the keys."""
        context = _context(ssl.PROTOCOL_TLS_SERVER)  # without a certificate: there is no other way in
        context.num_tickets = 0
        context.set_psk_server_callback(lambda identity: self._accepted.get(identity or "", b""))
        return context

    def client_context(self) -> ssl.SSLContext:
        """For calls: only a server that has the key is talked to, whatever its name and address.

        A server may decline the key and show a certificate instead: it has to be one that nobody can have, since no
        authority is trusted. CERT_NONE would let it in.
        """
        context = _context(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_psk_client_callback(lambda _hint: (self._first.identity, self._first.secret))
        return context


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    return context
