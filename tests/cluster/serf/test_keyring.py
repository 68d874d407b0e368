"""The file of keys as an agent may leave it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.serf import keyring

keys = st.lists(st.sampled_from((16, 24, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)), min_size=1)


@given(keys, st.data())
def test_a_file_that_is_cut_off_anywhere_is_not_whole(
    tmp_path_factory: pytest.TempPathFactory, keys: list[bytes], data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("keys") / "keyring.json"
    assert not keyring.is_whole(file)
    whole = keyring.content(keys)
    file.write_text(whole)
    assert keyring.is_whole(file)
    file.write_text(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert not keyring.is_whole(file)


@pytest.mark.parametrize(
    "content", [b"{}", b"[]", b"null", b'[""]', b'["c2hvcnQ="]', b"[1]", b"\xff", b"[" * 100_000, b'["\xc3\xa4"]']
)
def test_what_no_agent_starts_from_is_not_whole(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keyring.json"
    file.write_bytes(content)
    assert not keyring.is_whole(file)
