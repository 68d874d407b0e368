"""What a program knows of its task."""

from __future__ import annotations

import pytest

from tests.engine.programs import Programs

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_env_args_and_cwd(programs: Programs) -> None:
    program = await programs.handler(
        "return Response.json([env, process.env, process.argv.slice(2), process.cwd(), process.argv.length]);",
        env={"FOO": "bär", "EMPTY": ""},
        args=["one", 2, 3.5, ""],
    )
    _, _, body = await program.get()
    folder = f"{programs.folder}/0"
    assert body.decode() == (
        '[{"FOO":"bär","EMPTY":""},{"FOO":"bär","EMPTY":""},["one","2","3.5",""],"' + folder + '",6]'
    )


async def test_the_hosts_own_environment_is_not_seen(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    program = await programs.handler("return Response.json(process.env);")
    assert await program.text() == "{}"


async def test_they_are_there_at_boot_and_in_scripts(programs: Programs) -> None:
    program = programs.begin("console.log(process.env.A, process.argv[2], typeof env);", env={"A": "b"}, args=["c"])
    await program.ended()
    assert program.heard.lines == ["b c undefined"]


async def test_strange_texts_arrive_unchanged(programs: Programs) -> None:
    strange = "\"\\'`${x}\n\t\u2028\U0001f600\x7f</script>"
    program = await programs.handler(
        "return new Response(env.A + process.argv[2]);", env={"A": strange}, args=[strange]
    )
    assert await program.text() == strange * 2


async def test_no_way_to_files_sockets_or_the_engine(programs: Programs) -> None:
    names = ["require", "module", "Deno", "Bun", "ops", "importScripts", "XMLHttpRequest", "isolated", "gc", "d8"]
    program = await programs.handler(f"return Response.json({names}.filter((name) => name in globalThis));")
    assert await program.text() == "[]"
    program = await programs.handler("return new Response(Object.keys(process).sort().join());")
    assert set((await program.text()).split(",")) <= {"argv", "cwd", "env", "exit", "nextTick", "platform", "versions"}
