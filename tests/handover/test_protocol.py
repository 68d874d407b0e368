"""The table of the conversation: whoever dies at whatever moment, one process is the host."""

from __future__ import annotations

import pytest

from supervisor.handover.protocol import (
    CONVERSATION,
    SPEAKERS,
    Phase,
    ProtocolError,
    Side,
    Word,
    common_version,
    goes_on,
)  # fmt: skip

type State = tuple[Phase, Phase, tuple[Word, ...], tuple[Word, ...]]
START: State = (Phase.STARTING, Phase.STARTING, (), ())


def following(state: State) -> list[State]:
    """What may happen next: one side says something that its phase allows, or hears what is on its way."""
    predecessor, successor, to_successor, to_predecessor = state
    found: list[State] = []
    for word, speaker in SPEAKERS.items():
        if speaker is Side.PREDECESSOR and (after := CONVERSATION.get((predecessor, word))):
            found.append((after, successor, (*to_successor, word), to_predecessor))
        if speaker is Side.SUCCESSOR and (after := CONVERSATION.get((successor, word))):
            found.append((predecessor, after, to_successor, (*to_predecessor, word)))
    if to_successor and (after := CONVERSATION.get((successor, to_successor[0]))):
        found.append((predecessor, after, to_successor[1:], to_predecessor))
    if to_predecessor and (after := CONVERSATION.get((predecessor, to_predecessor[0]))):
        found.append((after, successor, to_successor, to_predecessor[1:]))
    return found


def reachable() -> set[State]:
    seen, open_states = {START}, [START]
    while open_states:
        for state in following(open_states.pop()):
            if state not in seen:
                seen.add(state)
                open_states.append(state)
    return seen


def test_whoever_dies_the_other_knows_whether_it_is_the_host() -> None:
    """A survivor first hears what the dead one still said; then it decides by its own phase."""
    states = reachable()
    assert len(states) > 15
    for predecessor, successor, to_successor, to_predecessor in states:
        heard = successor
        for word in to_successor:
            heard = CONVERSATION.get((heard, word), Phase.FAILED)
        told = predecessor
        for word in to_predecessor:
            told = CONVERSATION.get((told, word), Phase.FAILED)
        # The predecessor dies: its successor takes over if, and only if, it was told to, and had not given up.
        assert goes_on(Side.SUCCESSOR, heard) == (
            predecessor in (Phase.COMMITTING, Phase.COMMITTED) and successor is not Phase.FAILED
        )
        # The successor dies: the predecessor is the host unless the other one said that it was.
        assert goes_on(Side.PREDECESSOR, told) == (successor is not Phase.COMMITTED)


def test_a_word_has_one_speaker_and_a_place() -> None:
    assert set(SPEAKERS) == set(Word) == {word for _, word in CONVERSATION}


def test_the_newest_common_version_is_taken() -> None:
    assert common_version([1, 2, 3, "x", None]) == 1
    for theirs in ([], [99], ["1"]):
        with pytest.raises(ProtocolError, match="this process 1"):
            common_version(theirs)
