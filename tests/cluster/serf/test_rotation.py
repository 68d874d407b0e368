"""Keys are changed without an agent being shut out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.serf.commands import Command
from supervisor.cluster.serf.rotation import Step, done, steps

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
keyrings = st.lists(st.sampled_from([A, B, C, b"d" * 32]), min_size=1, max_size=4, unique=True)


def test_the_order_is_install_use_remove() -> None:
    assert steps([A], [B]) == [
        Step(Command.INSTALL_KEY, B),
        Step(Command.USE_KEY, B),
        Step(Command.REMOVE_KEY, A),
    ]
    assert steps([A], [A, B]) == [Step(Command.INSTALL_KEY, B)]
    assert steps([A, B], [B, A]) == [Step(Command.USE_KEY, B)]
    assert steps([A, B], [A]) == [Step(Command.REMOVE_KEY, B)]
    assert steps([A, B, C], [A, C, B]) == []


@given(keyrings, keyrings, st.integers(2, 5))
def test_everybody_can_read_everybody_after_every_command_to_every_member(
    before: list[bytes], after: list[bytes], members: int
) -> None:
    """A step reaches one member after the other."""
    rings = [tuple(before)] * members
    for step in steps(before, after):
        for each in range(members):
            assert not (step.command is Command.REMOVE_KEY and rings[each][0] == step.key), "Serf refuses that"
            rings[each] = done(rings[each], step)
            assert all(sender[0] in reader for sender in rings for reader in rings)
    assert {ring[0] for ring in rings} == {after[0]}
    assert {frozenset(ring) for ring in rings} == {frozenset(after)}
    assert steps(rings[0], after) == []
