"""Which interfaces are ours to shape, and making them so. The shaper's thread."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from supervisor.limits.shaping.carriers import Interface, carriers, passing_by
from supervisor.limits.shaping.values import ShapingOptions

if TYPE_CHECKING:
    from supervisor.limits.shaping.kernel import Kernel, Root

# Tasks come in crowds when a host starts: so long one look at the machine's interfaces is good for all.
FRESH_S = 0.5
LINKS = "`ip link` lists those that are"


class NotShaped(Exception):
    """An interface cannot be shaped; says why, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class Roots:
    """The root qdiscs of this network namespace."""

    def __init__(self, kernel: Kernel, options: ShapingOptions, now: Callable[[], float] = time.monotonic) -> None:
        self._kernel = kernel
        self._options = options
        self._now = now
        self._looked = -FRESH_S
        self._interfaces: list[Interface] = []
        self._roots: dict[int, Root] = {}

    def wanted(self, addresses: Collection[str]) -> list[Interface]:
        """Where the traffic of `addresses` is to be held, by the settings or by the addresses."""
        self._look()
        if self._options.interfaces is None:
            return carriers(addresses, self._interfaces)
        return [each for each in self._interfaces if each.name in self._options.interfaces]

    def passed_by(self, addresses: Collection[str]) -> list[NotShaped]:
        """Why what is sent from `addresses` passes none of the interfaces that are named."""
        names = self._options.interfaces
        if names is None:
            return []
        if not self.wanted(addresses):
            return [NotShaped(f"`shapeInterfaces` names {', '.join(names)}, not of this machine", LINKS)]
        return [
            NotShaped(
                f"what is sent from {address} passes {', '.join(by)}, which `shapeInterfaces` does not name",
                f"name {' or '.join(by)} there as well, or leave `shapeInterfaces` out",
            )
            for address, by in passing_by(addresses, self._interfaces, names).items()
        ]

    def ours(self) -> list[int]:
        """The interfaces whose root is ours, by index; from now, not from a moment ago."""
        self.forget()
        self._look()
        return [index for index, root in self._roots.items() if root.ours]

    def make_ours(self, interface: Interface) -> None:
        """NotShaped if somebody else's qdisc is there; OSError."""
        self._look()
        root = self._roots.get(interface.index)
        if root is not None and root.ours:
            return
        if root is not None and not root.is_default:
            if not self._options.take_qdiscs:
                raise NotShaped(
                    f"{interface.name} has a root qdisc that somebody else set ({root})",
                    f"set the host's `takeQdiscs`, or `tc qdisc del dev {interface.name} root`, or leave "
                    f"{interface.name} out by naming others in `shapeInterfaces`",
                )
            self._kernel.delete_root(interface.index, root.handle)
        self.forget()
        with contextlib.suppress(FileExistsError):  # another process of ours was quicker, or the next look tells
            self._kernel.add_root(interface.index)

    def unmake(self, interface: int) -> None:
        """Gives an interface back to the kernel's own qdisc."""
        self.forget()
        with contextlib.suppress(OSError):  # it is gone, or the whole interface
            self._kernel.delete_root(interface)

    def forget(self) -> None:
        """Looks again next time."""
        self._looked = -FRESH_S

    def _look(self) -> None:
        if self._now() - self._looked >= FRESH_S:
            self._interfaces = self._kernel.interfaces()
            self._roots = self._kernel.roots()
            self._looked = self._now()
