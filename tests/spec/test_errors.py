"""Errors as people see them, and text of strangers in them."""

import errno
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.errors import BootError, EngineError, IsolatedError, ListenError, Place, Problem, SettingsError
from supervisor.printable import SOURCE_SHOWN, excerpt, printable, printable_lines, shown


def test_exit_codes() -> None:
    assert SettingsError([]).exit_code == 2
    for kind in (IsolatedError, BootError, EngineError):
        assert kind("x").exit_code == 1
    assert ListenError("a", "b").exit_code == 1


def test_the_remedy_has_a_line_of_its_own() -> None:
    assert str(IsolatedError("it broke", "mend it")) == "it broke\n  mend it"
    assert str(IsolatedError("it broke")) == "it broke"


def test_a_boot_error_shows_the_place_and_the_stack() -> None:
    error = BootError(
        "SyntaxError: Unexpected token ';'",
        "mend it",
        file="app.js",
        place=Place(3, 9, "let x = ;"),
        stack="at app.js:3",
    )
    assert str(error).splitlines() == [
        "SyntaxError: Unexpected token ';'",
        "  at app.js:3:9",
        "  3 | let x = ;",
        "    |         ^",
        "  at app.js:3",
        "  mend it",
    ]


def test_a_boot_error_cannot_move_the_cursor() -> None:
    text = str(BootError("a\x1b[2J\rb", file="\x07", place=Place(1, 1, "\x1b[1m"), stack="\x1b]0;x\x07\nat y"))
    assert not any(ord(character) < 32 and character != "\n" for character in text)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EADDRINUSE, "in use"),
        (errno.EACCES, "not permitted"),
        (errno.EADDRNOTAVAIL, "no such address"),
        (errno.ENOENT, "folder of the socket"),
        (errno.ENOTDIR, "not a folder"),
        (errno.EMFILE, "Too many open files"),
        (-2, "Name or service not known"),
    ],
)
def test_listen_errors_name_the_address_and_a_remedy(number: int, says: str) -> None:
    error = ListenError.from_os_error("127.0.0.1:80", OSError(number, "Name or service not known"))
    assert error.message.startswith("cannot listen on 127.0.0.1:80: ")
    assert says in error.message
    assert error.remedy


def test_a_problem_in_full() -> None:
    problem = Problem("wrong", "do this", allowed="that", field="a.b", value="3", file="f.json")
    assert str(problem) == "f.json: a.b: wrong (value: 3)\n  allowed: that\n  remedy: do this"


@given(st.text())
def test_printable_text_is_one_line_without_controls(text: str) -> None:
    found = printable(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in found)
    assert "\u202e" not in found
    assert found.splitlines() in ([found], [])


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_letters_of_all_scripts_stay(text: str) -> None:
    assert printable(text) == text


def test_reordering_and_hiding_characters_are_escaped() -> None:
    for character in "\u202e\u2066\u200b\u2028\ufeff\x9b\U000e0041":
        assert printable(character).isascii()
    assert printable("\t\r\n\x00\u202e\U000e0041") == r"\t\r\n\x00\u202e\U000e0041"


def test_lines_split_at_line_feeds_only() -> None:
    assert printable_lines("a\r\nb\x0bc\u2028d\re") == ["a", r"b\x0bc\u2028d\re"]


def test_shown_values_are_short_and_never_fail() -> None:
    circular: list[object] = []
    circular.append(circular)
    assert shown("x" * 100) == '"' + "x" * 58 + "…"
    assert shown(circular) == "a list"
    assert shown({(1, 2): 3}) == "a dict"
    assert shown(None) == "null"


@given(st.integers(-5, 500), st.text(st.characters(categories=["L", "Zs"]), min_size=170, max_size=400))
def test_the_caret_stands_under_its_column_in_long_lines_too(column: int, source: str) -> None:
    line, caret = excerpt(7, column, source)
    assert len(line) <= SOURCE_SHOWN + len("7 | ")
    at = min(max(column, 1), len(source) + 1)
    under = line[caret.index("^") : caret.index("^") + 1]
    assert under == source[at - 1 : at]
