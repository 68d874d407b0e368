"""MessagePack in the old form, in whatever pieces it comes."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.serf import codec
from supervisor.cluster.serf.codec import Decoder, Malformed, encode, items, number, text, texts

# What comes back is bytes: the old form does not tell them from texts.
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.binary(max_size=20), inner, max_size=20),
    max_leaves=30,
)


@given(st.lists(values, max_size=5), st.lists(st.integers(1, 40), max_size=50))
def test_what_is_encoded_comes_out_whatever_the_pieces(sent: list[Any], sizes: list[int]) -> None:
    data = b"".join(map(encode, sent))
    decoder, found = Decoder(), []
    for size in sizes:
        found += decoder.feed(data[:size])
        data = data[size:]
    found += decoder.feed(data)
    assert found == sent


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_objects_or_malformed(pieces: list[bytes]) -> None:
    decoder = Decoder()
    try:
        for piece in pieces:
            decoder.feed(piece)
    except Malformed:
        pass


@given(values)
def test_texts_numbers_and_lists_are_taken_from_whatever_came(value: Any) -> None:
    assert isinstance(text(value), str)
    assert isinstance(number(value), int)
    assert isinstance(items(value), list)
    assert isinstance(texts(value), dict)


def test_the_form_is_the_old_one() -> None:
    """Its agents know no str 8 (0xd9) and no bin (0xc4)."""
    assert encode("a" * 40)[:1] == b"\xda"
    assert encode(b"a" * 40)[:1] == b"\xda"
    assert text(msgpack.unpackb(encode("é"), raw=True)) == "é"


@pytest.mark.parametrize(
    "data",
    [
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x91" * 5000,
        b"\x81\x90\x01",
    ],
    ids=["unused byte", "a huge array", "a huge map", "deep", "an array as a key"],
)
def test_what_is_no_message_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        Decoder().feed(data)


def test_an_object_may_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "LARGEST", 1000)
    decoder = Decoder()
    assert decoder.feed(encode(b"x" * 900)) == [b"x" * 900]
    beginning = encode(b"x" * 60_000)[:950]
    assert decoder.feed(beginning) == []
    with pytest.raises(Malformed):
        decoder.feed(b"x" * 100)
