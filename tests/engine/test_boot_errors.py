"""Programs that cannot start: which file, which line, which column, and the line itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.engine.isolate import End
from supervisor.spec.exits import ErrorPlace, Exit
from tests.engine.programs import Files, Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")


def error_of(end: Exit) -> ErrorPlace:
    assert end.reason == "uncaught"
    assert end.error is not None, end
    return end.error


@pytest.mark.parametrize(
    ("files", "says", "where", "line"),
    [
        pytest.param(
            {"a.js": "let x = 1;\n  let y = = 2;\n"}, "SyntaxError: Unexpected token '='", ("a.js", 2, 11),
            "  let y = = 2;", id="syntax error in a script"),
        pytest.param(
            {"a.mjs": "export default {\n  fetch( { }\n};\n"}, "SyntaxError", ("a.mjs", 3, None),
            None, id="syntax error in an .mjs file"),
        pytest.param(
            {"a.js": "export default {};\nlet y = = 2;\n"}, "SyntaxError: Unexpected token '='", ("a.js", 2, 9),
            "let y = = 2;", id="syntax error in a module by its contents"),
        pytest.param(
            {"a.cjs": "\nimport './b.js';\n"}, "SyntaxError: Cannot use import statement", ("a.cjs", 2, 1),
            "import './b.js';", id="import in a .cjs file"),
        pytest.param(
            {"a.js": "import './lib/b.js';\n", "lib/b.js": "\n\nlet z = ;"}, "SyntaxError: Unexpected token ';'",
            ("lib/b.js", 3, 9), "let z = ;", id="syntax error in an imported module"),
        pytest.param(
            {"a.js": "function fail() {\n  throw new TypeError('boom');\n}\nfail();\n"}, "TypeError: boom",
            ("a.js", 2, 3), "  throw new TypeError('boom');", id="throw in a script"),
        pytest.param(
            {"a.js": "export default {};\n\nnull.x;\n"}, "TypeError: Cannot read properties of null", ("a.js", 3, 6),
            "null.x;", id="throw in a module"),
        pytest.param(
            {"a.js": "import './b.js';\n", "b.js": "throw new Error('deep');\n"}, "Error: deep", ("b.js", 1, 7),
            "throw new Error('deep');", id="throw in an imported module"),
        pytest.param(
            {"a.mjs": "await 0;\nthrow new RangeError('late');\n"}, "RangeError: late", ("a.mjs", 2, 7),
            "throw new RangeError('late');", id="throw after a top-level await"),
        pytest.param(
            {"a.mjs": "\nawait Promise.reject(new Error('no'));\n"}, "Error: no", ("a.mjs", 2, 22),
            "await Promise.reject(new Error('no'));", id="rejected top-level await"),
        pytest.param(
            {"a.js": "\n  import './missing.js';\n"}, "'./missing.js'", ("a.js", 2, None),
            "  import './missing.js';", id="missing import"),
        pytest.param(
            {"a.js": "import './b.js';", "b.js": "import { nope } from './c.js';", "c.js": "export const yes = 1;"},
            "does not provide an export named 'nope'", ("b.js", 1, 10), "import { nope } from './c.js';",
            id="missing export"),
        pytest.param(
            {"a.js": "import react from 'react';"}, "'react'", ("a.js", 1, None), "import react from 'react';",
            id="bare specifier"),
        pytest.param(
            {"a.js": "import fs from 'node:fs';"}, "'node:fs'", ("a.js", 1, None), "import fs from 'node:fs';",
            id="specifier of another platform"),
        pytest.param(
            {"a.js": "import 'https://localhost/x.js';"}, "https://localhost/x.js", ("a.js", 1, None),
            "import 'https://localhost/x.js';", id="import over the network"),
        pytest.param(
            {"a.js": "import './data.json';", "data.json": '{"a": 1,}'}, "data.json' is not JSON", None, None,
            id="invalid JSON"),
        pytest.param(
            {"a.js": "import './data.wasm';", "data.wasm": b"\0asm\1\0\0\0\xff"}, "CompileError", None, None,
            id="invalid WebAssembly"),
        pytest.param(
            {"a.js": "import x from './b.js' with { type: 'css' };", "b.js": ""}, "type", ("a.js", 1, None), None,
            id="unknown import attribute"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_with_its_place(
    programs: Programs, files: Files, says: str, where: tuple[str, int, int | None] | None, line: str | None
) -> None:
    error = error_of(await programs.exit(files))
    assert says in error.message
    if where is not None:
        name, row, column = where
        assert error.file is not None
        assert error.file.endswith(f"/{name}")
        assert error.place is not None
        assert error.place.line == row
        if column is not None:
            assert error.place.column == column
        if line is not None:
            assert error.place.source_line == line


async def test_a_thrown_error_has_its_stack(programs: Programs) -> None:
    error = error_of(
        await programs.exit("function one() { throw new Error('boom'); }\nfunction two() { one(); }\ntwo();")
    )
    assert error.stack is not None
    assert error.stack.index("at one") < error.stack.index("at two")


@pytest.mark.parametrize("thrown", ["undefined", "null", "42", "'words'", "Object.create(null)", "Symbol('s')", "{}"])
async def test_anything_may_be_thrown(programs: Programs, thrown: str) -> None:
    error = error_of(await programs.exit(f"throw {thrown if thrown != '{}' else '({})'};"))
    assert error.message.startswith("Uncaught")
    assert error.place is not None
    assert error.place.line == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "{ get stack() { throw 1; }, get message() { throw 2; }, toString() { throw 3; } }",
        "new Proxy({}, { get() { throw 4; }, getPrototypeOf() { throw 5; }, ownKeys() { throw 6; } })",
        "Object.defineProperty(new Error('x'), 'stack', { get() { throw 7; } })",
        "Object.assign(new Error('x'), { cause: { get stack() { throw 8; } } })",
    ],
)
async def test_a_hostile_error_is_told_too(programs: Programs, hostile: str) -> None:
    assert (await programs.exit(f"throw ({hostile});")).reason == "uncaught"


@pytest.mark.parametrize("specifier", ["../outside.js", "./sub/../../outside.js", "./link.js", "./folder/outside.js"])
@pytest.mark.parametrize("way", ["static", "dynamic"])
async def test_no_import_leaves_the_folder(programs: Programs, specifier: str, way: str) -> None:
    statement = f"import '{specifier}';" if way == "static" else f"await import('{specifier}');"
    folder = programs.write({"app/a.mjs": statement, "app/sub/x.js": "", "outside.js": "console.log('seen');"})
    os.symlink("../outside.js", folder / "app" / "link.js")
    os.symlink("..", folder / "app" / "folder")
    program = programs.begin({"unused.js": ""}, main="a.mjs", pwd=folder / "app")
    error = error_of(await program.ended())
    assert "leads out of the task's folder (pwd)" in error.message
    assert not program.heard.lines


@pytest.mark.parametrize("target", ["/etc/passwd", "file:///etc/passwd", "file://localhost/etc/passwd", "//etc/passwd"])
async def test_no_import_of_an_absolute_path_outside(programs: Programs, target: str) -> None:
    error = error_of(await programs.exit({"a.mjs": f"await import('{target}');"}))
    assert "root:" not in str(error)
    assert "leads out" in error.message or "Cannot" in error.message


async def test_the_main_module_may_not_be_a_link_that_leads_out(programs: Programs) -> None:
    folder = programs.write({"app/x.js": "", "outside.js": "console.log('seen');"})
    os.symlink("../outside.js", folder / "app" / "main.js")
    program = programs.begin({"unused.js": ""}, main="main.js", pwd=folder / "app")
    assert "leads out" in error_of(await program.ended()).message
    assert not program.heard.lines


@pytest.mark.parametrize(
    ("main", "says"), [("missing.js", "there is no such file"), ("folder", "not a regular file"), ("fifo", "regular")]
)
async def test_a_main_module_that_cannot_be_read(programs: Programs, main: str, says: str) -> None:
    folder = programs.write({"folder/x.js": ""})
    os.mkfifo(folder / "fifo")
    end = await programs.begin({"unused.js": ""}, main=main, pwd=folder).ended()
    assert says in error_of(end).message
    assert main in error_of(end).message


async def test_a_folder_that_is_not_there(programs: Programs, tmp_path: Path) -> None:
    end = await programs.begin({"a.js": ""}, pwd=tmp_path / "nowhere").ended()
    assert "nowhere" in error_of(end).message


async def test_a_very_long_source_line_is_cut_at_a_character(programs: Programs) -> None:
    """Cut in the middle of a character, the record of the end would not be text any more."""
    for shift in range(3):
        source = "/*" + "x" * shift + "❄" * 300 + "*/ import './missing.js';"
        error = error_of(await programs.exit({"a.mjs": source}))
        assert "./missing.js" in error.message
        assert error.place is not None
        assert error.place.source_line


async def test_a_source_that_is_not_utf8_is_told_as_far_as_it_is_text(programs: Programs) -> None:
    error = error_of(await programs.exit({"a.mjs": b"/* \xff\xfe */ import './missing.js';"}))
    assert "./missing.js" in error.message


@pytest.mark.parametrize(
    "source", ["for (;;);", "await new Promise(() => {}); export {};", "for (;;) await 0; export {};"]
)
async def test_a_boot_that_never_ends_can_be_ended_at_any_moment(programs: Programs, source: str) -> None:
    """The end may come before the program, with it, or while it runs."""
    for moment in range(20):
        program = programs.begin({"a.mjs": source})
        await program.until(lambda heard: heard.warm_us is not None)
        for _ in range(moment * 50):
            program.isolate.statistics()  # about a microsecond
        assert (await program.end(End.STARTUP_LIMIT)).reason == "startup-limit"
        assert program.heard.ready_us is None
