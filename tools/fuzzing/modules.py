"""Generator of module graphs: files that import each other, themselves, nothing, and what is no module at all."""

from __future__ import annotations

import json
from random import Random

from tools.fuzzing import wasm
from tools.fuzzing.grammar import Grammar
from tools.fuzzing.program import Program, Way
from tools.fuzzing.tables import table

ENDINGS = ("js", "mjs", "cjs", "json", "wasm", "txt", "")
ATTRIBUTES = (
    "",
    "",
    "",
    " with {type: 'json'}",
    " with {type: 'css'}",
    " with {a: 'b'}",
    " with {type: 'json', type: 'x'}",
)
LEAVES = (
    b"",
    b"\xef\xbb\xbfexport default 1",
    b"\xff\xfe\x00",
    b"#!/bin/sh\n1",
    b"export default",
    b"\0" * 100,
    b"// " + b"x" * 100_000,
    b"await new Promise(() => {})",
    b"throw 1",
    b"for(;;);",
    b"export * from './main.mjs'",
    b"export const a = 1; export { a as '\\ud800' }",
    b"import.meta.url",
    b"//# sourceMappingURL=./x",
    b"}" * 50,
)
DOCUMENTS = ("{}", "[" * 3000, '{"a":' * 500, '{"a": [1, "\u2028"]}', "1e999", '"\\ud800"', "", "nul", "[1,]")
MOST_FILES = 12
DEEP = 400  # modules in a chain


def program(name: str, random: Random) -> Program:
    """Returns one graph with its main module."""
    main = random.choice(("main.mjs", "main.js"))
    places = [f"{'d/' * random.choice((0, 0, 1, 5))}m{n}" for n in range(random.randint(1, MOST_FILES))]
    names = [f"{place}.{random.choice(ENDINGS)}" for place in places]
    files = {each: _content(random, each, [*names, main]) for each in names}
    files[main] = _source(random, [*names, main], 4)
    if random.random() < 0.05:
        files |= _chain(random)
        files[main] += b"\nimport './c0.mjs';"
    return Program(name, random.choice((Way.BOOT, Way.BOOT, Way.HANDLER)), main, files)


def _content(random: Random, name: str, names: list[str]) -> bytes:
    if name.endswith("wasm"):
        return wasm.module(random)
    if name.endswith("json"):
        texts = (
            "{}",
            "[" * 3000,
            '{"a":' * 500,
            json.dumps({"a": [1, "\u2028"]}),
            "1e999",
            '"\\ud800"',
            "",
            "nul",
            "[1,]",
        )
        return random.choice(texts).encode()
    if random.random() < 0.3:
        return random.choice(LEAVES)
    source = _source(random, names, 3)
    return wasm.damaged(random, source) if random.random() < 0.1 else source


def _source(random: Random, names: list[str], most: int) -> bytes:
    lines = [_import(random, _specifier(random, names), number) for number in range(random.randint(0, most))]
    lines.append("export const a = 1; export default { fetch: () => new Response('m') };")
    if random.random() < 0.3:
        lines.append(
            Grammar(random).statement(1).replace("v", "globalThis.v", 1) if random.random() < 0.2 else "await 0;"
        )
    random.shuffle(lines)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _specifier(random: Random, names: list[str]) -> str:
    if random.random() < 0.1:
        return random.choice(table("specifiers")["STRANGE"])
    return random.choice(("./", "./", "./", "/", "../", "./d/../")) + random.choice(names)


def _import(random: Random, specifier: str, number: int) -> str:
    text, attributes = f"'{specifier}'", random.choice(ATTRIBUTES)
    forms = (
        f"import {text}{attributes};",
        f"import i{number} from {text}{attributes};",
        f"import * as n{number} from {text}{attributes}; v{number} = Object.keys(n{number});",
        f"import {{ a as a{number} }} from {text}{attributes};",
        f"export * from {text}{attributes};",
        f"export * as e{number} from {text}{attributes};",
        f"await import({text}).catch((error) => console.log(String(error)));",
        f"import({text}, {{ with: {{ type: 'json' }} }});",
        f"import({text}); import({text}); import({text});",
        f"setTimeout(() => import({text}), 1);",
        f"await Promise.all(Array.from({{ length: 300 }}, (_, i) => import({text} + '?' + i).catch(() => {{}})));",
        f"import source s{number} from {text};",
        f"import defer * as l{number} from {text};",
        f"eval('import({json.dumps(specifier)})'.replace(/'/g, '')).catch(() => {{}});",
        f"new Function('return import({json.dumps(specifier)})')().catch(() => {{}});",
        f"console.log(import.meta.url, import.meta.resolve?.({text}));",
    )
    return random.choices(forms, weights=(5, 5, 3, 5, 4, 2, 5, 2, 2, 1, 1, 0.3, 0.3, 1, 1, 1))[0]


def _chain(random: Random) -> dict[str, bytes]:
    end = random.choice((b"export default 1", b"import './c0.mjs'", b"await new Promise(() => {})", b"import './c'"))
    chain = {f"c{n}.mjs": f"import './c{n + 1}.mjs';".encode() for n in range(DEEP)}
    return chain | {f"c{DEEP}.mjs": end}
