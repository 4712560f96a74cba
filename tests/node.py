"""Programs of node, with packages that are no part of the project.

`npm install --prefix FOLDER @asyncapi/parser @nats-io/transport-node @nats-io/jetstream`, then name
the folder in `LANGNGHE_NODE`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def needs_node(*packages: str) -> Path:
    """The folder of the packages; whoever has none is told what is not being checked."""
    folder = Path(os.environ.get("LANGNGHE_NODE", ""), "node_modules").resolve()
    missing = [name for name in packages if not (folder / name / "package.json").exists()]
    if shutil.which("node") is None or missing:
        pytest.skip(f"NOT CHECKED: needs node and {', '.join(packages)}; see tests/node.py")
    return folder


def run_node(program: Path, *arguments: object, timeout: float = 60, **environment: str):
    """The program's end and what it printed."""
    return subprocess.run(
        ["node", str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env={**os.environ, **environment},
    )
