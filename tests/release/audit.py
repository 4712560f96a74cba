"""`python -m tests.release.audit TOOL`: known vulnerabilities of everything that the locks hold.

`TOOL` is the program pip-audit. It ends well although nothing could be asked, with a line for
each package that it did not find; here such a package is counted, and said loudly.
Ends with 1 where a vulnerability is known, and with `LANGNGHE_REQUIRE=audit` also where any
package was not checked.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LOCKS = (
    "requirements.lock",
    "deploy/containers/image.lock",
    "deploy/containers/build.lock",
    "tests/release/audit.lock",
)
SECONDS = 300


class Audit(NamedTuple):
    """What became of each locked package; `broken` says why none could be asked about."""

    checked: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    vulnerable: tuple[str, ...] = ()
    broken: str = ""


def read(answer: str, said: str = "") -> Audit:
    """Pip-audit's JSON; `said` is what it printed beside it."""
    try:
        packages = json.loads(answer)["dependencies"]
    except (ValueError, KeyError):
        return Audit(broken=said.strip().rpartition("\n")[2] or "pip-audit said nothing")
    skipped = tuple(each["name"] for each in packages if "skip_reason" in each)
    asked = [each for each in packages if "skip_reason" not in each]
    holes = tuple(
        f"{each['name']} {each['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'no version yet'}"
        for each in asked
        for hole in each["vulns"]
    )
    return Audit(tuple(each["name"] for each in asked), skipped, holes)


def ask(tool: str) -> Audit:
    locks = [part for lock in LOCKS for part in ("-r", str(ROOT / lock))]
    command = [tool, "--require-hashes", "--disable-pip", "--format", "json", *locks]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Audit(broken=str(error))
    return read(done.stdout, done.stderr)


def judge(audit: Audit, *, required: bool) -> int:
    """Say it, and how to end."""
    for hole in audit.vulnerable:
        print(f"vulnerable: {hole}", file=sys.stderr)
    missing = audit.broken or bool(audit.unchecked) or not audit.checked
    if missing:
        why = audit.broken or "the service does not know them, or cannot be reached from here"
        print(
            f"NOT CHECKED FOR KNOWN VULNERABILITIES: {len(audit.unchecked) or 'all'} packages "
            f"({why})",
            file=sys.stderr,
        )
    print(f"audit: {len(audit.checked)} packages checked, {len(audit.vulnerable)} vulnerabilities")
    return 1 if audit.vulnerable or (missing and required) else 0


if __name__ == "__main__":
    sys.exit(judge(ask(sys.argv[1]), required="audit" in os.environ.get("LANGNGHE_REQUIRE", "")))
