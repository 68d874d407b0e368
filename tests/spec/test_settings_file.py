"""A file of settings, whatever stands in it, is an answer: values, or what is wrong with it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from supervisor.errors import SettingsError
from supervisor.spec.settings import SETTINGS
from supervisor.spec.settings_load import load_settings

NAMES = [name for setting in SETTINGS for name in (setting.name, setting.attribute)]
VALUES = st.recursive(
    st.sampled_from(
        ["true", "nan", "-inf", "0", "-1", "1e400", "0x10", "1979-05-27", "9" * 50, '"unlimited"', "'''a'''"]
    )
    | st.integers().map(str)
    | st.floats().map(str)
    | st.from_regex(r'"[0-9.+-]{0,6} ?(s|ms|h|MiB|GB|mbit|x)?"', fullmatch=True)
    | st.text(max_size=20).map(lambda text: f"'{text}'"),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=4,
)
LINES = st.tuples(st.sampled_from(NAMES) | st.text("abcW.\" -_'", min_size=1, max_size=8), VALUES).map(" = ".join)
TEXTS = st.lists(LINES, max_size=6).map("\n".join)
ANY = hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def answered(file: Path, **more: dict[str, str]) -> None:
    """Fails for any exception but SettingsError, and for one that cannot be shown."""
    with suppress(SettingsError):
        load_settings(str(file), **more)
        return
    with pytest.raises(SettingsError) as caught:
        load_settings(str(file), **more)
    assert str(caught.value).isprintable() or all(ord(c) >= 32 or c == "\n" for c in str(caught.value))
    str(caught.value).encode()


@ANY
@given(TEXTS)
def test_any_values_are_taken_or_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "f.toml").write_text(text, errors="surrogatepass")
    answered(tmp_path / "f.toml")


@ANY
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbfwarm = 1")
@example(b"warm = " + b"9" * 10_000)
@example(b"a = " + b"[" * 5_000)
@example(b"a" + b".a" * 3_000 + b" = 1")
@example(b"\0")
def test_any_bytes_are_taken_or_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f.toml").write_bytes(data)
    answered(tmp_path / "f.toml")


@ANY
@given(
    st.dictionaries(
        st.sampled_from([each.env for each in SETTINGS]) | st.text(max_size=9).map("ISOLATED_{}".format), st.text()
    ),
    st.dictionaries(st.sampled_from(NAMES) | st.text(), st.text()),
)
@example({"ISOLATED_WARM": "9" * 5_000, "ISOLATED_HANDOVER_MAPPINGS": "9" * 5_000, "ISOLATED_DRAIN": "1" * 5_000}, {})
@example({"ISOLATED_WARM": "\u0664", "ISOLATED_STATE_DIR": "/\udc80"}, {"socket": "/\udc80"})
def test_any_environment_and_flags_are_taken_or_told(
    tmp_path: Path, environment: dict[str, str], flags: dict[str, str]
) -> None:
    (tmp_path / "f.toml").write_text("")
    answered(tmp_path / "f.toml", environment=environment, flags=flags)


def test_a_mistake_in_the_syntax_is_shown_in_its_line(tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text("warm = 1\nisolates = = 3\n")
    with pytest.raises(SettingsError, match=r"f.toml:2:12: not TOML(.|\n)*isolates = = 3"):
        load_settings(str(file))


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not a file"):
        load_settings(str(tmp_path))
    with pytest.raises(SettingsError, match="not a file"):
        load_settings("/dev/zero")
    with pytest.raises(SettingsError, match="can have this name"):
        load_settings("a\0b")
    (tmp_path / "f.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(str(tmp_path / ("x" * 300)))


def test_a_file_that_is_too_large_or_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        load_settings(str(file))
    file.write_bytes(b"warm = 1\n# \xff")
    with pytest.raises(SettingsError, match="not UTF-8 in line 2"):
        load_settings(str(file))


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text("")
    assert load_settings(str(file)).warm == 4
