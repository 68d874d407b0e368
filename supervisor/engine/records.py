"""The layout of records from isolates; native/include/isolated.h (isolated_drain) describes it.

A record is a 24-byte header and a payload, padded to 8 bytes. The engine reads runs of them in its hot path with HEADER
itself; `records` is the same for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

# u32 length of the payload, u16 kind, u16 flags, u64 exchange, u32 isolate, u32 aux
HEADER = Struct("<IHHQII")
ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One message from an isolate. `exchange` and `aux` mean what their kind says in isolated.h."""

    kind: int
    flags: int
    exchange: int
    isolate: int
    aux: int
    payload: bytes


def records(run: bytes) -> Iterator[Record]:
    """Yields the records of a run; raises ValueError where it is not a whole number of them."""
    at = 0
    while at < len(run):
        if at + HEADER.size > len(run):
            raise ValueError(f"a record's header at {at} is cut off at {len(run)}")
        length, kind, flags, exchange, isolate, aux = HEADER.unpack_from(run, at)
        begin = at + HEADER.size
        at = padded(begin + length)
        if at > len(run):
            raise ValueError(f"a record's payload at {begin} is cut off at {len(run)}")
        yield Record(kind, flags, exchange, isolate, aux, run[begin : begin + length])


def padded(size: int) -> int:
    """Returns `size` rounded up to where the next record begins."""
    return (size + ALIGNMENT - 1) & -ALIGNMENT


def encode(record: Record) -> bytes:
    """Returns the bytes of a record, as an isolate writes them; for tests and fakes."""
    head = HEADER.pack(
        len(record.payload), record.kind, record.flags, record.exchange, record.isolate, record.aux
    )  # fmt: skip
    return (head + record.payload).ljust(padded(HEADER.size + len(record.payload)), b"\0")
