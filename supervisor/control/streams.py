"""Answers without an end: events and logs as they come, until the client, the source or the server has enough."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from aiohttp import web

from supervisor.errors import Refused


class Streams:
    """All streams of a server. Loop thread."""

    def __init__(self, limit: int, *, send_timeout: float) -> None:
        self._limit = limit
        self._send_timeout = send_timeout
        self._closing = asyncio.Event()
        self.open = 0

    def close(self) -> None:
        """Ends all of them, soon, and lets no other begin."""
        self._closing.set()

    def admit(self) -> None:
        """Raises Refused if there are as many as there may be."""
        if self._closing.is_set():
            raise Refused("the host drains, or hands over", "connect again")
        if self.open >= self._limit:
            raise Refused(f"{self.open} streams are open, which is the limit", "end one, or ask without following")

    async def send[T](
        self,
        request: web.Request,
        media: str,
        source: AsyncIterator[T],
        encode: Callable[[T], bytes],
        *,
        first: bytes,
        sign: bytes | None = None,
        sign_s: float | None = None,
    ) -> web.StreamResponse:
        """Answers with `first` and what comes from `source`; with `sign` whenever nothing came for `sign_s`.

        Closes the source. A client that takes nothing for the send timeout is cut off; so is everybody if the source
        fails, since the status is sent already.
        """
        response = web.StreamResponse(headers={"Content-Type": media, "Cache-Control": "no-store"})
        self.open += 1
        try:
            await response.prepare(request)
            if first:
                await self._write(response, first)
            async for item in self._steps(source, sign_s):
                data = sign if item is None else encode(item)
                if data:
                    await self._write(response, data)
            await response.write_eof()
        except ConnectionError:
            pass  # the client has gone
        except Exception as error:
            if not isinstance(error, TimeoutError):
                logging.getLogger(__name__).exception("a stream of the control API failed")
            if request.transport is not None:
                request.transport.abort()  # or the client would take the end for a good one
        finally:
            self.open -= 1
        return response

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        async with asyncio.timeout(self._send_timeout):
            await response.write(data)

    async def _steps[T](self, source: AsyncIterator[T], sign_s: float | None) -> AsyncIterator[T | None]:
        """What comes from `source`; None whenever nothing came for `sign_s`. Ends with it, or when streams close."""
        closing = asyncio.ensure_future(self._closing.wait())
        step: asyncio.Future[T] | None = None
        try:
            while not closing.done():
                step = step or asyncio.ensure_future(_next(source))
                await asyncio.wait((step, closing), timeout=sign_s, return_when=asyncio.FIRST_COMPLETED)
                if step.done():
                    item, step = step, None
                    try:
                        yield item.result()
                    except StopAsyncIteration:
                        return
                elif not closing.done():
                    yield None
        finally:
            closing.cancel()
            await _end(source, step)


async def _next[T](source: AsyncIterator[T]) -> T:
    return await anext(source)


async def _end[T](source: AsyncIterator[T], step: asyncio.Future[T] | None) -> None:
    """Closes `source`, after the step that it may be in."""
    if step is not None:
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)
    if isinstance(source, AsyncGenerator) or hasattr(source, "aclose"):
        await source.aclose()
