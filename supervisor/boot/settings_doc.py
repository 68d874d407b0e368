"""What `isolated boot-server settings` prints: settings of the server, of groups and of machines, as declared."""

from __future__ import annotations

from supervisor.boot.settings import BOOT_SETTINGS, BOOT_SETTINGS_FILE, GROUP_SETTINGS, MACHINE_SETTINGS
from supervisor.spec import settings_doc

PARTS = (
    (BOOT_SETTINGS_FILE, BOOT_SETTINGS),
    ("[groups.NAME]: machines that have something in common; `default` is there without a table", GROUP_SETTINGS),
    ("[machines.NAME]: a machine", MACHINE_SETTINGS),
)


def markdown() -> str:
    """The tables, each below a line that says where its settings stand."""
    return "\n".join(f"{head}\n\n{settings_doc.markdown(settings)}" for head, settings in PARTS)


def example() -> str:
    """A settings file with every setting at its default, each commented out, and a group and a machine likewise."""
    heads = ("", "\n#[groups.web]\n", "\n#[machines.rack1-1]\n")
    return "".join(head + settings_doc.example(settings) for head, (_, settings) in zip(heads, PARTS, strict=True))
