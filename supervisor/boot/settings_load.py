"""The settings of a boot server from their file; every problem told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from supervisor.boot.kinds import NAME, NAMES
from supervisor.boot.settings import (
    BOOT_SETTINGS,
    BOOT_SETTINGS_FILE,
    GROUP_SETTINGS,
    MACHINE_SETTINGS,
    BootSettings,
    GroupSettings,
    MachineSettings,
)
from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown
from supervisor.spec.names import ALIKE
from supervisor.spec.problems import refusal, safe
from supervisor.spec.refused import Refused
from supervisor.spec.setting import Setting
from supervisor.spec.settings_file import read_settings_file

_SECRETS = ("ca", "tls_cert", "tls_key", "key_file")  # all of them, or none


def load_boot_settings(file: str | None = None) -> BootSettings:
    """The settings in `file`, else in the usual one; SettingsError with all problems."""
    path = file or BOOT_SETTINGS_FILE
    document = dict(read_settings_file(path, must_exist=True))
    problems: list[Problem] = []
    groups = _tables(document.pop("groups", {}), "groups", GROUP_SETTINGS, GroupSettings, problems)
    machines = _tables(document.pop("machines", {}), "machines", MACHINE_SETTINGS, MachineSettings, problems)
    own = _values(document, "", BOOT_SETTINGS, problems)
    settings = BootSettings(**own, groups=MappingProxyType(groups), machines=MappingProxyType(machines))
    if not problems:
        problems += clashes(settings)
    if problems:
        raise SettingsError([replace(each, file=path) for each in problems])
    return settings


def _tables[T](
    found: object, parent: str, declared: Sequence[Setting], kind: type[T], problems: list[Problem]
) -> dict[str, T]:
    """The tables below [groups] or [machines], by name."""
    made: dict[str, T] = {}
    if not isinstance(found, dict):
        problems.append(safe(Problem("not tables", f"write [{parent}.NAME] above its settings", field=parent)))
        return made
    for name, values in found.items():
        field = f"{parent}.{name}"
        if NAME.fullmatch(name) is None:
            problems.append(safe(Problem("not a name", "rename it", allowed=NAMES, field=field)))
        elif not isinstance(values, dict):
            problems.append(safe(Problem("not a table", f"write [{field}] above its settings", field=field)))
        else:
            made[name] = kind(**_values(values, f"{field}.", declared, problems))
    return made


def _values(
    document: Mapping[str, object], prefix: str, declared: Sequence[Setting], problems: list[Problem]
) -> dict[str, Any]:
    known = {each.name: each for each in declared}
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name not in known:
            problems.append(_unknown(prefix, name, value, list(known)))
            continue
        try:
            values[known[name].attribute] = known[name].parse(value)
        except Refused as refused:
            problems.append(refusal(refused, prefix + name, value))
    return values


def _unknown(prefix: str, name: str, value: object, known: list[str]) -> Problem:
    near = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
    remedy = f"did you mean {near[0]}?" if near else "take it out; `isolated boot-server settings` lists all there are"
    return safe(Problem("no such setting", remedy, allowed=", ".join(known), field=prefix + name, value=shown(value)))


def clashes(settings: BootSettings) -> Iterator[Problem]:
    """Settings that do not go together. Pure."""
    if settings.interface is None:
        yield Problem("the interface is not set", "write for example interface = 'eth1'", field="interface")
    given = [name for name in _SECRETS if getattr(settings, name) is not None]
    if given and len(given) < len(_SECRETS):
        names = {each.attribute: each.name for each in BOOT_SETTINGS}
        missing = ", ".join(names[name] for name in _SECRETS if name not in given)
        yield Problem("the key needs all of ca, tlsCert, tlsKey and keyFile", f"set {missing}", field=names[given[0]])
    keyed = [name for name, group in settings.groups.items() if group.key]
    if keyed and not given:
        remedy = "set ca, tlsCert, tlsKey and keyFile, or leave `key` out"
        yield Problem("there is no key that this group could fetch", remedy, field=f"groups.{keyed[0]}.key")
    known = settings.groups.keys() | {"default"}
    if settings.unknown is not None and settings.unknown not in known:
        yield _no_group("unknown", settings.unknown, known)
    for name, machine in settings.machines.items():
        if machine.group not in known:
            yield _no_group(f"machines.{name}.group", machine.group, known)
        if machine.mac is None and machine.uuid is None:
            remedy = "add mac = '…' or uuid = '…'"
            yield Problem("nothing says which machine this is", remedy, field=f"machines.{name}")
        elif machine.mac is None and machine.group in keyed:
            remedy = f"add mac = '…', or choose a group without `key` (groups.{machine.group} has it)"
            yield Problem(
                "a UUID, which everybody on the network sees, gets no key", remedy,
                field=f"machines.{name}.uuid", value=machine.uuid,
            )  # fmt: skip
    yield from _twice(settings)


def _twice(settings: BootSettings) -> Iterator[Problem]:
    """Machines that could be mistaken for each other."""
    seen: dict[object, str] = {}
    for name, machine in settings.machines.items():
        for attribute in ("mac", "uuid", "address"):
            value = getattr(machine, attribute)
            if value is not None and value in seen:
                field = f"machines.{name}.{attribute}"
                remedy = f"correct one of them: machines.{seen[value]} has the same"
                yield Problem("two machines have this", remedy, field=field, value=str(value))
            elif value is not None:
                seen[value] = name


def _no_group(field: str, name: str, known: set[str]) -> Problem:
    near = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
    remedy = f"did you mean {near[0]}?" if near else f"add a table [groups.{name}]"
    return Problem("there is no such group", remedy, allowed=", ".join(sorted(known)), field=field, value=name)
