"""`dead …` and `verify`: what was set aside, and whether everything agrees."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import nats.errors
import typer

from deploy import dead
from deploy.cli.chaining import Key, read_key
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import connected, find_endpoints, find_keys
from deploy.verify import Finding, chain, count_orphan_keys, verify
from deploy.verify.chain import Checked, Claim
from deploy.verify.proofs import Verifier, Wrong
from shared.runtime.sealing import Opener

UNANSWERED = "NATS or a service did not answer in time, so nothing is known: ask again."

dead_app = typer.Typer(help="Messages that were set aside.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(dead_app, name="dead")


@dead_app.command("list")
def dead_list(state: State = None, *, as_json: AsJson = False) -> None:
    """List the messages that were set aside, oldest first; their content stays sealed."""

    async def work() -> None:
        async with connected(find_endpoints(state).nats) as client:
            count = 0
            async for letter in dead.dead_letters(client):
                count += 1
                data = letter.data.model_dump(exclude={"sealed"})
                if as_json:
                    emit(data)
                else:
                    console.print(
                        f"{data['stream']}:{data['sequence']} {data['original_subject']} "
                        f"{data['consumer']} {data['reason']} {data['detail']}",
                        markup=False,
                        soft_wrap=True,
                    )
        if not as_json:
            console.print(f"{count} dead letters")

    run(work())


@dead_app.command("redrive")
def dead_redrive(
    sequence: Annotated[
        list[int] | None,
        typer.Argument(help="Places in their streams, as `dead list` shows them; all without."),
    ] = None,
    state: State = None,
    *,
    consumer: Annotated[str, typer.Option(help="Only what this consumer set aside.")] = "",
) -> None:
    """Give dead letters back to the consumer that set them aside, once its fault is mended."""

    async def work() -> None:
        key = find_keys(state) / "operator.key"
        if not key.exists():
            console.print(f"{key} is needed: nothing else opens dead letters.", style="red")
            raise typer.Exit(2)
        opener = Opener.from_text(key.read_text())
        count = 0
        async with connected(find_endpoints(state).nats) as client:
            driven = dead.redrive(client, opener, consumer=consumer, numbers=sequence or ())
            async with aclosing(driven) as letters:
                async for _ in letters:
                    count += 1
        console.print(f"{count} driven again; `dead list` shows those that fail once more")

    run(work())


@app.command("verify")
def verify_all(
    state: State = None,
    *,
    chain_only: Annotated[
        bool, typer.Option("--chain", help="Check the chain over the log, and nothing else.")
    ] = False,
    key: Key = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint that a witness kept; as often as needed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold log, stores, totals and chain against one another; name every difference, exit 1."""
    witnessed = _witnessed(checkpoint or ())

    async def work() -> int:
        endpoints = find_endpoints(state)
        verifier = Verifier(read_key(key, state)) if chain_only or key or witnessed else None
        async with connected(endpoints.nats) as client:
            checked = await chain(client, endpoints, verifier, witnessed) if verifier else None
            findings = [] if chain_only else await verify(client, endpoints, with_chain=not checked)
        findings = [*(checked.findings if checked else ()), *findings]
        said = {} if checked is None else _said(checked)
        if not chain_only:
            said["orphan_keys"] = await count_orphan_keys(endpoints)
        _tell(findings, said, as_json=as_json)
        return 1 if findings else 0

    try:
        run(work())
    except (Wrong, TimeoutError, nats.errors.Error) as wrong:
        why = str(wrong) if isinstance(wrong, Wrong) else UNANSWERED
        console.print(why, style="red", markup=False)
        raise typer.Exit(2) from None


def _witnessed(files: Iterable[Path]) -> list[Claim]:
    try:
        return [
            Claim(f"in {file.name}", file.read_text(encoding="utf-8"), witnessed=True)
            for file in files
        ]
    except OSError:
        console.print("A checkpoint's file cannot be read.", style="red")
        raise typer.Exit(2) from None


def _said(checked: Checked) -> dict[str, Any]:
    return {
        "size": checked.size,
        "root": b64encode(checked.root).decode(),
        "checkpoints": checked.checkpoints,
    }


def _tell(findings: Sequence[Finding], said: dict[str, Any], *, as_json: bool) -> None:
    verdict = "failed" if findings else "ok"
    if as_json:
        emit({"verify": verdict, "findings": list(map(str, findings)), **said})
        return
    for finding in findings:
        console.print(str(finding), style="red", markup=False, soft_wrap=True)
    if not findings and "size" in said:
        console.print(
            f"{said['size']:,} messages, {said['checkpoints']} checkpoints, root {said['root']}",
            markup=False,
            soft_wrap=True,
        )
    console.print(verdict)
