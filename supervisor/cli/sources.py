"""What `isolated apply` is given: task files, or folders that hold one; and what of it goes to the host."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from supervisor.cli.address import Address, SocketAddress
from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown
from supervisor.spec.files import load_task_files, read_task_file
from supervisor.spec.problems import safe

NAMES = ("task.json5", "task.json", "task.toml")


@dataclass(frozen=True, slots=True)
class Source:
    """A task to apply: `settings` as the host is to get them, and the folder to pack, if one goes along."""

    file: str
    label: str
    settings: dict[str, Any]
    folder: str | None


def read_sources(given: Sequence[str], address: Address, *, bundle: bool) -> list[Source]:
    """All tasks; SettingsError with the problems of all files.

    With a bundle the settings say no pwd: the bundle is it. Without, pwd is a folder of the host.
    """
    files = [task_file(each) for each in given]
    if not bundle and not isinstance(address, SocketAddress):
        return [_elsewhere(file) for file in files]
    sources = []
    for file, spec in zip(files, load_task_files(files), strict=True):
        settings = _document(file) | {"taskId": spec.task_id}
        if bundle:
            settings.pop("pwd", None)
            sources.append(Source(file, spec.label, settings | {"mainPath": spec.main_path}, spec.pwd))
        else:
            sources.append(Source(file, spec.label, settings | {"pwd": spec.pwd}, None))
    return sources


def task_file(given: str) -> str:
    """The task file that is meant: `given` itself, or the one in that folder."""
    if not os.path.isdir(given):
        return given
    found = [name for name in NAMES if os.path.lexists(os.path.join(given, name))]
    if len(found) == 1:
        return os.path.join(given, found[0])
    allowed = f"a folder with one of {', '.join(NAMES)}"
    if found:
        raise _wrong(given, f"the folder has {' and '.join(found)}", "name the one that is meant", allowed)
    raise _wrong(
        given, "no task file is in the folder", "write one, or name the file if it is called otherwise", allowed
    )


def _elsewhere(file: str) -> Source:
    """A task whose files are on the host already: only the host can check it."""
    settings = _sendable(_document(file), file)
    pwd = settings.get("pwd")
    if not isinstance(pwd, str) or not pwd.startswith("/"):
        remedy = "say an absolute pwd, or let --bundle bring the files along"
        problem = Problem("pwd has to be a folder of the host", remedy, field="pwd", value=shown(pwd), file=file)
        raise SettingsError([safe(problem)])
    return Source(file, str(settings.get("taskId")), settings, None)


def _document(file: str) -> dict[str, Any]:
    try:
        document = read_task_file(file)
    except SettingsError as error:
        raise SettingsError([replace(problem, file=file) for problem in error.problems]) from None
    if not isinstance(document, dict):
        remedy = "write {taskId: 'shop', mainPath: './app.js'}"
        raise SettingsError([Problem("not an object", remedy, allowed="an object of fields", file=file)])
    return {name: value for name, value in document.items() if name != "$schema"}


def _sendable(settings: dict[str, Any], file: str) -> dict[str, Any]:
    """The same, if JSON can carry it: nobody has validated it here."""
    try:
        json.dumps(settings, allow_nan=False)
    except (TypeError, ValueError) as error:
        problem = Problem(f"a value that cannot be sent: {error}", "correct the value", file=file)
        raise SettingsError([safe(problem)]) from None
    return settings


def _wrong(given: str, message: str, remedy: str, allowed: str) -> SettingsError:
    return SettingsError([safe(Problem(message, remedy, allowed=allowed, file=given))])
