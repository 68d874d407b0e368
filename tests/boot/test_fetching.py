"""A booting host's side: it asks until it gets, says what it waits for, and writes only what is whole."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from supervisor.boot.commandline import BootWords
from supervisor.boot.fetching import NotYet, Patience, Targets, fetch_all, tell_joined
from supervisor.spec.settings_load import load_settings
from tests.boot.http_rig import KEY, ONE, Rig, rig
from tests.fakes.certificate import certificate


class Watch:
    """A clock that only sleeping moves, and the console."""

    def __init__(self, on_sleep: Callable[[], object] = lambda: None) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.slept: list[float] = []
        self._on_sleep = on_sleep

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self._on_sleep()

    def patience(self, give_up_s: float | None = 100.0) -> Patience:
        return Patience(give_up_s, self.said.append, self.sleep, lambda: self.now)


def targets(here: Rig) -> Targets:
    return Targets(here.folder / "etc/isolated.toml", here.folder / "etc/cluster.key", here.tls.certificate)


def words(here: Rig) -> BootWords:
    machine = here.machine()
    return BootWords(
        config=f"{machine}/isolated.toml", token=f"{machine}/token", key=here.key_url(), joined=f"{machine}/joined"
    )


async def test_settings_and_key_are_written_and_the_key_is_for_root_alone(tmp_path: Path) -> None:
    async with rig(tmp_path) as here:
        here.story.script(ONE, "one", "v1")
        watch, to = Watch(), targets(here)
        await asyncio.to_thread(fetch_all, words(here), to, watch.patience())
        assert to.config.read_text() == "warm = 7\n"
        assert to.key.read_text() == KEY
        assert stat.S_IMODE(to.key.stat().st_mode) == 0o600
        assert sorted(each.name for each in to.key.parent.iterdir()) == ["cluster.key", "isolated.toml"]
        assert len(watch.said) == 2
        # Started again in the same boot, it keeps what it has.
        await asyncio.to_thread(fetch_all, words(here), to, watch.patience())
        assert not here.log.refusals()
        await asyncio.to_thread(tell_joined, words(here), watch.patience())
        assert here.story.journal.of(ONE).stage == "joined"


async def test_who_the_host_is_and_what_it_was_booted_with_is_added(tmp_path: Path) -> None:
    async with rig(tmp_path) as here:
        here.story.script(ONE, "one", "v1")
        to = targets(here)
        named = replace(words(here), host="one", image="v1", token=None, key=None)
        await asyncio.to_thread(fetch_all, named, to, Watch().patience())
        settings = load_settings(str(to.config))
        assert (settings.host_id, settings.image_id, settings.warm) == ("one", "v1", 7)


async def test_without_a_network_it_tries_again_ever_more_slowly_and_says_so() -> None:
    watch = Watch()
    nowhere = BootWords(config="http://127.0.0.1:9/isolated.toml")
    with pytest.raises(NotYet, match="cannot be reached"):
        await asyncio.to_thread(fetch_all, nowhere, Targets(Path("/nonexistent/x")), watch.patience())
    assert watch.slept[:6] == [1, 2, 4, 8, 16, 30]
    assert all("http://127.0.0.1:9/isolated.toml cannot be reached" in line for line in watch.said)
    assert "trying again in 1 s" in watch.said[0]


async def test_settings_that_a_host_could_not_start_with_are_waited_out(tmp_path: Path) -> None:
    async with rig(tmp_path) as here:
        config = here.folder / "web.toml"
        config.write_text("wram = 7\n")
        watch = Watch(on_sleep=lambda: config.write_text("warm = 8\n"))
        only = BootWords(config=f"{here.machine()}/isolated.toml")
        await asyncio.to_thread(fetch_all, only, targets(here), watch.patience())
        assert "is not a settings file" in watch.said[0]
        assert targets(here).config.read_text() == "warm = 8\n"


async def test_a_refusal_is_said_in_the_servers_words(tmp_path: Path) -> None:
    async with rig(tmp_path) as here:
        watch = Watch()
        with pytest.raises(NotYet, match="403: it has not fetched its script"):
            await asyncio.to_thread(fetch_all, words(here), targets(here), watch.patience())
        assert not targets(here).key.exists()


async def test_a_server_that_the_images_ca_does_not_know_gets_no_token(tmp_path: Path) -> None:
    async with rig(tmp_path) as here:
        here.story.script(ONE, "one", "v1")
        (tmp_path / "other").mkdir()
        to = Targets(targets(here).config, targets(here).key, certificate(tmp_path / "other").certificate)
        with pytest.raises(NotYet, match="certificate verify failed"):
            await asyncio.to_thread(fetch_all, words(here), to, Watch().patience())
        assert not to.key.exists()
        assert here.story.journal.of(ONE).key_due


async def test_a_key_that_cannot_be_written_yet_is_asked_for_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as here:
        here.story.script(ONE, "one", "v1")
        in_the_way = tmp_path / "keys"
        in_the_way.touch()
        to = replace(targets(here), key=in_the_way / "cluster.key")
        watch = Watch(on_sleep=in_the_way.unlink)
        await asyncio.to_thread(fetch_all, words(here), to, watch.patience())
        assert "cannot be written" in watch.said[1]
        assert to.key.read_text() == KEY
        assert not here.log.refusals()


@contextlib.asynccontextmanager
async def losing_the_key(here: Rig) -> AsyncIterator[str]:
    """The URL of the key through a wire that breaks with the first answer that has the key in it."""
    server, lost = urlsplit(here.https), False

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool) -> None:
        nonlocal lost
        with contextlib.suppress(OSError):
            while data := await reader.read(2**16):
                if down and not lost and not here.story.journal.of(ONE).key_due:
                    lost = True
                    break
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(server.hostname, server.port)
        await asyncio.gather(carry(reader, far_writer, down=False), carry(far_reader, writer, down=True))

    wire = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with wire:
        port = wire.sockets[0].getsockname()[1]
        yield here.key_url().replace(here.https, f"https://127.0.0.1:{port}")
        assert lost


async def test_an_answer_that_is_lost_is_asked_for_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as here:
        here.story.script(ONE, "one", "v1")
        watch, to = Watch(), targets(here)
        async with losing_the_key(here) as url:
            await asyncio.to_thread(fetch_all, replace(words(here), key=url), to, watch.patience())
        assert to.key.read_text() == KEY
        assert [line.partition(":")[0] for line in watch.said if "trying again" in line] == ["https"]
        assert not here.log.refusals()


async def test_without_words_nothing_is_done() -> None:
    watch = Watch()
    fetch_all(BootWords(), Targets(Path("/nonexistent")), watch.patience())
    tell_joined(BootWords(), watch.patience())
    assert watch.said == []
