"""`directory publish`, `rulebook publish`, `calendar publish`."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli import rulebooks
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import connected, find_endpoints
from deploy.rules import Proposal, propose, publish_proposal

app = typer.Typer()

Files = Annotated[
    list[Path], typer.Argument(help="YAML; a directory also with tables (CSV), or their folder.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show; publish nothing.")]


def _publish_command(noun: str) -> None:
    group = typer.Typer(help=f"The {noun} and its versions.", no_args_is_help=True)
    app.add_typer(group, name=noun)

    @group.callback()
    def _group() -> None:
        """Keep `publish` a command of its own although it is the only one."""

    @group.command("publish", help=f"Check a {noun}, show what changes, publish a new version.")
    def publish(
        files: Files, state: State = None, *, dry_run: DryRun = False, as_json: AsJson = False
    ) -> None:
        async def work() -> None:
            async with connected(find_endpoints(state).nats) as client:
                proposal = await propose(client, files, noun)
                if not as_json:
                    _show(proposal, noun)
                if not dry_run:
                    await publish_proposal(client, proposal)
            if as_json:
                key = "proposed" if dry_run else "published"
                shown = [change.as_json() for change in proposal.changes]
                emit({key: noun, "version": proposal.version, "changes": shown})
            elif not dry_run:
                console.print(f"{noun}: version {proposal.version} holds")

        run(work())

    if noun == "rulebook":
        rulebooks.register(group)


def _show(proposal: Proposal, noun: str) -> None:
    against = f"version {proposal.standing}" if proposal.standing else "nothing in force"
    word = "differs from" if proposal.differs else "is the same as"
    console.print(f"{noun}: {word} {against}")
    for change in proposal.changes:
        console.print(f"  {change.in_words()}", markup=False, highlight=False, soft_wrap=True)


for _noun in ("directory", "rulebook", "calendar"):
    _publish_command(_noun)
