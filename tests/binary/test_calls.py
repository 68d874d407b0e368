"""What is done to programs before they are compressed comes back byte for byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.binary import calls
from tools.runtime_tree.layout import CHECKOUT, here

SOURCE = Path(__file__).with_name("restore.c")
LIKELY = st.lists(
    st.one_of(
        st.sampled_from([b"\xe8", b"\xe9", b"\x0f\x84", b"\x0f", b"\x8f", b"\0", b"\xff", b"\xff\xff\xff", b"\x7f"]),
        st.integers(-(2**31), 2**31 - 1).map(lambda value: b"\xe8" + value.to_bytes(4, "little", signed=True)),
        st.integers(-300, 300).map(lambda value: b"\xe9" + value.to_bytes(4, "little", signed=True)),
    ),
    max_size=200,
).map(b"".join)


@pytest.fixture(scope="module")
def restore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("restore") / "restore"
    launcher = CHECKOUT / "native/launcher/calls.c"
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-o", program, SOURCE, launcher], check=True)
    return program


def restored(restore: Path, content: bytes) -> bytes:
    return subprocess.run([restore], input=content, capture_output=True, check=True).stdout


@settings(max_examples=60, deadline=None)  # each starts a program
@given(content=LIKELY)
def test_any_bytes_come_back(restore: Path, content: bytes) -> None:
    placed = calls.placed(content)
    assert len(placed) == len(content)
    assert restored(restore, placed) == content


def test_programs_come_back(restore: Path) -> None:
    for path in (Path(sys.executable).resolve(), here().libraries() / "libstdc++.so.6"):
        content = path.read_bytes()
        assert calls.is_program(content)
        assert restored(restore, calls.placed(content)) == content


def test_a_call_across_the_border_of_pieces_stays(restore: Path) -> None:
    content = b"\0" * (calls.PIECE - 3) + b"\xe8\1\2\3\4" + b"\xe8\1\0\0\0"
    placed = calls.placed(content)
    assert placed[: calls.PIECE] == content[: calls.PIECE]
    assert restored(restore, placed) == content


def test_two_calls_of_one_place_look_the_same() -> None:
    content = b"\xe8" + (95).to_bytes(4, "little") + b"\xe8" + (90).to_bytes(4, "little") + b"\0" * 100
    placed = calls.placed(content)
    assert placed[:5] == placed[5:10] == b"\xe8\0\0\0\x64"


@pytest.mark.parametrize(("content", "expected"), [(b"\x7fELF", False), (b"#!/bin/sh\n", False), (b"", False)])
def test_only_programs_of_this_processor_are_changed(content: bytes, *, expected: bool) -> None:
    assert calls.is_program(content) is expected
