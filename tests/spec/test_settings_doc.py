"""The documentation of the settings is made from their declarations."""

from __future__ import annotations

from pathlib import Path

from supervisor.spec.settings import SETTINGS, SETTINGS_FILE, HostSettings
from supervisor.spec.settings_doc import document, documented, example, introduction, markdown, rows
from supervisor.spec.settings_load import load_settings

CHECKOUT = Path(__file__).parents[2]


def test_the_readme_has_the_table_of_the_code() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    assert markdown() in readme, "replace README's table by what `isolated settings --markdown` prints"


def test_the_introduction_has_one_setting_by_all_its_names() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    for name in (SETTINGS_FILE, SETTINGS[0].env, SETTINGS[0].flag):
        assert name in introduction()
        assert name in readme


def test_every_setting_but_those_for_development_is_told() -> None:
    hidden = ("v8Flags", "seccomp", "bootTime", "clusterPace")
    assert [row[0] for row in rows()] == [each.name for each in SETTINGS if each.name not in hidden]
    assert all(each.declared.meaning for each in SETTINGS)


def test_a_cell_cannot_break_the_table() -> None:
    lines = markdown().splitlines()
    assert {line.count("|") for line in lines} == {6}


def test_the_example_with_every_line_switched_on_is_the_defaults(tmp_path: Path) -> None:
    lines = [line.removeprefix("#") for line in example().splitlines() if line.startswith("#") and line[1] != " "]
    assert len(lines) == len(documented())
    file = tmp_path / "isolated.toml"
    file.write_text("\n".join(lines))
    assert load_settings(str(file)) == HostSettings()


def test_the_form_for_programs_has_all_three_names() -> None:
    (drain,) = [each for each in document() if each["name"] == "drain"]
    assert drain["environment"] == "ISOLATED_DRAIN"
    assert drain["flag"] == "--drain"
    assert drain["default"] == "30 s"
