"""Commands of the settings: words, never a shell."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.spec.program import LENGTH, Program, parse_words, tell_words
from supervisor.spec.refused import Refused

texts = st.text(max_size=20).filter(str.isprintable) | st.text(alphabet="|&>'\"\\ 2a", max_size=6)


def test_words_are_those_of_a_shell_without_one() -> None:
    kind = Program()
    assert kind.parse("poweroff") == ("poweroff",)
    assert kind.parse(kind.read("/sbin/off --host 'rack 1' $HOME *")) == ("/sbin/off", "--host", "rack 1", "$HOME", "*")
    assert kind.parse("a '|' \"b \\\" > c\" \\& 'd'\"'\"' | e'") == ("a", "|", 'b " > c', "&", "d' | e")
    assert kind.tell(("/sbin/off", "rack 1")) == "/sbin/off 'rack 1'"


@pytest.mark.parametrize(
    "value",
    [None, 7, ["poweroff"], "", "  ", "''", "a\nb", "a 'b", "a | b", "a 'b' | c", "a \\\\ && b", "x" * (LENGTH + 1)],
)
def test_what_is_no_command_is_refused(value: object) -> None:
    with pytest.raises(Refused) as caught:
        parse_words(value)
    assert caught.value.remedy


@settings(deadline=None)
@given(st.lists(texts, min_size=1).filter(lambda words: words[0] != ""))
def test_what_is_told_is_read_again(words: list[str]) -> None:
    assert parse_words(tell_words(words)) == tuple(words)
