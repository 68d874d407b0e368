"""A successor's stderr, line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.handover.lines import KEPT, LONGEST, Lines


@given(st.lists(st.binary(max_size=30)))
def test_nothing_is_lost_and_every_line_is_whole(pieces: list[bytes]) -> None:
    told: list[bytes] = []
    lines = Lines(told.append)
    for piece in pieces:
        lines.feed(piece)
    lines.finish()
    whole = b"".join(pieces)
    assert b"".join(told) == whole + (b"" if whole.endswith(b"\n") or not whole else b"\n")
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in told)


def test_a_line_without_an_end_is_cut() -> None:
    told: list[bytes] = []
    Lines(told.append).feed(b"x" * (2 * LONGEST + 1))
    assert [len(line) for line in told] == [LONGEST + 1, LONGEST + 1]


def test_the_last_lines_are_kept_fit_for_showing() -> None:
    lines = Lines(lambda _: None)
    lines.feed(b"".join(b"line %d\x07\xff\r\n" % number for number in range(50)))
    assert len(lines.last) == KEPT
    assert lines.last[-1] == "line 49\\x07\N{REPLACEMENT CHARACTER}"
