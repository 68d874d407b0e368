"""What modules can import, and what they get."""

from __future__ import annotations

import os

import pytest

from tests.engine.programs import Files, Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")

# (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
ADD_WASM = bytes.fromhex(
    "0061736d01000000 0107016002 7f7f017f 03020100 0707010361646400 00 0a09010700200020016a0b"
)  # fmt: skip


async def answer(programs: Programs, files: Files, **options: str) -> str:
    return await (await programs.boot(files, **options)).text()


def says(expression: str, *imports: str) -> str:
    return (
        "\n".join(imports) + f"\nexport default {{ async fetch() {{ return new Response(String({expression})); }} }};"
    )


async def test_static_imports_by_all_forms(programs: Programs) -> None:
    files = {
        "a.js": says(
            "[one, two, three.four, five, Object.keys(all)]",
            "import one, { two } from './lib/b.js';",
            "import * as three from './lib/c.mjs';",
            "export { five } from './lib/d.js'; import { five } from './lib/d.js';",
            "import * as all from './lib/b.js';",
        ),
        "lib/b.js": "export default 1; export const two = 2;",
        "lib/c.mjs": "export { four } from './../lib/d.js';",
        "lib/d.js": "export const four = 4, five = 5;",
    }
    assert await answer(programs, files) == "1,2,4,5,default,two"


async def test_dynamic_imports_at_boot_and_in_a_handler(programs: Programs) -> None:
    files = {
        "a.mjs": "const early = await import('./b.mjs');" + says("early.name + (await import('./c.mjs')).name"),
        "b.mjs": "export const name = 'b';",
        "c.mjs": "export const name = 'c';",
    }
    assert await answer(programs, files) == "bc"


async def test_a_dynamic_import_that_fails_can_be_caught_and_tried_again(programs: Programs) -> None:
    files = {"a.mjs": says("await import('./x.mjs').then((x) => x.name, (error) => error.message)")}
    program = await programs.boot(files)
    assert "there is no such file" in await program.text()
    (programs.folder / "0" / "x.mjs").write_text("export const name = 'later';")
    assert await program.text() == "later"


async def test_a_script_can_import_dynamically(programs: Programs) -> None:
    source = "addEventListener('fetch', (e) => e.respondWith(import('./b.mjs').then((b) => new Response(b.name))));"
    assert await answer(programs, {"a.js": source, "b.mjs": "export const name = 'b';"}) == "b"


@pytest.mark.parametrize("attribute", ["", " with { type: 'json' }"])
async def test_json_modules(programs: Programs, attribute: str) -> None:
    files = {
        "a.js": says("data.words[1] + data.snow", f"import data from './data.json'{attribute};"),
        "data.json": '\ufeff{"words": ["a", "b"], "snow": "❄"}',
    }
    assert await answer(programs, files) == "b❄"
    dynamic = ", { with: { type: 'json' } }" if attribute else ""
    files["a.js"] = says(f"(await import('./data.json'{dynamic})).default.snow")
    assert await answer(programs, files) == "❄"


async def test_webassembly_modules(programs: Programs) -> None:
    files: Files = {
        "a.js": says(
            "[add instanceof WebAssembly.Module, new WebAssembly.Instance(add).exports.add(40, 2)]",
            "import add from './add.wasm';",
        ),
        "add.wasm": ADD_WASM,
    }
    assert await answer(programs, files) == "true,42"


async def test_import_meta_url(programs: Programs) -> None:
    files = {"sub/ä b.mjs": says("new URL('./c.json', import.meta.url).href + ' ' + import.meta.url")}
    folder = f"file://{programs.folder}/0/sub"
    assert await answer(programs, files) == f"{folder}/c.json {folder}/%C3%A4%20b.mjs"


async def test_cyclic_imports(programs: Programs) -> None:
    files = {
        "a.js": says(
            "a() + b()", "import { b } from './b.js'; export function a() { return 'a' + (globalThis.n ??= 0); }"
        ),
        "b.js": "import { a } from './a.js'; globalThis.early = a(); export function b() { return 'b' + early; }",
    }
    assert await answer(programs, files) == "a0ba0"


async def test_a_file_is_one_module_by_whatever_name(programs: Programs) -> None:
    counting = "globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;"
    folder = programs.write({
        "a.mjs": says(
            "evaluated",
            "import './b.mjs'; import './sub/../b.mjs'; import './link.mjs'; import './folder/b.mjs';",
            "import './%62.mjs'; await import('./b.mjs');",
        ),
        "b.mjs": counting,
        "sub/x": "",
    })  # fmt: skip
    os.symlink("b.mjs", folder / "link.mjs")
    os.symlink(".", folder / "folder")
    program = await programs.boot({"unused": ""}, main="a.mjs", pwd=folder)
    assert await program.text() == "1"


async def test_links_within_the_folder_are_followed(programs: Programs) -> None:
    folder = programs.write(
        {"real/b.mjs": "export { c as default } from './c.mjs';", "real/c.mjs": "export const c = 1;"}
    )
    os.symlink("real/b.mjs", folder / "b.mjs")
    (folder / "a.mjs").write_text(says("b", "import b from './b.mjs';"))
    assert await (await programs.boot({"unused": ""}, main="a.mjs", pwd=folder)).text() == "1"


async def test_a_query_makes_another_module_of_the_same_file(programs: Programs) -> None:
    files = {
        "a.mjs": says("evaluated", "import './b.mjs'; import './b.mjs?v=2'; import './b.mjs?v=2';"),
        "b.mjs": "globalThis.evaluated = (globalThis.evaluated ?? 0) + 1;",
    }
    assert await answer(programs, files) == "2"


@pytest.mark.parametrize(
    ("name", "source", "is_module"),
    [
        ("a.mjs", "globalThis.kind = typeof this;", True),
        ("a.cjs", "globalThis.kind = typeof this;", False),
        ("a.js", "globalThis.kind = typeof this;", False),
        ("a.js", "globalThis.kind = typeof this; export {};", True),
        ("a.js", "globalThis.kind = typeof this; import './b.mjs';", True),
        ("a.js", "globalThis.kind = typeof this; import.meta.url;", True),
        ("a.js", "globalThis.kind = typeof this; await 0;", True),
        ("a.js", "globalThis.kind = typeof this; // import './b.mjs'; export default 1", False),
        ("a.js", "globalThis.kind = typeof this; `export default 1`;", False),
        ("a.txt", "globalThis.kind = typeof this;", False),
        ("no-ending", "globalThis.kind = typeof this; export {};", True),
    ],
)
async def test_what_is_a_module(programs: Programs, name: str, source: str, is_module: bool) -> None:
    program = programs.begin({name: source + "\nconsole.log(kind);", "b.mjs": ""}, main=name)
    assert (await program.ended()).reason == "exited"
    assert program.heard.lines == ["undefined" if is_module else "object"]


async def test_require_is_not_there(programs: Programs) -> None:
    program = programs.begin(
        {"a.cjs": "console.log(typeof require, typeof module, typeof exports, typeof __filename);"}
    )
    await program.ended()
    assert program.heard.lines == ["undefined undefined undefined undefined"]


async def test_deep_graphs_load(programs: Programs) -> None:
    depth = 1000
    files: dict[str, str] = {"0.mjs": says("n", "import { n } from './1.mjs';")}
    files |= {f"{i}.mjs": f"export {{ n }} from './{i + 1}.mjs';" for i in range(1, depth)}
    files[f"{depth}.mjs"] = f"export const n = {depth};"
    assert await answer(programs, files) == str(depth)


async def test_a_module_is_what_it_was_when_it_was_loaded(programs: Programs) -> None:
    program = await programs.boot({"a.mjs": says("(await import('./b.mjs')).n"), "b.mjs": "export const n = 1;"})
    assert await program.text() == "1"
    (programs.folder / "0" / "b.mjs").write_text("export const n = 2;")
    assert await program.text() == "1"


async def test_a_hashbang_and_a_byte_order_mark_are_no_syntax_errors(programs: Programs) -> None:
    assert await answer(programs, {"a.js": "#!/usr/bin/env isolated\n" + says("1")}) == "1"
    assert await answer(programs, {"a.mjs": "\ufeff" + says("2")}) == "2"
