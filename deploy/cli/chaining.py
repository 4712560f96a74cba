"""`audit …` and `receipt …`: checkpoints for witnesses, proofs for who sent something."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import NotRunning, connected, find_endpoints, find_keys
from deploy.demo import OPERATOR
from deploy.receipts import NotProven, ask_checkpoint, proof_of
from deploy.verify.proofs import Verifier, Wrong, check_receipt

audit_app = typer.Typer(help="The chain over everything announced.", no_args_is_help=True)
receipt_app = typer.Typer(help="Proofs that a submission is in the log.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(audit_app, name="audit")
app.add_typer(receipt_app, name="receipt")

Key = Annotated[
    str | None,
    typer.Option("--key", help="Public key of the chain, or a file of it; else keys/chain.pub."),
]
Out = Annotated[Path | None, typer.Option("--out", help="File to write; else standard output.")]


@audit_app.command()
def checkpoint(state: State = None, out: Out = None) -> None:
    """Sign everything announced up to now, and announce that: for a witness to keep."""

    async def work() -> int:
        async with connected(find_endpoints(state).nats) as client:
            try:
                _write(out, await ask_checkpoint(client, OPERATOR))
            except NotProven as why:
                console.print(str(why), style="red", markup=False)
                return 1
        return 0

    run(work())


@audit_app.command()
def key(state: State = None) -> None:
    """Print the public key that checkpoints and receipts are checked with."""
    sys.stdout.write(read_key(None, state) + "\n")


@receipt_app.command()
def proof(
    submission: Annotated[str, typer.Argument(help="Id of the submission.")],
    state: State = None,
    out: Out = None,
) -> None:
    """Prove that a submission is in the log. The proof holds its id, and hashes."""

    async def work() -> int:
        endpoints = find_endpoints(state)
        async with connected(endpoints.nats) as client:
            try:
                made = await proof_of(client, endpoints, OPERATOR, submission)
            except NotProven as why:
                console.print(str(why), style="red", markup=False)
                return 1
        _write(out, orjson.dumps(made, option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0

    run(work())


@receipt_app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="What `receipt proof` wrote.")],
    key: Key = None,
    state: State = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a proof. Needs no network: nobody learns that it is checked."""
    try:
        receipt = orjson.loads(file.read_bytes())
        if not isinstance(receipt, dict):
            raise Wrong("this is no receipt of the chain")  # noqa: TRY301 - said as all others
        submission, head = check_receipt(receipt, Verifier(read_key(key, state)))
    except (OSError, orjson.JSONDecodeError):
        console.print("This file cannot be read, or is no receipt.", style="red")
        raise typer.Exit(2) from None
    except Wrong as wrong:
        if as_json:
            emit({"proven": False, "reason": str(wrong)})
        else:
            console.print(f"not proven: {wrong}", style="red", markup=False)
        raise typer.Exit(1) from None
    if as_json:
        emit({"proven": True, "submission": submission, "size": head.size})
        return
    console.print(
        f"submission {submission} is message {receipt['entry']['sequence']} of a log "
        f"of {head.size}",
        markup=False,
    )


def read_key(given: str | None, state: Path | None) -> str:
    """The public key's text: as given, in the file given, or in the folder of keys."""
    try:
        if given is None:
            return (find_keys(state) / "chain.pub").read_text().strip()
        file = Path(given)
        return file.read_text().strip() if file.is_file() else given
    except (OSError, NotRunning):
        console.print("There is no public key of a chain here: name it with --key.", style="red")
        raise typer.Exit(2) from None


def _write(out: Path | None, text: str) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
