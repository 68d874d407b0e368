"""Commands of the settings: words, never a shell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.spec.program import LENGTH, Program, parse_words, tell_words
from supervisor.spec.refused import Refused

printable = st.text(max_size=20).filter(str.isprintable)
SHELL = {"|", "||", "&", "&&", ">", ">>", "<", "<<", "2>", "2>&1"}


def test_words_are_those_of_a_shell_without_one() -> None:
    kind = Program()
    assert kind.parse("poweroff") == ("poweroff",)
    assert kind.parse(kind.read("/sbin/off --host 'rack 1' $HOME *")) == ("/sbin/off", "--host", "rack 1", "$HOME", "*")
    assert kind.tell(("/sbin/off", "rack 1")) == "/sbin/off 'rack 1'"


@pytest.mark.parametrize("value", [None, 7, ["poweroff"], "", "  ", "''", "a\nb", "a 'b", "a | b", "x" * (LENGTH + 1)])
def test_what_is_no_command_is_refused(value: object) -> None:
    with pytest.raises(Refused) as caught:
        parse_words(value)
    assert caught.value.remedy


@given(printable.filter(bool).filter(lambda word: word not in SHELL), st.lists(printable))
def test_what_is_told_is_read_again(program: str, arguments: list[str]) -> None:
    words = [program, *(each for each in arguments if each not in SHELL)]
    assert parse_words(tell_words(words)) == tuple(words)
