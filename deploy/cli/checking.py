"""`dead …` and `verify`: what was set aside, and whether everything agrees."""

import typer

from deploy import dead
from deploy.cli.terminal import AsJson, State, console, emit, run
from deploy.connection import connected, find_endpoints
from deploy.verify import count_orphan_keys, verify

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


@app.command("verify")
def verify_all(state: State = None, *, as_json: AsJson = False) -> None:
    """Hold log, stores and totals against one another; name every difference, exit 1."""

    async def work() -> int:
        endpoints = find_endpoints(state)
        async with connected(endpoints.nats) as client:
            findings = await verify(client, endpoints)
        orphans = await count_orphan_keys(endpoints)
        if as_json:
            verdict = "failed" if findings else "ok"
            said = list(map(str, findings))
            emit({"verify": verdict, "findings": said, "orphan_keys": orphans})
        else:
            for finding in findings:
                console.print(str(finding), style="red", markup=False, soft_wrap=True)
            console.print("failed" if findings else "ok")
        return 1 if findings else 0

    run(work())
