"""The tasks of a soak: those that behave, each with a request whose answer is known, and those that do not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "tests" / "hostile" / "scripts"
# As in tests/hostile: each script meets one of them within two seconds.
HOSTILE_LIMITS = {
    "cpu": {"request": "50ms", "startup": "200ms", "wall": "2s"},
    "mem": {"heap": "16MiB", "external": "16MiB"},
}


@dataclass(frozen=True)
class Program:
    """A healthy one. body: what is posted, None: a GET. rest_s: how long its clients wait between two requests."""

    name: str
    source: str
    answer: bytes
    body: bytes | None = None
    rest_s: float = 0.0
    idle: str = "1h"


HELLO = Program("hello", "export default { fetch: () => new Response('hello') }", b"hello")
ECHO = Program(
    "echo", "export default { fetch: async (request) => new Response(await request.arrayBuffer()) }",
    answer=bytes(range(256)) * 16, body=bytes(range(256)) * 16,
)  # fmt: skip
STREAM = Program(
    "stream",
    """
export default {
  fetch() {
    const text = new TextEncoder();
    let number = 0;
    return new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (number === 5) controller.close();
        else controller.enqueue(text.encode(String(number++)));
      },
    }));
  },
};
""",
    b"01234",
)
GARBAGE = Program(
    "garbage",
    """
export default {
  fetch() {
    let kept = 0;
    for (let number = 0; number < 20; number++) kept += new Array(10000).fill({ number }).length;
    return new Response(String(kept + new Uint8Array(1 << 20).length));
  },
};
""",
    str(20 * 10_000 + (1 << 20)).encode(),
)
# Sleeps between two requests, so that each boots it.
SLEEPER = Program("sleeper", HELLO.source, b"hello", rest_s=2.0, idle="500ms")

HEALTHY = (HELLO, ECHO, STREAM, GARBAGE, SLEEPER)


def hostile_scripts() -> list[str]:
    """The names of the hostile scripts."""
    return sorted(script.stem for script in SCRIPTS.glob("*.js"))


def hostile_source(name: str) -> str:
    """A program that lets the script loose for each request; one that serves is such a program."""
    source = (SCRIPTS / f"{name}.js").read_text(encoding="utf-8")
    if name.startswith("serve-"):
        return source
    # No module: most of the scripts need the sloppy mode, and would end at their first line without it.
    return (
        f"addEventListener('fetch', (event) => event.respondWith((async () => {{\n{source}\n"
        "return new Response('over'); })()));\n"
    )
