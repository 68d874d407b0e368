"""What is let loose: files and how they are run, or messages and whom they are sent to. A value that JSON can hold."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Way(StrEnum):
    """How a program is run."""

    BOOT = "boot"  # its main module, until it ends or has had its time
    HANDLER = "handler"  # a few requests to it
    MESSAGES = "messages"  # the messages in `posts`, past the pool, straight to its isolate


# One call of the C ABI: its name and its arguments. Bytes are in Latin-1, as JSON has none.
Post = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """One of them. `name` says which generator made it, from which seed: it makes the same again."""

    name: str
    way: Way
    main: str
    files: Mapping[str, bytes]
    posts: tuple[Post, ...] = ()
    may_eval: bool = True
    may_wasm: bool = True

    def with_main(self, text: bytes) -> Program:
        """Returns the same program with another main module."""
        return replace(self, files={**self.files, self.main: text})

    def document(self) -> dict[str, Any]:
        """Returns it as it stands in JSON."""
        return {
            "name": self.name,
            "way": self.way.value,
            "main": self.main,
            "files": {name: base64.b64encode(data).decode() for name, data in self.files.items()},
            "posts": [list(post) for post in self.posts],
            "may_eval": self.may_eval,
            "may_wasm": self.may_wasm,
        }


def program_of(document: Mapping[str, Any]) -> Program:
    """Returns the program that document() told. KeyError, ValueError, TypeError if it is none."""
    return Program(
        name=str(document["name"]),
        way=Way(document["way"]),
        main=str(document["main"]),
        files={str(name): base64.b64decode(data) for name, data in document["files"].items()},
        posts=tuple(tuple(post) for post in document.get("posts", ())),
        may_eval=bool(document.get("may_eval", True)),
        may_wasm=bool(document.get("may_wasm", True)),
    )
