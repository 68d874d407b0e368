"""Who may ask from other machines: the token and the certificate, as files of the host."""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from collections.abc import Sequence
from pathlib import Path

from supervisor.control.errors import Unauthorized
from supervisor.spec.secret_file import read_secret, wrong_file

TOKEN_LENGTH = (32, 1024)  # 32 hexadecimal digits are 128 bits; longer than 1024 is not a token
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/=-]+")  # RFC 6750's b64token, loosely
_MAKE_TOKEN = "make one: `(umask 077; openssl rand -hex 32 > FILE)`"  # noqa: S105 (advice, not a password)


class Token:
    """The secret that remote requests carry; compared in constant time."""

    def __init__(self, secret: bytes) -> None:
        self._digest = hashlib.sha256(secret).digest()

    def become(self, other: Token) -> None:
        """From now on only the secret of `other` counts."""
        self._digest = other._digest

    def check(self, authorization: Sequence[str]) -> None:
        """Raises Unauthorized unless the Authorization fields are one that carries this token."""
        scheme, _, given = (authorization[0] if len(authorization) == 1 else "").partition(" ")
        digest = hashlib.sha256(given.strip().encode("utf-8", "surrogateescape")).digest()
        # the digests are equally long, whatever was given
        if not hmac.compare_digest(digest, self._digest) or scheme.lower() != "bearer":
            raise Unauthorized(
                "the request has no valid token", "send `Authorization: Bearer TOKEN` (isolated: --token-file)"
            )


def read_token(file: Path) -> Token:
    """The token that `file` holds; SettingsError if it is none, or others can read it."""
    secret = read_secret(file, field="apiTokenFile", limit=TOKEN_LENGTH[1] + 2, remedy=_MAKE_TOKEN).strip()
    if not TOKEN_LENGTH[0] <= len(secret) <= TOKEN_LENGTH[1] or _TOKEN.fullmatch(secret) is None:
        allowed = f"{TOKEN_LENGTH[0]} to {TOKEN_LENGTH[1]} letters, digits and . _ ~ + / = -"
        raise wrong_file("apiTokenFile", file, "it holds no token", _MAKE_TOKEN, allowed)
    return Token(secret)


def renew(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Gives connections to come another certificate; SettingsError where the files do not fit: all stays as it was."""
    tls(certificate, key)  # on one that nobody uses: a context is left in between by files that do not fit
    context.load_cert_chain(certificate, key, password=_no_password)


def tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server needs for TLS 1.3; SettingsError where the files do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # clients are our own command line and programs of today
    for field, file in (("apiCert", certificate), ("apiKey", key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise wrong_file(field, file, f"it cannot be read: {error.strerror}", "check the path") from None
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "not PEM, or encrypted"
        remedy = "write the certificate (with its chain) and its key, without a password, as PEM"
        raise wrong_file("apiCert", certificate, f"it does not go with {key}: {reason}", remedy) from None
    return context


def _no_password() -> str:
    """Or the library would ask for one on the terminal."""
    raise ValueError("the key is encrypted")
