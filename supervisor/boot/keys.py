"""The file of the cluster's keys, and the TLS that it travels by."""

from __future__ import annotations

import base64
import os
import ssl
import stat
from pathlib import Path

from supervisor.errors import IsolatedError

KEY_BYTES = (16, 64)  # what a line of the file holds, decoded; 32 are usual
KEYS_MAX = 16  # a rotation has two
TAKER = (
    "Isolated-Taker"  # header, by TLS alone: a secret that the host made, by which it may ask again in the same boot
)


class KeyRefused(IsolatedError):
    """The file of keys, or the certificate, is not one that can be used."""

    exit_code = 2


def read_keys(file: Path) -> str:
    """The text of a file of keys. KeyRefused if it is none, or others can read it."""
    make = f"make one: (umask 077; head -c 32 /dev/urandom | base64 > {file})"
    try:
        # not to wait for a writer if it is a FIFO
        with open(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyRefused(f"{file} is not a file", make)
            if status.st_mode & 0o077:
                mode = f"{stat.S_IMODE(status.st_mode):04o}"
                raise KeyRefused(f"others may read the keys in {file} (mode {mode})", f"chmod 600 {file}")
            text = stream.read(4096).decode("ascii", "replace")
    except OSError as error:
        raise KeyRefused(f"{file} cannot be read: {error.strerror}", make) from None
    if not is_keys(text):
        raise KeyRefused(f"{file} does not hold lines of base64, a key of 16 to 64 bytes each", make)
    return text


def is_keys(text: str) -> bool:
    """Whether a text is lines of base64 with a key each."""
    lines = text.splitlines()
    return 1 <= len(lines) <= KEYS_MAX and all(_is_key(line) for line in lines)


def _is_key(line: str) -> bool:
    try:
        return KEY_BYTES[0] <= len(base64.b64decode(line, validate=True)) <= KEY_BYTES[1]
    except ValueError:
        return False


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the server of the key needs. KeyRefused where the files do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # its clients are our own program
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "not PEM, or encrypted"
        remedy = "write the certificate (with its chain) and its key, without a password, as PEM"
        raise KeyRefused(f"{certificate} and {key} are not a certificate and its key: {reason}", remedy) from None
    return context


def client_tls(ca: Path) -> ssl.SSLContext:
    """What a host needs to know that it speaks with the server of its own rack. KeyRefused."""
    try:
        context = ssl.create_default_context(cafile=str(ca))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "it is not PEM"
        raise KeyRefused(
            f"{ca} cannot be used to check the boot server: {reason}", "put the CA into the image"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _no_password() -> str:
    """Or the library would ask for one on the terminal."""
    raise ValueError("the key is encrypted")
