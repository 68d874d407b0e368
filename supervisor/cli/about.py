"""Commands that print what is known without a host: versions, settings, the schema, completion."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from supervisor.spec.enforcement import in_words


@click.command(short_help="Print the versions of every part, and which limits this machine can hold.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option("--licenses", "licences", is_flag=True, help="The parts with their licences; as JSON, a CycloneDX SBOM.")
def version(*, as_json: bool, licences: bool) -> None:
    """Prints the versions of isolated, V8, Python and every part they are built with.

    And which limits of tasks a host could hold that the same user starts on this machine; what a running host does
    hold is in `isolated status`.
    """
    if licences:
        _tell_licences(as_json=as_json)
        return
    from supervisor.limits.foreseen import foreseen
    from supervisor.telemetry.versions import versions, versions_text

    found = foreseen()
    if as_json:
        click.echo(json.dumps(versions() | {"enforces": [asdict(each) for each in found]}, indent=2))
        return
    width = max(len(each.limit) for each in found)
    held = [f"  {each.limit:<{width}}  {in_words(each)}" for each in found]
    click.echo("\n".join((versions_text(), "", "Limits of tasks, if this user starts a host here:", *held)))


def _tell_licences(*, as_json: bool) -> None:
    from supervisor.telemetry.components import licences_text, sbom

    click.echo(json.dumps(sbom(), indent=2) if as_json else licences_text())


@click.command(short_help="Print the JSON schema of task files, for editors.")
def schema() -> None:
    """Prints the JSON schema of task files, for editors.

    Say `"$schema": "./task.schema.json"` in a task file, and editors complete and check its fields.
    """
    from supervisor.spec.schema import schema_text

    click.echo(schema_text(), nl=False)


@click.command(short_help="Print the settings of a host, with defaults and meaning.")
@click.option("--json", "form", flag_value="json", help="One JSON array, for programs.")
@click.option("--toml", "form", flag_value="toml", help="A settings file with every default, to begin with.")
@click.option("--markdown", "form", flag_value="markdown", help="A table for documents.")
def settings(form: str | None) -> None:
    """Prints what an operator can set for `isolated serve`: names, defaults, ranges, meaning."""
    from supervisor.cli.tables import Column, show_table
    from supervisor.spec import settings_doc

    if form is None:
        show_table([Column(head.upper()) for head in settings_doc.COLUMNS], settings_doc.rows())
        click.echo(f"\n{settings_doc.introduction().replace('`', '')}")
    elif form == "json":
        click.echo(json.dumps(settings_doc.document(), indent=2))
    else:
        click.echo(settings_doc.example() if form == "toml" else settings_doc.markdown(), nl=False)


@click.command(short_help="Print a completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Prints a completion script for SHELL. It completes ids of tasks too, if the host answers.

    \b
      bash: isolated completion bash > ~/.local/share/bash-completion/completions/isolated
      zsh:  isolated completion zsh > a folder of $fpath/_isolated
      fish: isolated completion fish > ~/.config/fish/completions/isolated.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, "click knows every shell that the argument's type admits"
    click.echo(found(context.find_root().command, {}, "isolated", "_ISOLATED_COMPLETE").source())
