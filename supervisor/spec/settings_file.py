"""The file of a host's settings, as plain values."""

from __future__ import annotations

import os
import stat
from typing import Any

from supervisor.errors import Problem, SettingsError
from supervisor.spec.problems import safe
from supervisor.spec.syntax import READERS, SyntaxProblem

FILE_SIZE_MAX = 2**20  # settings are typed by people; larger is another file by mistake


def read_settings_file(file: str, *, must_exist: bool) -> dict[str, Any]:
    """What stands in a TOML file; nothing if it may be missing and is. SettingsError names the file."""
    data = _read(file, must_exist)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _cannot(file, f"the file is not UTF-8 in line {line}", "save the file as UTF-8") from None
    try:
        values = READERS[".toml"](text)
    except SyntaxProblem as error:
        problem = error.problem
        shown = Problem(problem.message, problem.remedy, file=file, place=problem.place)
        raise SettingsError([shown]) from None
    except RecursionError:
        raise _cannot(file, "the values are nested too deep", "write one setting per line: warm = 4") from None
    except ValueError as error:  # for example a number of thousands of digits
        raise _cannot(file, f"not TOML: {error}", "correct the file") from None
    assert isinstance(values, dict), "a TOML text is a table"
    return values


def _read(file: str, must_exist: bool) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise _cannot(file, "this is not a file", "name the file of the settings itself")
        with open(file, "rb") as stream:
            data = stream.read(FILE_SIZE_MAX + 1)
    except FileNotFoundError:
        if must_exist:
            raise _cannot(file, "there is no such file", "check its name, or leave it out for the defaults") from None
        return b""
    except OSError as error:
        why = f"the file cannot be read: {error.strerror}"
        raise _cannot(file, why, "check its permissions and its path") from None
    except ValueError:  # NUL or half of a surrogate pair in the name
        raise _cannot(file, "no file can have this name", "check the name") from None
    if len(data) > FILE_SIZE_MAX:
        raise _cannot(file, "the file is larger than 1 MiB", "is it the file of the settings?")
    return data


def _cannot(file: str, message: str, remedy: str) -> SettingsError:
    return SettingsError([safe(Problem(message, remedy, file=file))])
