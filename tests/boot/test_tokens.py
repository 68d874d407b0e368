"""One-time tokens, as a table of what may follow what."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from supervisor.boot.tokens import Answer, Tokens

LIFE_S = 100.0


class TokenRules(RuleBasedStateMachine):
    """Hands out and uses in any order; a plain table says what has to come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = Tokens(LIFE_S)
        self.now = 0.0
        self.made = 0
        self.live: dict[str, tuple[str, float]] = {}  # machine -> secret, until

    @rule(machine=st.sampled_from("abc"))
    def hand_out(self, machine: str) -> None:
        self.made += 1
        secret = self.tokens.hand_out(machine, f"secret{self.made}", self.now)
        self.live[machine] = (secret, self.now + LIFE_S)

    @rule(seconds=st.floats(0, LIFE_S))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(machine=st.sampled_from("abc"), number=st.integers(0, 20))
    def use(self, machine: str, number: int) -> None:
        secret = f"secret{number}"
        owner = next((who for who, (each, _) in self.live.items() if each == secret), None)
        answer = self.tokens.use(secret, machine, self.now)
        if owner is None:
            assert answer is Answer.UNKNOWN
        elif owner != machine:
            assert answer is Answer.ANOTHER
        else:
            late = self.live[owner][1] <= self.now
            # One that is long gone is forgotten; either way nothing is given.
            assert answer in ((Answer.LATE, Answer.UNKNOWN) if late else (Answer.GIVEN,))
        if owner is not None:
            del self.live[owner]


TestTokenRules = TokenRules.TestCase


def test_a_token_is_used_once() -> None:
    tokens = Tokens(10)
    tokens.hand_out("a", "s", 0)
    assert tokens.use("s", "a", 1) is Answer.GIVEN
    assert tokens.use("s", "a", 1) is Answer.UNKNOWN


def test_who_tries_anothers_token_voids_it() -> None:
    tokens = Tokens(10)
    tokens.hand_out("a", "s", 0)
    assert tokens.use("s", "b", 1) is Answer.ANOTHER
    assert tokens.use("s", "a", 1) is Answer.UNKNOWN


def test_a_token_expires() -> None:
    tokens = Tokens(10)
    tokens.hand_out("a", "s", 0)
    assert tokens.use("s", "a", 10) is Answer.LATE
