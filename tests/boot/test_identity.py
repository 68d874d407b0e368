"""MAC addresses and UUIDs: one spelling of each, and paths that a machine's identity comes back from."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.identity import Identity, parse_identity, parse_mac, parse_uuid, wire_forms
from supervisor.spec.refused import Refused

MACS = (
    st.binary(min_size=6, max_size=6).map(lambda raw: bytes((raw[0] & 0xFE,)) + raw[1:]).map(lambda raw: raw.hex(":"))
)
UUIDS = st.uuids().map(str)


@given(MACS, st.none() | UUIDS)
def test_an_identity_comes_back_from_its_path(mac: str, uuid: str | None) -> None:
    identity = Identity(mac, uuid)
    assert parse_identity(str(identity)) == identity
    assert "/" not in str(identity)
    assert ":" not in str(identity)


@given(MACS)
def test_every_spelling_is_one_address(mac: str) -> None:
    assert {parse_mac(each) for each in (mac, mac.upper(), mac.replace(":", "-"), f" {mac} ")} == {mac}


@pytest.mark.parametrize(
    "wrong",
    ["", "52:54:00:12:34", "52-54:00:12:34:56", "525400123456", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", 7, None],
)
def test_what_is_no_machines_address_is_refused(wrong: object) -> None:
    with pytest.raises(Refused) as refused:
        parse_mac(wrong)
    assert "52:54:00:12:34:56" in refused.value.remedy


@given(st.text())
def test_any_text_is_an_identity_or_refused(text: str) -> None:
    try:
        assert parse_identity(str(parse_identity(text))) == parse_identity(text)
    except Refused:
        pass


@pytest.mark.parametrize("made_up", ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
def test_a_uuid_that_firmware_made_up_tells_nobody_apart(made_up: str) -> None:
    with pytest.raises(Refused):
        parse_uuid(made_up)
    assert parse_identity(f"52-54-00-12-34-56_{made_up}") == Identity("52:54:00:12:34:56")
    assert parse_identity("52-54-00-12-34-56_") == Identity("52:54:00:12:34:56")  # none at all


@given(UUIDS)
def test_a_uuid_on_the_wire_has_a_type_octet_and_both_orders(text: str) -> None:
    little, big = (bytes.fromhex(form.replace(":", "")) for form in wire_forms(text))
    assert little[0] == big[0] == 0
    assert uuid.UUID(bytes=big[1:]) == uuid.UUID(bytes_le=little[1:]) == uuid.UUID(text)
