"""`directory publish`, `rulebook publish`, `calendar publish`, and what stands beside them."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from nats.aio.client import Client
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy.casework import Effect, Names, effect_of
from deploy.cli import calendars, rulebooks
from deploy.cli.casework import Language
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import NotRunning, connected, find_endpoints
from deploy.rules import Proposal, propose, publish_proposal, refuse_too_large
from shared.contracts.directory import Directory

app = typer.Typer()

Files = Annotated[
    list[Path], typer.Argument(help="YAML; a directory also with tables (CSV), or their folder.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show; publish nothing.")]
NoEffect = Annotated[
    bool, typer.Option("--no-effect", help="Do not ask what it would do to open cases.")
]
Lang = Annotated[Language, typer.Option(help="Language of what it would do to open cases.")]

BESIDE = {"rulebook": rulebooks.register, "calendar": calendars.register}
"""By noun: what adds the commands that publish nothing."""


def _publish_command(noun: str) -> None:
    group = typer.Typer(help=f"The {noun} and its versions.", no_args_is_help=True)
    app.add_typer(group, name=noun)

    @group.callback()
    def _group() -> None:
        """Keep `publish` a command of its own although it is the only one."""

    @group.command(
        "publish",
        help=f"Check a {noun}, show what changes and which open cases it would move, "
        "publish a new version.",
    )
    def publish(
        files: Files,
        lang: Lang = Language.VI,
        state: State = None,
        *,
        dry_run: DryRun = False,
        no_effect: NoEffect = False,
        as_json: AsJson = False,
    ) -> None:
        async def work() -> None:
            async with connected(find_endpoints(state).nats) as client:
                proposal = await propose(client, files, noun)
                if not as_json:
                    _show(proposal, noun)
                # Before the first version there is no case; what is in force already moves none.
                asks = proposal.differs and proposal.standing and not no_effect
                effect = await _foretold(client, proposal, noun, quiet=as_json) if asks else None
                if effect is not None and not as_json:
                    await _show_effect(client, proposal, effect, lang)
                if not dry_run:
                    await publish_proposal(client, proposal)
            if as_json:
                key = "proposed" if dry_run else "published"
                shown = [change.as_json() for change in proposal.changes]
                told = {key: noun, "version": proposal.version, "changes": shown}
                emit(told | ({"effect": effect.as_json()} if effect else {}))
            elif not dry_run:
                console.print(f"{noun}: version {proposal.version} holds")

        run(work())

    if noun in BESIDE:
        BESIDE[noun](group)


async def _foretold(client: Client, proposal: Proposal, noun: str, *, quiet: bool) -> Effect:
    """What it would do; raises `NotRunning` with what to do where routing does not say."""
    refuse_too_large(client, noun, len(proposal.content.model_dump_json().encode()))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("open cases")

        def told(weighed: int, of: int) -> None:
            progress.update(task, completed=weighed, total=of)

        try:
            return await effect_of(client, noun, proposal.content, told)
        except NotRunning as error:
            raise NotRunning(
                f"{error} Nothing was published: start routing, or publish with --no-effect."
            ) from None


async def _show_effect(
    client: Client, proposal: Proposal, effect: Effect, language: Language
) -> None:
    """With the names of both directories: bodies that end, and bodies that begin."""
    names = await Names.of(client)
    if isinstance(proposal.content, Directory):
        new = {body.code: body.name for body in proposal.content.bodies}
        names = replace(names, bodies={**new, **names.bodies})
    for line in effect.lines(names, language.value):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show(proposal: Proposal, noun: str) -> None:
    against = f"version {proposal.standing}" if proposal.standing else "nothing in force"
    word = "differs from" if proposal.differs else "is the same as"
    console.print(f"{noun}: {word} {against}")
    for change in proposal.changes:
        console.print(f"  {change.in_words()}", markup=False, highlight=False, soft_wrap=True)


for _noun in ("directory", "rulebook", "calendar"):
    _publish_command(_noun)
