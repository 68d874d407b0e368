"""Reading a compressed archive that somebody sent: never more of it in memory than asked for, to its very end."""

from __future__ import annotations

from collections.abc import Iterator
from compression import zstd
from typing import BinaryIO

from supervisor.errors import BundleRefused

PIECE = 64 * 1024
# The memory that a sender may make us use: what `zstd -19` asks for. `--long` and `--ultra` ask for more.
WINDOW_LOG = 23
# After the end mark, writers fill up their last record with zeros: 10 KiB by custom.
FILL = 2**20
_AGAIN = "upload it again; `isolated apply` packs a folder by itself"


class Compressed:
    """The bytes within one zstd frame, in order. BundleRefused wherever they cannot be had."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._frame = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})
        self._piece = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; for small sizes."""
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Exactly `size` bytes, in pieces."""
        while size:
            if not self._piece:
                self._piece = memoryview(self._more())
            if not self._piece:
                raise BundleRefused("the bundle's archive breaks off", _AGAIN)
            piece, self._piece = self._piece[:size], self._piece[size:]
            size -= len(piece)
            yield piece

    def finish(self) -> None:
        """Makes sure that nothing follows but zeros, and nothing at all behind the frame."""
        left = FILL
        piece = bytes(self._piece) or self._more()
        while piece:
            left -= len(piece)
            if left < 0 or piece.count(0) != len(piece):
                raise BundleRefused("something follows the end of the bundle's archive", _AGAIN)
            piece = self._more()
        if self._frame.unused_data or self._stream.read(1):
            raise BundleRefused("something follows the end of the bundle's archive", _AGAIN)

    def _more(self) -> bytes:
        """The next bytes; none at the end of the frame."""
        try:
            while not self._frame.eof:
                fresh = self._stream.read(PIECE) if self._frame.needs_input else b""
                if self._frame.needs_input and not fresh:
                    raise BundleRefused("the bundle's archive breaks off", _AGAIN)
                piece = self._frame.decompress(fresh, PIECE)
                if piece:
                    return piece
        except zstd.ZstdError as error:
            why = f"the bundle's archive is damaged, not zstd, or needs more than {2**WINDOW_LOG >> 20} MiB to read"
            raise BundleRefused(
                f"{why}: {error}", "pack it with `tar c . | zstd`, or let `isolated apply` do it"
            ) from error
        return b""
