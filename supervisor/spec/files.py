"""Task files: read, parsed, validated, and every problem told at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from supervisor.errors import Problem, SettingsError
from supervisor.printable import shown
from supervisor.spec.cores import Cores
from supervisor.spec.paths import folder_of, place_problems
from supervisor.spec.problems import problems_of, refusal, safe
from supervisor.spec.refused import Refused
from supervisor.spec.syntax import READERS, SyntaxProblem, parse, repeated
from supervisor.spec.task import TaskSpec

FILE_SIZE_MAX = 2**20  # settings are typed by people; larger is another file by mistake


def load_task_file(file: str | os.PathLike[str], cores: Cores | None = None) -> TaskSpec:
    """The task that `file` describes; raises SettingsError with all its problems. `cores`: those to check `cpu` by."""
    (spec,) = load_task_files([file], cores)
    return spec


def load_task_files(files: Sequence[str | os.PathLike[str]], cores: Cores | None = None) -> list[TaskSpec]:
    """The tasks of all files, in order; raises SettingsError with all problems of all files."""
    specs: list[tuple[str, TaskSpec]] = []
    problems: list[Problem] = []
    for file in files:
        name = os.fspath(file)
        try:
            specs.append((name, _load(name, cores)))
        except SettingsError as error:
            problems += [replace(problem, file=name) for problem in error.problems]
    problems += _clashes(specs)
    if problems:
        raise SettingsError(problems)
    return [spec for _, spec in specs]


def read_task_file(file: str) -> Any:
    """The values in `file`, not validated; raises SettingsError without the file's name."""
    ending = os.path.splitext(file)[1].lower()
    text = _read(file, ending)
    try:
        return parse(text, ending)
    except SyntaxProblem as error:
        raise SettingsError([error.problem]) from None


def _load(file: str, cores: Cores | None) -> TaskSpec:
    return task_of(read_task_file(file), file, cores)


def task_of(document: Any, file: str, cores: Cores | None = None) -> TaskSpec:
    """The task that the values of a file describe; raises SettingsError without the file's name."""
    if not isinstance(document, dict):
        remedy = "write {taskId: 'shop', mainPath: './app.js'}"
        raise SettingsError([Problem("not an object", remedy, allowed="an object of fields", value=shown(document))])
    problems = [
        safe(Problem("the field stands twice", "take one of the two out", field=field)) for field in repeated(document)
    ]
    fields = dict(document)
    schema = fields.pop("$schema", "")
    if not isinstance(schema, str):
        problems.append(Problem("not the address of a schema", "write a text", field="$schema", value=shown(schema)))
    if "pwd" not in fields or isinstance(fields["pwd"], str):
        fields["pwd"] = folder_of(fields.get("pwd"), file)
    try:
        spec = TaskSpec.model_validate(fields, by_alias=True, by_name=False)
    except ValidationError as error:
        raise SettingsError(problems + problems_of(error, TaskSpec)) from None
    problems += place_problems(spec.pwd, spec.main_path) + _core_problems(spec, cores)
    if problems:
        raise SettingsError(problems)
    return spec


def _core_problems(spec: TaskSpec, cores: Cores | None) -> list[Problem]:
    try:
        if cores is not None:
            cores.check(spec.cpu)
    except Refused as refused:
        return [refusal(refused, "cpu", spec.cpu)]
    return []


def _clashes(specs: Iterable[tuple[str, TaskSpec]]) -> list[Problem]:
    """Ids and addresses that two tasks both want."""
    owners: dict[tuple[str, str], tuple[int, str]] = {}
    problems = []
    for number, (file, spec) in enumerate(specs):
        wanted = [("taskId", spec.label)]
        wanted += [("listen", str(address)) for address in spec.listen if not address.is_any_port]
        for field, value in wanted:
            first, owner = owners.setdefault((field, value), (number, file))
            if first != number:
                remedy = f"give this task another {'id' if field == 'taskId' else 'address'}, or leave one file out"
                problem = Problem(f"{owner} has the same", remedy, field=field, value=shown(value), file=file)
                problems.append(safe(problem))
    return problems


def _read(file: str, ending: str) -> str:
    """The text of the file; raises SettingsError where it cannot be one of ours."""
    if ending not in READERS:
        if not os.path.lexists(file):
            raise _cannot("there is no such file or folder", "check the name, and the folder that you are in")
        remedy = "give the file the ending of its format"
        if ending in (".js", ".mjs", ".ts"):
            name = os.path.basename(file)
            remedy = f"name a task file that says {{taskId: 'app', mainPath: './{name}', listen: ['127.0.0.1:3000']}}"
        raise _cannot(f"the ending {ending!r} names no format", remedy, allowed=", ".join(READERS))
    try:
        status = os.stat(file)
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a file"
            raise _cannot(f"this is {what}", "name the task file itself")
        with open(file, "rb") as stream:
            data = stream.read(FILE_SIZE_MAX + 1)
    except FileNotFoundError:
        raise _cannot("there is no such file", "check the name, and the folder that you are in") from None
    except OSError as error:
        raise _cannot(f"the file cannot be read: {error.strerror}", "check its permissions and its path") from None
    except ValueError:  # NUL in the name
        raise _cannot("no file can have this name", "check the name") from None
    if len(data) > FILE_SIZE_MAX:
        raise _cannot("the file is larger than 1 MiB", "is it a task file? Large data belongs into a module")
    return _decode(data)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: byte 0x{data[error.start]:02x} in line {line}"
        raise _cannot(message, "save the file as UTF-8") from None


def _cannot(message: str, remedy: str, allowed: str | None = None) -> SettingsError:
    return SettingsError([safe(Problem(message, remedy, allowed=allowed))])
