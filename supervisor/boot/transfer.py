"""Files over HTTP: whole or in part, from the very descriptor whose checksum was looked at."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

from aiohttp import web

PIECE = 2**18  # bytes read at once


async def send_file(request: web.Request, file: BinaryIO, size: int) -> tuple[web.StreamResponse, bool]:
    """Answers with an open file; whether the client was sent its last byte. Closes the file.

    Not aiohttp's own FileResponse, which would look for a compressed file beside it that has no checksum.
    """
    with file:
        try:
            part = request.http_range
            start, stop, _ = part.indices(size)
        except ValueError:
            return _unsatisfiable(size), False
        partial = part.start is not None or part.stop is not None
        if partial and start >= size:
            return _unsatisfiable(size), False
        response = web.StreamResponse(status=206 if partial else 200, headers={"Accept-Ranges": "bytes"})
        response.content_type = "application/octet-stream"
        response.content_length = stop - start
        if partial:
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        await response.prepare(request)
        if request.method == "HEAD":
            return response, False
        await _send(response, file, start, stop)
        await response.write_eof()
        return response, stop == size


async def _send(response: web.StreamResponse, file: BinaryIO, start: int, stop: int) -> None:
    file.seek(start)
    left = stop - start
    while left:
        piece = await asyncio.to_thread(file.read, min(PIECE, left))
        if not piece:
            raise ConnectionAbortedError("the file became shorter while it was sent")
        await response.write(piece)
        left -= len(piece)


def _unsatisfiable(size: int) -> web.Response:
    return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
