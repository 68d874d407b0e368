"""Generator of messages: calls of the C ABI on one isolate that no sane process would make, in any order."""

from __future__ import annotations

from random import Random

from tools.fuzzing.program import Post, Program, Way

HANDLERS = (
    "return new Response('a')",
    "return new Response(request.body)",
    "return new Response(await request.text())",
    "return Response.json([request.url, request.method, [...request.headers]])",
    "const r = request.body?.getReader(); await r?.read(); await r?.cancel(); return new Response('cancelled')",
    "return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(100000)) } }))",
    "return new Response(new ReadableStream({ async pull(c) { await 0; setTimeout(() => c.enqueue('x'), 1) } }))",
    "return new Promise(() => {})",
    "request.signal.onabort = () => { throw 1 }; context.waitUntil(request.text()); return new Response('a')",
    "await new Promise((r) => setTimeout(r, 3)); return new Response(await request.blob())",
    "return new Response(await request.formData().then((f) => JSON.stringify([...f])))",
    "throw new Error(request.url)",
)
METHODS = (
    b"GET",
    b"POST",
    b"HEAD",
    b"OPTIONS",
    b"",
    b"get",
    b"CONNECT",
    b"TRACE",
    b"\0",
    b"A" * 5000,
    b"\xff\xfe",
    b"A B\r\n",
)
TARGETS = (
    b"/",
    b"*",
    b"",
    b"/a?b=c#d",
    b"http://h/p",
    b"//",
    b"/%zz%00",
    b"\\h",
    b"/\xff\xfe",
    b"/" + b"a" * 100_000,
    b"h:443",
    b"/\r\nA: b",
    b"http://[::1",
    b"/../../..",
    b"?",
    b"#",
    b"\0",
)
HEADERS = (
    b"Host\na\n",
    b"",
    b"Host\n",
    b"Host",
    b"\n\n",
    b"\n",
    b"Host\na\nX\n",
    b"A\nb\n" * 3000,
    b"Cookie\n" + b"c" * 100_000 + b"\n",
    b"Host\n\xff\xfe\n",
    b"Host\na b\n",
    b"Host\na:99999\n",
    b"\0\n\0\n",
    b"Content-Type\nmultipart/form-data; boundary=b\n",
    b"Content-Length\n-1\n",
    b"Content-Type\napplication/x-www-form-urlencoded\n",
    b"__proto__\na\n",
    b"Host\na\nHost\nb\n",
)
BODIES = (
    b"",
    b"a",
    b"a=b&c=%zz",
    b"\0" * 300_000,
    b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--\r\n",
    b"--b",
    b"\xff" * 5000,
    b'{"a":1}',
    b"x" * 3_000_000,
    b"--b\r\n" * 5000,
)
SIZES = (0, 1, 65_536, 262_144, 2**31 - 1, 2**31, 2**32 - 1)
MOST_POSTS = 40
EXCHANGES = 6  # numbers that posts choose from, so that they meet each other


def program(name: str, random: Random) -> Program:
    """Returns one isolate's program and what it is sent."""
    source = f"export default {{ async fetch(request, env, context) {{ {random.choice(HANDLERS)} }} }}"
    if random.random() < 0.1:
        source = random.choice(("for(;;);", "throw 1", "", "await new Promise(() => {})", "setInterval(() => {}, 1)"))
    posts = _numbered(random, [_post(random) for _ in range(random.randint(3, MOST_POSTS))])
    if random.random() < 0.85:
        posts.insert(random.choice((0, 0, 0, len(posts) // 2)), ("boot",))
    if random.random() < 0.3:
        posts.insert(random.randrange(len(posts) + 1), ("end", random.randint(1, 5)))
    return Program(name, Way.MESSAGES, "main.mjs", {"main.mjs": source.encode()}, tuple(posts))


def _numbered(random: Random, posts: list[Post]) -> list[Post]:
    """Gives requests numbers of their own, but for a few that no sane process would send."""
    numbers = iter(range(1, MOST_POSTS + 1))
    return [
        ("request", next(numbers) if random.random() < 0.95 else 1, *post[1:]) if post[0] == "request" else post
        for post in posts
    ]


def _post(random: Random) -> Post:
    kinds = (_request, _body, _abort, _credit, _pause, _other)
    return random.choices(kinds, weights=(8, 8, 2, 4, 3, 1))[0](random)


def _number(random: Random) -> int:
    known = range(1, EXCHANGES + 1)
    numbers: list[int] = [*known, *known, 0, 2**63, 2**64 - 1]
    return random.choice(numbers)


def _request(random: Random) -> Post:
    parts = [_bytes(random, some) for some in (METHODS, TARGETS, HEADERS, BODIES)]
    flags = random.choice((0, 0, 4, 4, 4, random.randrange(16), 2**32 - 1))
    return ("request", flags, *(part.decode("latin-1") for part in parts))


def _bytes(random: Random, sound: tuple[bytes, ...]) -> bytes:
    """One of them: mostly the first, which is sound, sometimes with damage."""
    pick = random.random()
    data = sound[0] if pick < 0.5 else random.choice(sound)
    if pick < 0.85:
        return data
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.randint(0, 6)) + data[at + random.randint(0, 2) :]


def _body(random: Random) -> Post:
    part = random.choices((0, 1, 2, -1, 3, 2**31 - 1), weights=(8, 3, 1, 0.2, 0.2, 0.2))[0]
    return ("body", _number(random), part, _bytes(random, BODIES).decode("latin-1"))


def _abort(random: Random) -> Post:
    return ("abort", _number(random))


def _credit(random: Random) -> Post:
    return ("credit", _number(random), random.choice(SIZES))


def _pause(random: Random) -> Post:
    return ("pause", random.choice((0, 1, 5)))  # milliseconds


def _other(random: Random) -> Post:
    forms: tuple[Post, ...] = (
        ("statistics",),
        ("counts",),
        ("end", random.choice((-1, 0, 6, 2**31 - 1))),  # no such reason
        ("stale", random.randrange(2**32)),
    )
    return random.choice(forms)
