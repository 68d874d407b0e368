"""What `isolated settings` prints and the README shows: the settings as a table, made from their declarations."""

from __future__ import annotations

from collections.abc import Sequence

from supervisor.spec.setting import Setting
from supervisor.spec.settings import SETTINGS, SETTINGS_FILE

COLUMNS = ("setting", "takes", "default", "range", "meaning")


def documented(settings: Sequence[Setting] = SETTINGS) -> list[Setting]:
    """The settings that operators are told of, in order."""
    return [setting for setting in settings if not setting.declared.hidden]


def rows(settings: Sequence[Setting] = SETTINGS) -> list[tuple[str, ...]]:
    """The table's cells, as plain texts."""
    return [
        (each.name, each.declared.kind.unit, each.tell(each.default), _range(each), each.declared.meaning)
        for each in documented(settings)
    ]


def markdown(settings: Sequence[Setting] = SETTINGS) -> str:
    """The table for the README."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS)]
    lines += [(f"`{name}`", *(_cell(cell) for cell in cells)) for name, *cells in rows(settings)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def example(settings: Sequence[Setting] = SETTINGS) -> str:
    """A settings file with every setting at its default, each commented out."""
    texts = (f"# {each.declared.meaning}\n{_line(each)}\n\n" for each in documented(settings))
    return "".join(texts).rstrip("\n") + "\n"


def document() -> list[dict[str, object]]:
    """The same for programs: names everywhere, default and range as texts."""
    return [
        {
            "name": each.name,
            "environment": each.env,
            "flag": each.flag,
            "takes": each.declared.kind.unit,
            "default": each.tell(each.default),
            "allowed": each.allowed,
            "meaning": each.declared.meaning,
        }
        for each in documented()
    ]


def introduction() -> str:
    """How the names in the table become those of the environment and of flags."""
    first = SETTINGS[0]
    return (
        f"Each is read from {SETTINGS_FILE} (`{first.name} = …`), from the environment (`{first.env}`) and from flags "
        f"of `isolated serve` (`{first.flag}`); the later wins."
    )


def _line(setting: Setting) -> str:
    value = setting.tell(setting.default)
    bare = isinstance(setting.default, bool) or (setting.default is not None and value.replace(".", "", 1).isdigit())
    return f"#{setting.name} = " + (value if bare else f'"{value.replace(" ", "")}"')


def _range(setting: Setting) -> str:
    kind = setting.declared.kind
    words: Sequence[str] = [kind.allowed] if kind.unit not in ("path", "address") else []
    return (
        ", ".join([*words, *([setting.declared.nothing] if setting.declared.nothing else [])])
        .replace("a whole number from ", "")
        .replace("a number from ", "")
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
