"""The boot server's settings: mistakes are told with their names, and the documentation is made of the declarations."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.boot import settings_doc
from supervisor.boot.identity import Identity
from supervisor.boot.promotion import Promotion
from supervisor.boot.rack import image_for, place_of
from supervisor.boot.settings import BOOT_SETTINGS, GROUP_SETTINGS, MACHINE_SETTINGS, BootSettings
from supervisor.boot.settings_load import load_boot_settings
from supervisor.errors import SettingsError

ONE, TWO = "52:54:00:00:00:01", "52:54:00:00:00:02"
UUID = "4c4c4544-0042-3510-8052-b4c04f4e3332"
KEYS = "ca='/a'\ntlsCert='/b'\ntlsKey='/c'\nkeyFile='/d'\n"


def load(folder: Path, text: str, interface: str = "interface = 'eth1'\n") -> BootSettings:
    file = folder / "boot-server.toml"
    file.write_text(interface + text)
    return load_boot_settings(str(file))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("htttpPort = 1", "did you mean httpPort?"),
        ("range = '10.0.0.9-10.0.0.1'", "range: not a range of addresses"),
        ("range = '10.0.0.9'", "range: not a range of addresses"),
        ("prefix = 'fd00::/48'", "prefix: not such a prefix"),
        ("httpPort = 0", "httpPort"),
        ("unknown = 'web'", "unknown: there is no such group (value: web)"),
        ("keyFile = '/k'", "set ca, tlsCert, tlsKey"),
        ("[groups.web]\nkey = true", "groups.web.key: there is no key"),
        ("[groups.web]\nwords = 'a ${net0/mac}'", "groups.web.words: not words for a kernel"),
        ("[groups.web]\nwords = 'isolated.key=https://x'", "the boot server's own"),
        ("[groups.Web]\n", "groups.Web: not a name"),
        ("groups = 3", "groups: not tables"),
        ("[machines]\none = 3", "machines.one: not a table"),
        ("[machines.one]\n", "machines.one: nothing says which machine this is"),
        ("[machines.one]\nmac = 'x'", "machines.one.mac: not the MAC address"),
        (f"[machines.one]\nmac = '{ONE}'\ngroup = 'wab'\n[groups.web]", "did you mean web?"),
        (
            f"[machines.one]\nmac = '{ONE}'\n[machines.two]\nmac = '{ONE.upper()}'",
            "machines.two.mac: two machines have this",
        ),
        (
            f"{KEYS}[groups.web]\nkey = true\n[machines.two]\nuuid = '{UUID}'\ngroup = 'web'",
            "machines.two.uuid: a UUID, which everybody on the network sees, gets no key",
        ),
        (f"[machines.one]\nmac = '{ONE}'\nimage = '../v1'", "machines.one.image: not the name of an image version"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        load(tmp_path, text)
    assert told in str(wrong.value)
    assert "boot-server.toml" in str(wrong.value)
    assert wrong.value.exit_code == 2


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as wrong:
        load(tmp_path, "httpPort = 0\nnothing = 1\n[machines.one]\nmac = 'x'\nimages = 3")
    assert len(wrong.value.problems) == 4


def test_the_interface_has_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the interface is not set"):
        load(tmp_path, "", interface="")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_boot_settings(str(tmp_path / "none.toml"))


RACK = f"""
unknown = 'guests'
[groups.guests]
image = 'old'
[groups.web]
words = 'nomodeset'
config = '/etc/web.toml'
[machines.one]
mac = '{ONE}'
group = 'web'
[machines.two]
uuid = '{UUID}'
image = 'pinned'
config = '/etc/two.toml'
"""


def test_machines_are_matched_by_mac_or_uuid_and_strangers_by_policy(tmp_path: Path) -> None:
    settings = load(tmp_path, RACK)
    one = place_of(Identity(ONE, UUID), settings)
    two, stranger = place_of(Identity(TWO, UUID), settings), place_of(Identity(TWO), settings)
    assert one
    assert two
    assert stranger
    assert (one.name, one.group, one.words, one.listed, str(one.config)) == (
        "one",
        "web",
        "nomodeset",
        True,
        "/etc/web.toml",
    )
    assert (two.name, two.group, two.image, str(two.config)) == ("two", "default", "pinned", "/etc/two.toml")
    assert (stranger.group, stranger.image, stranger.listed) == ("guests", "old", False)


def test_a_stranger_is_refused_where_no_group_is_for_them(tmp_path: Path) -> None:
    settings = load(tmp_path, RACK.replace("unknown = 'guests'", ""))
    assert place_of(Identity(TWO), settings) is None
    assert place_of(Identity(TWO, UUID), settings) is not None


def test_a_table_with_mac_and_uuid_wants_both(tmp_path: Path) -> None:
    settings = load(tmp_path, f"[machines.one]\nmac = '{ONE}'\nuuid = '{UUID}'")
    assert place_of(Identity(ONE, UUID), settings)
    assert place_of(Identity(ONE), settings) is None
    assert place_of(Identity(TWO, UUID), settings) is None


def test_a_stranger_never_may_have_the_key(tmp_path: Path) -> None:
    settings = load(
        tmp_path, f"{KEYS}unknown='web'\n[groups.web]\nkey = true\n[machines.one]\nmac = '{ONE}'\ngroup = 'web'"
    )
    one, stranger = place_of(Identity(ONE), settings), place_of(Identity(TWO), settings)
    assert one
    assert one.may_have_key
    assert stranger
    assert not stranger.may_have_key


def test_the_image_is_the_machines_the_groups_or_the_promoted_one(tmp_path: Path) -> None:
    settings = load(tmp_path, RACK)
    found = [
        image_for(place, identity, Promotion("new"))
        for identity in (Identity(ONE), Identity(TWO, UUID), Identity(TWO))
        if (place := place_of(identity, settings))
    ]
    assert found == ["new", "pinned", "old"]


def test_the_tables_have_every_setting() -> None:
    text = settings_doc.markdown()
    for each in (*BOOT_SETTINGS, *GROUP_SETTINGS, *MACHINE_SETTINGS):
        assert f"| `{each.name}` | {each.declared.kind.unit} |" in text
    assert {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("|")} == {6}


def test_the_example_with_every_line_switched_on_is_the_defaults(tmp_path: Path) -> None:
    lines = [
        line[1:] for line in settings_doc.example().splitlines() if line.startswith("#") and line[1:2] not in (" ", "")
    ]
    at = lines.index("[groups.web]")
    own = [line for line in lines[:at] if not line.startswith("interface")]
    assert len(own) == len(BOOT_SETTINGS) - 1
    assert load(tmp_path, "\n".join(own)) == BootSettings(interface="eth1")
    groups = lines[at : lines.index("[machines.rack1-1]")]
    assert load(tmp_path, "\n".join(groups)).groups["web"] == type(load(tmp_path, "[groups.web]").groups["web"])()
