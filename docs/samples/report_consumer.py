#!/usr/bin/env python3
# report_consumer.py URL CODE SEED_FILE FOLDER: keeps every published report that it has not had
import asyncio
import hashlib
import json
import sys
from pathlib import Path

import nats


def digest(report: dict) -> str:
    def label(said: dict) -> dict:  # a language that is absent in the event is null in the digest
        return {"vi": said["vi"], "en": said.get("en")}

    period = report["period"] | {"label": label(report["period"]["label"])}
    columns = [{"code": c["code"], "label": label(c["label"])} for c in report["columns"]]
    rows = [row | {"name": label(row["name"])} for row in report["rows"]]
    said = {name: report[name] for name in ("form", "unit", "totals")}
    said |= {"period": period, "columns": columns, "rows": rows}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def keep(report: dict, folder: Path) -> None:
    name = f"{report['form']}.{report['unit']}.{report['period']['code']}"
    file, revision = folder / f"{name}.json", report["revision"]
    known = json.loads(file.read_text(encoding="utf-8"))["revision"] if file.exists() else 0
    if revision <= known:  # it was here before
        return
    told = "digest agrees" if digest(report) == report["digest"] else "DIGEST DIFFERS"
    if revision > known + 1:
        told += f", missed {known + 1} to {revision - 1}"
    if withheld := sum(row["cells"].count(None) for row in report["rows"]):
        told += f", {withheld} cells withheld below {report['threshold']}"
    file.write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")
    sys.stdout.write(f"{name} revision {revision}: {told}\n")


async def take(url: str, code: str, seed: str, folder: str) -> None:
    client = await nats.connect(url, nkeys_seed=seed, inbox_prefix=f"_INBOX_{code}")
    reports = await client.jetstream().pull_subscribe_bind(f"reader-{code}", "REPORTS")
    while True:
        try:
            messages = await reports.fetch(100, timeout=3)
        except TimeoutError:  # nothing new: run it again later, it goes on from here
            break
        for message in messages:
            keep(json.loads(message.data)["data"], Path(folder))
            await message.ack_sync(timeout=5)  # only now: what is not confirmed comes again
    await client.close()


asyncio.run(take(*sys.argv[1:]))
