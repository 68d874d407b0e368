"""Every refusal names the field, the value, what is allowed and what to do."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.errors import Problem, SettingsError
from supervisor.spec.cores import Cores
from supervisor.spec.files import task_of
from supervisor.spec.names import known_fields
from supervisor.spec.task import TaskSpec

CORES = Cores(online=frozenset({0, 1, 2, 3}), allowed=frozenset({0, 1}))


def problems(document: Any) -> tuple[Problem, ...]:
    """What is wrong with a document as of a file in this folder; fails if nothing is."""
    with pytest.raises(SettingsError) as caught:
        task_of(document, str(Path(__file__).with_name("task.json5")), CORES)
    assert caught.value.exit_code == 2
    return caught.value.problems


def put(path: str, value: object) -> dict[str, Any]:
    """The smallest document, with `value` at a path such as limits.mem.heap."""
    document: dict[str, Any] = {"taskId": 1, "mainPath": "app.js"}
    *parents, last = path.split(".")
    inner = document
    for name in parents:
        inner = inner.setdefault(name, {})
    inner[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "shown", "allowed", "remedy"),
    [
        ("taskId", -1, "-1", "0 to 2**53", "1111111"),
        ("taskId", 2**53 + 1, "9007199254740993", "0 to 2**53", "need quotes"),
        ("taskId", True, "true", "0 to 2**53", "'shop-frontend'"),
        ("taskId", 1.0, "1.0", "0 to 2**53", "1111111"),
        ("taskId", "", '""', "letters, digits", "'shop-frontend'"),
        ("taskId", "-shop", '"-shop"', "letters, digits", "'shop-frontend'"),
        ("taskId", "a\nb", r'"a\\nb"', "letters, digits", "'shop-frontend'"),
        ("taskId", "x" * 129, '"xxxx', "1 to 128", "'shop-frontend'"),
        ("mainPath", 3, "3", "JavaScript file", "./app.js"),
        ("mainPath", "", '""', "JavaScript file", "./app.js"),
        ("mainPath", ".", '"."', "files inside", "name the file"),
        ("mainPath", "src/", '"src/"', "files inside", "name the file"),
        ("mainPath", "../app.js", '"../app.js"', "inside pwd", "move the file inside"),
        ("mainPath", "a\0b", r'"a\\u0000b"', "UTF-8", "take the character out"),
        ("pwd", 3, "3", "path of a folder", "/apps/app1"),
        ("pwd", "", '""', "path of a folder", "/apps/app1"),
        ("pwd", None, "null", "path of a folder", "/apps/app1"),
        ("args", "x", '"x"', "a list", "between [ and ]"),
        ("listen", "127.0.0.1:1", '"127.0.0.1:1"', "a list", "between [ and ]"),
        ("cpu", 2, "2", "cores 0-1", "widen the process's CPU set"),
        ("cpu", 4, "4", "cores 0-1", "leave `cpu` out"),
        ("cpu", -1, "-1", "from 0", "lscpu"),
        ("cpu", True, "true", "from 0", "lscpu"),
        ("cpu", "0", '"0"', "from 0", "lscpu"),
        ("limits", 3, "3", "an object", "leave it out for the defaults"),
        ("limits", None, "null", "an object", "leave it out for the defaults"),
        ("limits.mem", [], "[]", "an object", "leave it out for the defaults"),
        ("limits.mem.heap", 0, "0", "4 MiB to 4 GiB", "no room"),
        ("limits.mem.heap", "1MiB", '"1MiB"', "4 MiB to 4 GiB", "no room"),
        ("limits.mem.heap", "5GiB", '"5GiB"', "4 MiB to 4 GiB", "pauses"),
        ("limits.mem.heap", "64", '"64"', "KiB, MiB", "'64MiB'"),
        ("limits.mem.heap", 2**54, "18014398509481984", "KiB, MiB", "'64MiB'"),
        ("limits.mem.external", 0, "0", "1 MiB to 64 GiB", "below 1 MiB"),
        ("limits.mem.external", True, "true", "KiB, MiB", "'64MiB'"),
        ("limits.cpu.request", 0, "0", "1 ms to 2400 h", "within that"),
        ("limits.cpu.startup", "999us", '"999us"', "1 ms to 2400 h", "within that"),
        ("limits.cpu.wall", float("nan"), "NaN", "us, ", "'50ms'"),
        ("limits.cpu.wall", float("inf"), "Infinity", "us, ", "'50ms'"),
        ("limits.cpu.quota", 0, "0", "0.01 to 1", "one thread"),
        ("limits.cpu.quota", 2, "2", "0.01 to 1", "one thread"),
        ("limits.cpu.quota", float("nan"), "NaN", "0.01 to 1", "one thread"),
        ("limits.cpu.quota", "1", '"1"', "0.01 to 1", "one thread"),
        ("limits.net.egress", 0, "0", "8 kbit/s", "within that"),
        ("limits.net.ingress", "1MiB", '"1MiB"', "kbit, mbit", "'8mbit'"),
        ("limits.net.connections", 0, "0", "from 1 to", "leave `listen` empty"),
        ("limits.net.connections", 1.5, "1.5", "from 1 to", "whole number"),
        ("limits.net.subrequests", -1, "-1", "from 0 to", "forbids fetch"),
        ("limits.net.private", "yes", '"yes"', "true or false", "without quotes"),
        ("limits.net.private", 1, "1", "true or false", "without quotes"),
        ("limits.net.private", None, "null", "true or false", "without quotes"),
        ("allow.eval", "no", '"no"', "true or false", "without quotes"),
        ("allow.wasm", 0, "0", "true or false", "without quotes"),
        ("idle", 0, "0", "1 ms to 2400 h", "within that"),
        ("idle", "101h 5m", '"101h 5m"', "min, h", "'50ms'"),
    ],
)
def test_one_wrong_value(path: str, value: object, shown: str, allowed: str, remedy: str) -> None:
    (problem,) = problems(put(path, value))
    assert problem.field == path
    assert shown.replace(r"\\", "\\") in (problem.value or "")
    assert allowed in (problem.allowed or "")
    assert remedy in problem.remedy
    text = str(problem)
    assert all(part in text for part in (path, problem.message, problem.value or "", problem.remedy))


@pytest.mark.parametrize(
    ("field", "value", "path", "says"),
    [
        ("args", [1, None], "args[1]", "not an argument"),
        ("args", ["x", True], "args[1]", "not an argument"),
        ("args", [float("nan")], "args[0]", "not an argument"),
        ("args", [[1]], "args[0]", "not an argument"),
        ("args", ["\0"], "args[0]", "cannot hold NUL"),
        ("args", ["\ud800"], "args[0]", "surrogate"),
        ("listen", ["localhost"], "listen[0]", "port is missing"),
        ("listen", ["localhost:1", 80], "listen[1]", "not an address"),
        ("listen", ["localhost:1", "LOCALHOST:1"], "listen", "listed twice"),
        ("env", {"": "x"}, "env.", "not the name"),
        ("env", {"A=B": "x"}, "env.A=B", "not the name"),
        ("env", {"A\0": "x"}, r"env.A\x00", "not the name"),
    ],
)
def test_wrong_items_are_named_by_their_place(field: str, value: object, path: str, says: str) -> None:
    (problem,) = problems(put(field, value))
    assert problem.field == path
    assert says in problem.message


@pytest.mark.parametrize("value", [1234567, True, None, ["hunter2"], {"password": "hunter2"}, "hunter2\0"])
def test_values_of_the_environment_are_not_shown(value: object) -> None:
    (problem,) = problems(put("env", {"SECRET": value}))
    assert problem.field == "env.SECRET"
    assert "hunter2" not in str(problem)
    assert "1234567" not in str(problem)
    assert "not shown" in (problem.value or "")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("limits.mem.heep", "limits.mem.heap"),
        ("limits.cpu.requests", "limits.cpu.request"),
        ("limits.cpu.request_ms", "limits.cpu.request"),
        ("limits.net.subRequests", "limits.net.subrequests"),
        ("taskID", "taskId"),
        ("main_path", "mainPath"),
        ("Listen", "listen"),
        ("limit", "limits"),
        ("heap", "limits.mem.heap"),
        ("private", "limits.net.private"),
        ("limits.heap", "limits.mem.heap"),
    ],
)
def test_an_unknown_field_is_told_with_the_nearest_known_one(path: str, meant: str) -> None:
    (problem,) = problems(put(path, 1))
    assert problem.field == path
    assert problem.message == "unknown field"
    assert problem.remedy == f"did you mean {meant}?"


def test_a_field_like_no_other_is_to_be_taken_out() -> None:
    (problem,) = problems(put("limits.mem.zzz", 1))
    assert problem.allowed == "external, heap"
    assert problem.remedy == "take the field out"


PATHS = [path for path in known_fields(TaskSpec) if path[-1] != "cpu"]  # `cpu` stands at two places


@given(st.sampled_from(PATHS), st.data())
def test_a_slip_of_the_finger_is_understood(path: tuple[str, ...], data: st.DataObject) -> None:
    """One letter left out of a longer name, at the same place, leads back to that name."""
    name = path[-1]
    if len(name) < 5:
        return
    at = data.draw(st.integers(0, len(name) - 1))
    slipped = ".".join([*path[:-1], name[:at] + name[at + 1 :]])
    (problem,) = (found for found in problems(put(slipped, 1)) if found.field == slipped)
    assert problem.remedy == f"did you mean {'.'.join(path)}?"


def test_all_problems_are_told_at_once() -> None:
    document = {"taskid": 1, "pwd": ".", "listen": ["x"], "limits": {"mem": {"heap": 0}, "cpu": {"wall": "soon"}}}
    fields = {problem.field for problem in problems(document)}
    assert fields == {"taskId", "taskid", "mainPath", "listen[0]", "limits.mem.heap", "limits.cpu.wall"}


@pytest.mark.parametrize("document", [None, 3, "x", [], [{}]])
def test_a_file_must_hold_an_object(document: object) -> None:
    (problem,) = problems(document)
    assert problem.message == "not an object"


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    found = problems({"taskId": 1, "mainPath": "../\x1b[2Jx\r", "\x1b]0;x\x07": 1, "listen": ["\x1b[1m"]})
    assert len(found) == 3
    text = "\n".join(map(str, found))
    assert not any(ord(character) < 32 and character != "\n" for character in text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([".".join(path) for path in known_fields(TaskSpec)]), VALUES)
def test_any_value_is_taken_or_refused_in_words(path: str, value: object) -> None:
    try:
        task_of(put(path, value), str(Path(__file__)), CORES)
    except SettingsError as error:
        for problem in error.problems:
            assert problem.message
            assert problem.remedy
            assert "\n" not in problem.message + problem.remedy + (problem.value or "")
