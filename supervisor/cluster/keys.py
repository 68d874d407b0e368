"""The cluster key: one secret that all hosts share, as a file, and the keys that are derived from it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from supervisor.errors import SettingsError
from supervisor.spec.secret_file import read_secret, wrong_file

FIELD = "clusterKeyFile"
KEY_BYTES = 32  # what Serf takes at most, and as much as SHA-256 can keep apart
KEYS = 8  # a rotation needs two; a file with many is a wrong file
SERF, PEERS = "serf", "peers"  # what keys are derived for
_VARIED = 12  # different bytes: 32 random ones have fewer with a chance below 1e-25, a placeholder has
_LINE_BYTES = len(base64.b64encode(bytes(KEY_BYTES))) + 2
_MAKE_KEY = "make one: `(umask 077; isolated cluster-key > FILE)`, and give all hosts the same"
_ALLOWED = f"1 to {KEYS} lines, each the base64 of {KEY_BYTES} random bytes"


@dataclass(frozen=True, slots=True)
class ClusterKey:
    """A secret that nothing but derived keys is ever made of."""

    secret: bytes = field(repr=False)

    def derived(self, use: str) -> bytes:
        """The key for one use, 32 bytes: who learns it learns nothing of the others."""
        return hkdf(self.secret, info=use.encode(), length=KEY_BYTES)


def make_key() -> str:
    """A new key as a line of a key file."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_keys(file: Path) -> tuple[ClusterKey, ...]:
    """The keys in `file`: the first is in use, the others are accepted. SettingsError: others can read it, or no keys.

    What is wrong is told by the number of its line, never by what stands there.
    """
    text = read_secret(file, field=FIELD, limit=(KEYS + 1) * _LINE_BYTES, remedy=_MAKE_KEY)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(lines) <= KEYS:
        found = "no key" if not lines else f"more than {KEYS} keys"
        raise wrong_file(FIELD, file, f"it holds {found}", _MAKE_KEY, _ALLOWED)
    keys = tuple(ClusterKey(_parse(file, number, line)) for number, line in enumerate(lines, 1))
    if len(set(keys)) < len(keys):
        raise wrong_file(FIELD, file, "a key stands there twice", "take one of the two out", _ALLOWED)
    return keys


def hkdf(secret: bytes, *, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """HKDF with SHA-256, RFC 5869: `length` bytes, at most 8160, that tell nothing of `secret` or of other infos."""
    extracted = hmac.digest(salt or bytes(hashlib.sha256().digest_size), secret, "sha256")
    block, found = b"", b""
    for counter in range(1, -(-length // hashlib.sha256().digest_size) + 1):
        block = hmac.digest(extracted, block + info + bytes([counter]), "sha256")
        found += block
    return found[:length]


def _parse(file: Path, number: int, line: bytes) -> bytes:
    try:
        secret = base64.b64decode(line, validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise _no_key(file, number, "is not a key")
    if len(set(secret)) < _VARIED:
        raise _no_key(file, number, "is not random")
    return secret


def _no_key(file: Path, number: int, what: str) -> SettingsError:
    return wrong_file(FIELD, file, f"key {number} {what}", _MAKE_KEY, _ALLOWED)
