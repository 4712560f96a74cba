"""`directory publish`, `rulebook publish`, `calendar publish`."""

from pathlib import Path

import typer

from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import connected, find_endpoints
from deploy.rules import publish_rules

app = typer.Typer()


def _publish_command(noun: str) -> None:
    group = typer.Typer(help=f"The {noun} and its versions.", no_args_is_help=True)
    app.add_typer(group, name=noun)

    @group.callback()
    def _group() -> None:
        """Keep `publish` a command of its own although it is the only one."""

    @group.command("publish", help=f"Validate a {noun} (YAML) and publish it as a new version.")
    def publish(file: Path, state: State = None, *, as_json: AsJson = False) -> None:
        async def work() -> None:
            async with connected(find_endpoints(state).nats) as client:
                version = await publish_rules(client, file, noun)
            if as_json:
                emit({"published": noun, "version": version})
            else:
                console.print(f"{noun}: version {version} holds")

        run(work())


for _noun in ("directory", "rulebook", "calendar"):
    _publish_command(_noun)
