"""Generator of single programs: boot scripts, modules and handlers of the grammar's statements, one on each line."""

from __future__ import annotations

from random import Random

from tools.fuzzing.grammar import Grammar
from tools.fuzzing.program import Program, Way

STATEMENTS = (3, 25)
ANSWERS = (
    "return new Response('a')",
    "return new Response(String(v0))",
    "return new Response(v1, v2)",
    "return new Response(request.body)",
    "return new Response(await request.text(), {{headers: {{a: String(v0)}}}})",
    "return Response.json(v3)",
    "return new Response(new ReadableStream({{pull(c) {{ c.enqueue(new Uint8Array(65536)) }}}}))",
    "return new Response(new ReadableStream({{async pull(c) {{ await 0; {0} c.enqueue('x') }}}}))",
    "return new Response(new ReadableStream({{start(c) {{ c.enqueue('a'); {0} c.error(v4) }}}}))",
    "return new Response(request.body.pipeThrough(new TransformStream({{transform(x, c) {{ {0} c.enqueue(x) }}}})))",
    "const [a, b] = new Response(request.body).body.tee(); return new Response(a)",
    "return new Promise(() => {{}})",
    "return v5",
    "throw v6",
    "context.waitUntil(new Promise((r) => setTimeout(r, 30))); return new Response('later')",
    "context.waitUntil(v4); return new Response(new Uint8Array(300000))",
    "return request.clone().formData().then((f) => new Response([...f].length))",
    "request.signal.addEventListener('abort', () => {{ {0} }}); return new Response(v0, {{status: 200}})",
    "return new Response('x'.repeat(1 << 20), {{headers: {{'content-length': '3', 'transfer-encoding': 'chunked'}}}})",
    "return {{__proto__: Response.prototype}}",
)


def program(name: str, random: Random) -> Program:
    """Returns one program."""
    grammar = Grammar(random)
    lines = grammar.variables()
    lines += [grammar.statement() for _ in range(random.randint(*STATEMENTS))]
    way, main, text = random.choices((_script, _module, _handler, _listener), weights=(4, 3, 4, 1))[0](grammar, lines)
    return Program(
        name,
        way,
        main,
        {main: text.encode("utf-8", "surrogatepass")},
        may_eval=random.random() < 0.95,
        may_wasm=random.random() < 0.95,
    )


def _script(grammar: Grammar, lines: list[str]) -> tuple[Way, str, str]:
    strict = ['"use strict";'] if grammar.random.random() < 0.2 else []
    return Way.BOOT, "main.js", "\n".join([*strict, *lines])


def _module(grammar: Grammar, lines: list[str]) -> tuple[Way, str, str]:
    return Way.BOOT, "main.mjs", "\n".join([*lines, f"await ({grammar.value()});", "export { v0 as default };"])


def _answer(grammar: Grammar) -> str:
    return grammar.random.choice(ANSWERS).format(grammar.statement(1))


def _handler(grammar: Grammar, lines: list[str]) -> tuple[Way, str, str]:
    some = grammar.random.randrange(len(lines)) + 1  # the first declares the variables
    handler = ["export default { async fetch(request, env, context) {", *lines[some:], _answer(grammar), "} };"]
    return Way.HANDLER, "main.mjs", "\n".join([*lines[:some], *handler])


def _listener(grammar: Grammar, lines: list[str]) -> tuple[Way, str, str]:
    some = grammar.random.randrange(len(lines)) + 1
    head = "addEventListener('fetch', (event) => { const { request } = event, context = event;"
    inside = ["event.respondWith((async () => {", *lines[some:], _answer(grammar), "})());"]
    return Way.HANDLER, "main.js", "\n".join([*lines[:some], head, *inside, "});"])
