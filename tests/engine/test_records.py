"""The layout of records: what was written is read, and garbage is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.engine.records import ALIGNMENT, HEADER, Record, encode, padded, records

U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))
RECORDS = st.builds(Record, U16, U16, U64, U32, U32, st.binary(max_size=200))


@given(st.lists(RECORDS, max_size=20))
def test_what_was_written_is_read(sent: list[Record]) -> None:
    assert list(records(b"".join(map(encode, sent)))) == sent


@given(RECORDS)
def test_a_record_is_its_header_and_its_payload_padded(record: Record) -> None:
    run = encode(record)
    assert len(run) == padded(HEADER.size + len(record.payload))
    assert len(run) % ALIGNMENT == 0
    assert run[HEADER.size :].rstrip(b"\0") == record.payload.rstrip(b"\0")


def test_the_header_is_as_the_c_header_says() -> None:
    run = encode(Record(kind=3, flags=1, exchange=0x1122334455667788, isolate=7, aux=9, payload=b"ab"))
    assert run == (
        bytes.fromhex("02000000 0300 0100 8877665544332211 07000000 09000000") + b"ab" + b"\0" * 6
    )  # fmt: skip


@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_a_run_that_is_cut_off_is_refused(sent: list[Record], data: st.DataObject) -> None:
    run = b"".join(map(encode, sent))
    whole = {sum(len(encode(each)) for each in sent[:count]) for count in range(len(sent) + 1)}
    cut = data.draw(st.integers(0, len(run) - 1).filter(lambda size: size not in whole))
    with pytest.raises(ValueError, match="cut off"):
        list(records(run[:cut]))


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_is_records(run: bytes) -> None:
    try:
        found = list(records(run))
    except ValueError:
        return
    assert sum(len(encode(each)) for each in found) == len(run)


@given(st.integers(0, 2**32))
def test_padding_is_the_least_that_aligns(size: int) -> None:
    assert padded(size) % ALIGNMENT == 0
    assert size <= padded(size) < size + ALIGNMENT
