"""A certificate for localhost that signs itself, made without any tool: ECDSA on P-256 (FIPS 186-5), DER by hand."""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
type Point = tuple[int, int] | None

ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
P256 = bytes.fromhex("06082a8648ce3d030107")
COMMON_NAME = bytes.fromhex("0603550403")
ALTERNATIVE_NAMES = bytes.fromhex("0603551d11")
BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")
SUBJECT_KEY = bytes.fromhex("0603551d0e")
AUTHORITY_KEY = bytes.fromhex("0603551d23")
KEY_USAGE = bytes.fromhex("0603551d0f")
TRUE = bytes.fromhex("0101ff")
SIGNS = bytes.fromhex("03020284")  # digitalSignature and keyCertSign


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files, and what a client needs to trust them."""

    certificate: Path
    key: Path

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)


def certificate(
    folder: Path, name: str = "tls", names: Sequence[str] = ("localhost",), addresses: Sequence[str] = ("127.0.0.1",)
) -> Certificate:
    """A new one in `folder`, for these names and IPv4 addresses."""
    secret = secrets.randbelow(N - 1) + 1
    x, y = _times(secret, G) or (0, 0)
    point = b"\x00\x04" + x.to_bytes(32) + y.to_bytes(32)
    body = _to_be_signed(point, names, addresses)
    signed = _sequence(body, _sequence(ECDSA_SHA256), _der(0x03, b"\0" + _sign(secret, body)))
    key = _sequence(_integer(1), _der(0x04, secret.to_bytes(32)), _der(0xA0, P256), _der(0xA1, _der(0x03, point)))
    made = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    made.certificate.write_text(_pem("CERTIFICATE", signed))
    made.key.write_text(_pem("EC PRIVATE KEY", key))
    return made


def _to_be_signed(point: bytes, hosts: Sequence[str], addresses: Sequence[str]) -> bytes:
    name = _sequence(_der(0x31, _sequence(COMMON_NAME, _der(0x0C, b"localhost"))))
    names = _sequence(
        *(_der(0x82, host.encode()) for host in hosts),
        *(_der(0x87, IPv4Address(each).packed) for each in addresses),
    )
    key_id = hashlib.sha1(point[1:], usedforsecurity=False).digest()
    extensions = _sequence(
        _sequence(ALTERNATIVE_NAMES, _der(0x04, names)),
        _sequence(BASIC_CONSTRAINTS, TRUE, _der(0x04, _sequence(TRUE))),
        _sequence(KEY_USAGE, TRUE, _der(0x04, SIGNS)),
        _sequence(SUBJECT_KEY, _der(0x04, _der(0x04, key_id))),
        _sequence(AUTHORITY_KEY, _der(0x04, _sequence(_der(0x80, key_id)))),
    )
    return _sequence(
        _der(0xA0, _integer(2)),
        _integer(secrets.randbits(63)),
        _sequence(ECDSA_SHA256),
        name,
        _sequence(_der(0x17, b"200101000000Z"), _der(0x17, b"491231235959Z")),
        name,
        _sequence(_sequence(EC_PUBLIC_KEY, P256), _der(0x03, point)),
        _der(0xA3, extensions),
    )


def _sign(secret: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest())
    while True:
        nonce = secrets.randbelow(N - 1) + 1
        point = _times(nonce, G)
        r = 0 if point is None else point[0] % N
        s = pow(nonce, -1, N) * (digest + r * secret) % N
        if r and s:
            return _sequence(_integer(r), _integer(s))


def _times(factor: int, point: Point) -> Point:
    total: Point = None
    while factor:
        if factor & 1:
            total = _plus(total, point)
        point = _plus(point, point)
        factor >>= 1
    return total


def _plus(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*items: bytes) -> bytes:
    return _der(0x30, b"".join(items))


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def _pem(label: str, data: bytes) -> str:
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"
