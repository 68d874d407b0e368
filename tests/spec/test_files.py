"""Task files as they lie on a disk: formats, places, and what can be wrong with a file."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.errors import Problem, SettingsError
from supervisor.spec.cores import Cores
from supervisor.spec.files import FILE_SIZE_MAX, load_task_file, load_task_files
from supervisor.spec.syntax import READERS, SyntaxProblem, parse

# Every field, with comments and without the outer braces.
EVERY_FIELD = """
taskId: 1111111,              // integer or string
mainPath: './app.js',
pwd: '.',
env: {FOO: 'bar'},
args: [1, 2, 3],              /* as strings */
listen: ['127.0.0.1:3000'],
cpu: 0,
limits: {
  cpu: {request: '50ms', startup: '1s', wall: '30s', quota: 1.0},
  mem: {heap: '64MiB', external: '64MiB'},
  net: {egress: null, ingress: null, connections: 256, subrequests: 50, private: false},
},
idle: '60s',                  // the last line is a comment"""

AS_TOML = """
taskId = 1111111
mainPath = './app.js'
args = [1, 2, 3]
listen = ['127.0.0.1:3000']
cpu = 0
idle = '60s'
[env]
FOO = 'bar'
[limits.cpu]
quota = 1.0
[limits.net]
egress = 'unlimited'
"""


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def a_folder(folder: Path) -> Path:
    (folder / "d.json").mkdir()
    return folder / "d.json"


def a_fifo(folder: Path) -> Path:
    os.mkfifo(folder / "f.json")
    return folder / "f.json"


def problem_of(file: Path | str) -> Problem:
    with pytest.raises(SettingsError) as caught:
        load_task_file(file)
    (problem,) = caught.value.problems
    assert problem.file == os.fspath(file)
    return problem


def test_the_three_formats_say_the_same(tmp_path: Path) -> None:
    spec = load_task_file(written(tmp_path, "a.json5", EVERY_FIELD), Cores(frozenset({0}), frozenset({0})))
    assert spec.task_id == 1111111
    assert spec.env == {"FOO": "bar"}
    assert spec.args == ("1", "2", "3")
    assert spec.pwd == str(tmp_path)
    assert load_task_file(written(tmp_path, "b.json5", "{" + EVERY_FIELD + "\n}")) == spec
    assert load_task_file(written(tmp_path, "a.toml", AS_TOML)) == spec
    assert load_task_file(written(tmp_path, "a.JSON", json.dumps(spec.document()))) == spec


@pytest.mark.parametrize("name", ["a.json5", "a.json", "a.toml"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_byte_order_mark_and_windows_lines(tmp_path: Path, name: str, newline: str) -> None:
    lines = {"toml": ["taskId = 1", "mainPath = 'a.js'", ""]}.get(
        name[2:], ['{"taskId": 1,', '"mainPath": "a.js"}', ""]
    )
    spec = load_task_file(written(tmp_path, name, "\ufeff" + newline.join(lines)))
    assert (spec.task_id, spec.main_path) == (1, "a.js")


def test_editors_may_leave_their_schema_key(tmp_path: Path) -> None:
    text = '{"$schema": "./task.schema.json", "taskId": 1, "mainPath": "a.js"}'
    assert load_task_file(written(tmp_path, "a.json", text)).task_id == 1
    assert problem_of(written(tmp_path, "a.json", text.replace('"./task.schema.json"', "3"))).field == "$schema"


@pytest.mark.parametrize(
    ("name", "text", "line", "column", "source", "says"),
    [
        ("a.json5", "{taskId: 1,\n  mainPath: 'x' 'y'}", 2, 17, "  mainPath: 'x' 'y'}", "unexpected"),
        ("a.json5", "taskId: 1 2,", 1, 11, "taskId: 1 2,", "unexpected"),
        ("a.json5", "// c\ntaskId: 1,\nmainPath: ]", 3, 11, "mainPath: ]", "unexpected"),
        ("a.json5", "{taskId: 1", 1, 11, "{taskId: 1", "end of input"),
        ("a.json5", "{a: '\n'}", 1, 6, "{a: '", r'unexpected "\n"'),
        ("a.json", '{"a": 1,\n "b": }', 2, 7, ' "b": }', "Expecting value"),
        ("a.json", '{"a": 1} x', 1, 10, '{"a": 1} x', "Extra data"),
        ("a.json", "{'a': 1}", 1, 2, "{'a': 1}", "double quotes"),
        ("a.toml", "a = 1\nb = \n", 2, 5, "b = ", "invalid value"),
        ("a.toml", "a = 1\na = 2\n", 2, 6, "a = 2", "overwrite"),
    ],
)
def test_a_slip_in_the_syntax_is_shown_in_its_line(
    tmp_path: Path, name: str, text: str, line: int, column: int, source: str, says: str
) -> None:
    problem = problem_of(written(tmp_path, name, text))
    assert problem.place is not None
    assert (problem.place.line, problem.place.column, problem.place.source_line) == (line, column, source)
    assert says in problem.message
    first, shown, caret, *_ = str(problem).splitlines()
    assert first.startswith(f"{tmp_path / name}:{line}:{column}: not {'TOML' if 'toml' in name else 'JSON'}")
    assert shown == f"  {line} | {source}"
    assert caret.index("^") == len(f"  {line} | ") + column - 1


def test_json_with_comments_is_told_of_json5(tmp_path: Path) -> None:
    problem = problem_of(written(tmp_path, "a.json", '{\n"taskId": 1, // the id\n}'))
    assert ".json5" in problem.remedy


@pytest.mark.parametrize("name", ["a.json5", "a.json"])
def test_a_field_that_stands_twice_is_refused(tmp_path: Path, name: str) -> None:
    text = '{"taskId": 1, "mainPath": "a.js", "limits": {"mem": {"heap": "8MiB", "heap": "9MiB"}}}'
    problem = problem_of(written(tmp_path, name, text))
    assert (problem.field, problem.message) == ("limits.mem.heap", "the field stands twice")


@pytest.mark.parametrize("name", ["a.json5", "a.json", "a.toml"])
@pytest.mark.parametrize("depth", [40, 900, 100_000])
@pytest.mark.parametrize("open_close", [("[", "]"), ("{a:", "}"), ('{"a":', "}"), ("{a=", "}")])
def test_deep_nesting_is_an_answer(tmp_path: Path, name: str, depth: int, open_close: tuple[str, str]) -> None:
    opening, closing = open_close
    text = f"{opening * depth}0{closing * depth}"
    problem = problem_of(written(tmp_path, name, "x = " + text if name == "a.toml" else text))
    assert "nested too deep" in problem.message or "not " in problem.message


@pytest.mark.parametrize("name", ["a.json5", "a.json", "a.toml"])
def test_numbers_of_thousands_of_digits(tmp_path: Path, name: str) -> None:
    digits = "9" * 5000
    assign = "taskId = {}\nmainPath = 'a.js'" if name == "a.toml" else '{{"taskId": {}, "mainPath": "a.js"}}'
    problem = problem_of(written(tmp_path, name, assign.format(digits)))
    assert problem.remedy
    assert len(str(problem)) < 1000


@pytest.mark.parametrize("name", ["a.json5", "a.json", "a.toml"])
@pytest.mark.parametrize("text", ["", "\ufeff", " \r\n\t"])
def test_empty_files(tmp_path: Path, name: str, text: str) -> None:
    assert problem_of(written(tmp_path, name, text)).message == "the file is empty"


@pytest.mark.parametrize(
    ("make", "says", "remedy"),
    [
        (lambda folder: folder / "none.json5", "no such file", "check the name"),
        (lambda folder: folder, "names no format", "ending"),
        (lambda folder: folder / "helo", "there is no such file or folder", "check the name"),
        (lambda folder: written(folder, "app.js", "x"), "names no format", "mainPath: './app.js'"),
        (lambda folder: written(folder, "a.yaml", "x"), "names no format", "ending"),
        (a_folder, "this is a folder", "the task file itself"),
        (a_fifo, "not a file", "the task file itself"),
        (lambda folder: written(folder, "l.json", b'{"a":\n"\xff"}'), "byte 0xff in line 2", "UTF-8"),
        (lambda folder: written(folder, "b.json", b" " * (FILE_SIZE_MAX + 1)), "larger than 1 MiB", "a task file?"),
        (lambda _: "a\0b.json", "no file can have this name", "check the name"),
        (lambda _: "x" * 300 + ".json", "cannot be read: File name too long", "check"),
    ],
)
def test_what_is_not_a_readable_file(tmp_path: Path, make: Any, says: str, remedy: str) -> None:
    problem = problem_of(make(tmp_path))
    assert says in problem.message
    assert remedy in problem.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = written(tmp_path, "a.json", "{}")
    file.chmod(0)
    assert "Permission denied" in problem_of(file).message


def test_a_link_loop_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("a.json")
    assert "symbolic links" in problem_of(tmp_path / "a.json").message


def test_pwd_is_seen_from_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apps").mkdir()
    written(tmp_path, "a.json5", "{taskId: 1, mainPath: 'a.js', pwd: './apps'}")
    monkeypatch.chdir("/")
    assert load_task_file(tmp_path / "a.json5").pwd == str(tmp_path / "apps")
    monkeypatch.chdir(tmp_path)
    assert load_task_file("a.json5").pwd == str(tmp_path / "apps")


@pytest.mark.parametrize(("pwd", "says"), [("none", "does not exist"), ("a.js", "is not a folder")])
def test_pwd_must_be_a_folder(tmp_path: Path, pwd: str, says: str) -> None:
    written(tmp_path, "a.js", "")
    problem = problem_of(written(tmp_path, "a.json5", f"{{taskId: 1, mainPath: 'a.js', pwd: '{pwd}'}}"))
    assert problem.field == "pwd"
    assert says in problem.message
    assert str(tmp_path / pwd) in problem.message


def test_a_link_that_leads_outside_is_refused_and_both_are_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    written(tmp_path, "outside.js", "")
    (tmp_path / "in" / "app.js").symlink_to("../outside.js")
    problem = problem_of(written(tmp_path / "in", "a.json5", "{taskId: 1, mainPath: 'app.js'}"))
    assert problem.field == "mainPath"
    assert f"{tmp_path}/outside.js" in problem.message
    assert f"pwd {tmp_path}/in" in problem.message


def test_links_that_stay_inside_are_fine(tmp_path: Path) -> None:
    (tmp_path / "real" / "v2").mkdir(parents=True)
    written(tmp_path / "real" / "v2", "app.js", "")
    (tmp_path / "real" / "app.js").symlink_to("v2/app.js")
    (tmp_path / "link").symlink_to("real")
    file = written(tmp_path, "a.json5", "{taskId: 1, mainPath: 'app.js', pwd: 'link'}")
    assert load_task_file(file).main_path == "app.js"


def test_a_missing_main_module_is_not_a_matter_of_settings(tmp_path: Path) -> None:
    assert load_task_file(written(tmp_path, "a.json5", "{taskId: 1, mainPath: 'a.js'}")).main_path == "a.js"


def test_problems_of_all_files_are_told_together(tmp_path: Path) -> None:
    files = [
        written(tmp_path, "a.json5", "{taskId: 1, mainPath: 'a.js', listen: ['localhost:1']}"),
        written(tmp_path, "b.json5", "{taskId: '1', mainPath: 'a.js', listen: ['LOCALHOST:1', 'localhost:0']}"),
        written(tmp_path, "c.json5", "{taskId: 3, mainPath: 'a.js', listn: ['localhost:0']}"),
    ]
    with pytest.raises(SettingsError) as caught:
        load_task_files(files)
    found = [(Path(problem.file or "").name, problem.field, problem.value) for problem in caught.value.problems]
    assert found == [
        ("c.json5", "listn", '["localhost:0"]'),
        ("b.json5", "taskId", '"1"'),
        ("b.json5", "listen", '"localhost:1"'),
    ]
    assert f"{files[0]} has the same" in str(caught.value)


def test_the_same_file_twice_clashes_with_itself(tmp_path: Path) -> None:
    file = written(tmp_path, "a.json5", "{taskId: 1, mainPath: 'a.js'}")
    with pytest.raises(SettingsError, match="has the same"):
        load_task_files([file, file])


def test_files_keep_their_order(tmp_path: Path) -> None:
    files = [written(tmp_path, f"{n}.json5", f"{{taskId: {n}, mainPath: 'a.js'}}") for n in (3, 1, 2)]
    assert [spec.task_id for spec in load_task_files(files)] == [3, 1, 2]


@given(st.sampled_from(sorted(READERS)), st.text() | st.from_regex(r"[\[\]{}:,='\"a1 \n/*-]{0,40}"))
def test_any_text_parses_or_is_told(ending: str, text: str) -> None:
    problem = None
    try:
        parse(text, ending)
    except SyntaxProblem as error:
        problem = error.problem
    assert problem is None or (problem.message and problem.remedy and str(problem))
