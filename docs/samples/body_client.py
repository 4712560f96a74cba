#!/usr/bin/env python3
# TOKEN=… body_client.py ADDRESS BODY: accepts each case that waits for the body
import os
import sys
from datetime import UTC, datetime

import httpx

address, body = sys.argv[1:]
key = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
kind = {"Content-Type": "application/cloudevents+json"}
with httpx.Client(base_url=address, headers=key, timeout=30) as routing:
    page = "/v1/worklist"
    while page:
        told = routing.get(page).raise_for_status()
        for row in told.json()["rows"]:
            if (row["stage"], row["role"]) != ("assigned", "lead"):
                continue
            order = {"specversion": "1.0", "type": "case.accept.v1", "source": f"/bodies/{body}"}
            order |= {"id": f"accept-{row['case']}-{row['version']}", "subject": row["case"]}
            order |= {"time": datetime.now(UTC).isoformat(), "data": {"version": row["version"]}}
            answer = routing.post("/v1/orders", headers=kind, json=order).json()
            sys.stdout.write(f"{row['case']} {answer.get('fate', answer.get('title'))}\n")
        page = told.links.get("next", {}).get("url")
