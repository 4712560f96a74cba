"""Raw e-mails by LMTP, as a mail server delivers them, until the last one's case is assigned."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from deploy.bench.lanes import LOOK_SECONDS, PATIENCE_SECONDS, NotThrough, announced, through
from deploy.bench.machine import all_cpu
from deploy.bench.site import Site
from shared.contracts.case import CaseAssigned

CONNECTIONS = 40
"""Of one mail server; Postfix' default for LMTP is 20 a destination."""
READY_SECONDS = 30.0


async def deliver(site: Site, run: str, first: int, count: int) -> tuple[float, dict[str, float]]:
    """Mails a second, and the processor time of each by process."""
    track = site.tracks["ours"]
    mails = [site.load.mail(run, number) for number in range(first, first + count)]
    before = (await announced(site.client, track))[CaseAssigned.TYPE]
    cpu, began = all_cpu(track.pids), monotonic()
    parts = [mails[start::CONNECTIONS] for start in range(CONNECTIONS)]
    await asyncio.gather(*(_session(site.lmtp_port, part) for part in parts if part))
    while (await announced(site.client, track))[CaseAssigned.TYPE] < before + count:
        if monotonic() - began > PATIENCE_SECONDS:
            raise NotThrough("mails are not all assigned")
        await asyncio.sleep(LOOK_SECONDS)
    took = monotonic() - began
    await through(site.client, track)
    spent = all_cpu(track.pids)
    return count / took, {name: (spent[name] - cpu[name]) / count * 1e6 for name in track.pids}


async def wait_for_addresses(site: Site) -> None:
    """Until the entrance knows the mailboxes of the directory."""
    to, _ = site.load.mail("none", 0)
    until = monotonic() + READY_SECONDS
    while monotonic() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.lmtp_port)
        try:
            await _answer(reader)
            for line in ("LHLO bench", "MAIL FROM:<nobody@thudientu.example>"):
                await _say(reader, writer, line.encode())
            answer = await _say(reader, writer, f"RCPT TO:<{to}>".encode())
        finally:
            writer.close()
        if answer.startswith(b"250"):
            return
        await asyncio.sleep(0.2)
    raise NotThrough("LMTP knows no mailbox")


async def _session(port: int, mails: Sequence[tuple[str, bytes]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await _answer(reader)
        await _say(reader, writer, b"LHLO bench")
        for to, raw in mails:
            size = f" SIZE={len(raw)}"  # as mail servers say it; without, each takes a large room
            await _say(reader, writer, b"MAIL FROM:<nguoidan@thudientu.example>" + size.encode())
            await _say(reader, writer, f"RCPT TO:<{to}>".encode())
            await _say(reader, writer, b"DATA")
            answer = await _say(reader, writer, raw + b".")
            if not answer.startswith(b"250"):
                raise NotThrough(f"a mail is not kept: {answer.decode()}")
    finally:
        writer.close()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line + b"\r\n")
    await writer.drain()
    return await _answer(reader)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The last line of an answer."""
    while (line := await reader.readline())[3:4] == b"-":
        pass
    return line.strip()
