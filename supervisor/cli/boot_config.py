"""`isolated boot-config`: what a host that booted over the network does before it serves."""

from __future__ import annotations

from pathlib import Path

import click

from supervisor.spec.settings import SETTINGS_FILE


@click.command("boot-config", short_help="Fetch settings and key of a host that booted over the network.")
@click.option(
    "--cmdline", default="/proc/cmdline", show_default=True, metavar="FILE", help="The kernel's command line."
)
@click.option("--config", default=SETTINGS_FILE, show_default=True, metavar="FILE", help="Where the settings go.")
@click.option(
    "--key", default="/etc/isolated/cluster.key", show_default=True, metavar="FILE", help="Where the key goes."
)
@click.option("--ca", default="/etc/isolated/boot-ca.pem", show_default=True, metavar="FILE",
              help="The CA of the boot server, from the image.")  # fmt: skip
@click.option("--console", metavar="FILE", help="Where to say what is waited for, besides stderr: /dev/console.")
@click.option("--give-up", type=float, metavar="SECONDS", help="How long to try.  [default: for ever]")
@click.option("--joined", is_flag=True, help="Tell the boot server that this host serves, and nothing else.")
def boot_config(
    cmdline: str, config: str, key: str, ca: str, console: str | None, give_up: float | None, *, joined: bool
) -> None:
    """Reads isolated.config=URL from the kernel's command line and writes the settings that it finds there.

    If the command line tells of a key, it is fetched by TLS against a one-time token. Without such words nothing is
    done. What does not come is asked for again, after 1 s and up to 30 s, and the console says so.
    """
    from supervisor.boot.commandline import parse_boot_words
    from supervisor.boot.fetching import Patience, Targets, fetch_all, tell_joined
    from supervisor.errors import IsolatedError
    from supervisor.spec.refused import Refused

    def say(line: str) -> None:
        click.echo(f"isolated: {line}", err=True)
        if console is not None:
            try:
                with open(console, "w") as file:
                    file.write(f"isolated: {line}\r\n")
            except OSError:
                pass  # a machine without a console

    try:
        words = parse_boot_words(Path(cmdline).read_text(errors="replace"))
    except Refused as refused:
        raise IsolatedError(f"{cmdline}: {refused.message} (allowed: {refused.allowed})", refused.remedy) from None
    except OSError as error:
        raise IsolatedError(f"{cmdline} cannot be read: {error.strerror}") from None
    patience = Patience(give_up, say)
    if joined:
        tell_joined(words, patience)
    else:
        fetch_all(words, Targets(Path(config), Path(key), Path(ca)), patience)
