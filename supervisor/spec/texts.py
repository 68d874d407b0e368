"""The small values of a task that are texts: its id, environment, arguments, folder and main module."""

from __future__ import annotations

import math
import posixpath
import re

from supervisor.spec.refused import Refused
from supervisor.spec.units import EXACT

TASK_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
ENV_NAME = r"[^=\x00]+"
WITHOUT_NUL = r"[^\x00]*"

_TASK_ID = re.compile(TASK_ID, re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_task_id(value: object) -> int | str:
    """The id, an int or a text as it was written."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= EXACT:
        return value
    if isinstance(value, str) and _TASK_ID.fullmatch(value):
        return value
    raise Refused(
        "not a task id",
        allowed="a whole number from 0 to 2**53, or 1 to 128 letters, digits and . _ -, first a letter or digit",
        remedy="write for example 1111111 or 'shop-frontend'; numbers above 2**53 need quotes",
    )


def parse_env_name(value: object) -> str:
    """The name of an environment variable."""
    if isinstance(value, str) and value and "=" not in value and _is_plain(value):
        return value
    raise Refused(
        "not the name of an environment variable",
        allowed="names that are not empty and have neither '=' nor NUL",
        remedy="rename the variable",
    )


def parse_env_value(value: object) -> str:
    """The value of an environment variable; numbers and yes/no are refused, for they have more than one spelling."""
    if isinstance(value, str):
        return _text(value, "the value of an environment variable")
    raise Refused(
        "the value of an environment variable must be a text", allowed="texts", remedy="put the value in quotes"
    )


def parse_arg(value: object) -> str:
    """An argument as a text; a number is spelled as JavaScript's String() would."""
    if isinstance(value, str):
        return _text(value, "an argument")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else _javascript(value)
    raise Refused("not an argument", allowed="texts and numbers", remedy="put the argument in quotes")


def parse_folder(value: object) -> str:
    """An absolute path without '.', '..' and doubled slashes."""
    if not isinstance(value, str) or not value:
        raise Refused("not a folder", allowed="the path of a folder", remedy="write for example '/apps/app1'")
    path = _text(value, "a path")
    if not path.startswith("/"):
        raise Refused("the path is not absolute", allowed="absolute paths", remedy="begin the path with '/'")
    return "/" + posixpath.normpath(path).lstrip("/")


def parse_main_path(value: object, pwd: str) -> str:
    """The main module's path relative to `pwd`, normalised; raises Refused if it is not inside by its spelling."""
    if not isinstance(value, str) or not value:
        raise Refused("not a path", allowed="the path of a JavaScript file", remedy="write for example './app.js'")
    path = posixpath.normpath(posixpath.join(pwd, _text(value, "a path")))
    relative = posixpath.relpath("/" + path.lstrip("/"), pwd)
    if relative == "." or value.endswith("/"):
        raise Refused(
            f"{value} is a folder, not a module",
            allowed=f"files inside {pwd}",
            remedy="name the file, as in './app.js'",
        )
    if relative.startswith("../") or relative == "..":
        raise outside(value, pwd)
    return relative


def outside(main_path: str, pwd: str, through: str | None = None) -> Refused:
    """The refusal of a main module that is not in its folder; `through` is where links lead."""
    leads = "" if through is None else f", it is a link to {through}"
    return Refused(
        f"the main module {main_path} is outside pwd {pwd}{leads}",
        allowed="files inside pwd, links followed; nothing outside can be read",
        remedy="move the file inside, or set pwd to a folder that holds it and everything it imports",
    )


def _text(value: str, what: str) -> str:
    if _is_plain(value):
        return value
    raise Refused(
        f"{what} cannot hold NUL or half of a surrogate pair",
        allowed="texts that UTF-8 can carry, without NUL",
        remedy="take the character out; encode binary data, for example in base64",
    )


def _is_plain(value: str) -> bool:
    return "\0" not in value and not _SURROGATE.search(value)


def _javascript(value: float) -> str:
    """Python and JavaScript print the same shortest digits, but differ in where exponents begin and how they look."""
    mantissa, exponent, power = repr(value).partition("e")
    if not exponent:
        return mantissa
    if int(power) >= -6 and int(power) < 0:  # JavaScript writes 0.00001 where Python writes 1e-05
        return f"{value:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - int(power)}f}"
    return f"{mantissa}e{int(power):+d}"
