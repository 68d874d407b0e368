"""Messages as bytes, in whatever pieces they come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.handover import frames
from supervisor.handover.frames import Decoder, Message, encode
from supervisor.handover.protocol import ProtocolError, Word

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
messages = st.builds(Message, st.sampled_from(Word), st.dictionaries(st.text(), values))


@given(st.lists(messages, max_size=5), st.lists(st.integers(1, 40), max_size=50))
def test_what_is_encoded_comes_out_whatever_the_pieces(sent: list[Message], sizes: list[int]) -> None:
    data = b"".join(map(encode, sent))
    decoder, found = Decoder(), []
    for size in sizes:
        found += decoder.feed(data[:size])
        data = data[size:]
    found += decoder.feed(data)
    assert found == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_a_protocol_error(data: bytes) -> None:
    decoder = Decoder()
    try:
        decoder.feed(len(data).to_bytes(4) + data)
        decoder.feed(data)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'{"word":"hello"}', b'{"word":"hello","body":[]}', b'{"word":"?","body":{}}', b"[" * 99999],
)
def test_what_is_no_message_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        Decoder().feed(len(text).to_bytes(4) + text)


def test_a_length_is_believed_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProtocolError, match="announced"):
        Decoder().feed(b"\xff" * 4)
    monkeypatch.setattr(frames, "LARGEST", 100)
    body: dict[str, Any] = {"a": "b" * 100}
    with pytest.raises(ProtocolError, match="larger than"):
        encode(Message(Word.OFFER, body))
