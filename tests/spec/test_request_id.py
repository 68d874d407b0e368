"""A request's id: repeated only if it cannot be mistaken for anything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.printable import printable
from supervisor.spec.request_id import request_id_of

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
AMAZON = "Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678"


def headers(*fields: tuple[str, str]) -> bytes:
    return "".join(f"{name}\n{value}\n" for name, value in fields).encode()


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id", "X-REQUEST-ID"])
@pytest.mark.parametrize("value", [UUID, "1", "a.b_c~d:e/f+g=h@i-j", "x" * 128])
def test_ids_are_taken(name: str, value: str) -> None:
    assert request_id_of(headers(("Host", "a"), (name, value), ("Accept", "*/*"))) == value


@pytest.mark.parametrize("value", ["", " ", "a b", "x" * 129, 'a"b', "a\tb", "é", "a\x1b[2J", "a;b", AMAZON, "<b>"])
def test_others_are_none(value: str) -> None:
    assert request_id_of(headers(("X-Request-Id", value))) is None


def test_none_without_the_field_or_with_two() -> None:
    assert request_id_of(b"") is None
    assert request_id_of(headers(("Host", UUID))) is None
    assert request_id_of(headers(("Host", "x-request-id"), ("A", UUID))) is None
    assert request_id_of(headers(("X-Request-Id", UUID), ("x-request-id", UUID))) is None


@given(st.binary())
def test_whatever_the_headers_are_an_id_is_harmless(data: bytes) -> None:
    for candidate in (data, b"X-Request-Id\n" + data + b"\n"):
        found = request_id_of(candidate)
        if found is not None:
            assert printable(found) == found
            assert json.loads(json.dumps(found)) == found
            assert 1 <= len(found) <= 128
