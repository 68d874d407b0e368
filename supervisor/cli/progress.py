"""Progress of what takes a while, on stderr and only on terminals; gone when it is over."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Shows that `what` is under way."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(what)):
        yield


@contextmanager
def transferring(what: str, chunks: Iterable[bytes], size: int) -> Iterator[Iterable[bytes]]:
    """The same chunks; how far they are is shown while somebody takes them."""
    if not sys.stderr.isatty():
        yield chunks
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    words = TextColumn("{task.description}", markup=False)
    bar = Progress(
        words, BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=Console(stderr=True), transient=True
    )
    with bar:
        task = bar.add_task(what, total=size)

        def counted() -> Iterator[bytes]:
            for chunk in chunks:
                yield chunk
                bar.advance(task, len(chunk))

        yield counted()
