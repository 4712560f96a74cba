"""`python -m tests.release.secrets`: what looks like a secret in any tracked file, and is none of
those that `allowed.yaml` lists with a reason.

It finds by the library detect-secrets, with every detector that it has and those of `seeds.py`.
It asks no service whether what it found is in use, and heeds no comment in a file.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml
from detect_secrets import SecretsCollection
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
ALLOWED = Path(__file__).with_name("allowed.yaml")
SEEDS = Path(__file__).with_name("seeds.py")
OURS = ("NKeySeedDetector", "WebhookSecretDetector")
FILTERS = (
    "is_indirect_reference",  # password = settings.password
    "is_likely_id_string",
    "is_lock_file",
    "is_not_alphanumeric_string",
    "is_potential_uuid",
    "is_prefixed_with_dollar_sign",
    "is_sequential_string",
    "is_templated_secret",  # ${PASSWORD}
)


class Finding(NamedTuple):
    """`sha1` is that of what was found, which is not shown."""

    file: str
    sha1: str
    line: int
    kind: str


def findings(root: Path, names: Iterable[str]) -> list[Finding]:
    """By file and line."""
    with transient_settings(_settings()):
        found = SecretsCollection(root=str(root))
        found.scan_files(*names, num_processors=2)
        return sorted(
            Finding(file, secret.secret_hash, secret.line_number, secret.type)
            for file, secret in found
        )


def allowed() -> set[tuple[str, str]]:
    """File and hash of each that is known to be none."""
    entries = yaml.safe_load(ALLOWED.read_text(encoding="utf-8"))
    return {(entry["file"], sha1) for entry in entries for sha1 in entry["sha1"]}


def tracked(root: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def main(root: Path = ROOT) -> int:
    names = tracked(root)
    known, found = allowed(), findings(root, names)
    news = [each for each in found if each[:2] not in known]
    gone = known - {each[:2] for each in found}
    for file, sha1, line, kind in news:
        print(f"{file}:{line}: {kind}, sha1 {sha1}", file=sys.stderr)
    if news:
        print(
            f"A secret is taken out and drawn anew; what is none goes into {ALLOWED.name}",
            file=sys.stderr,
        )
    for file, sha1 in sorted(gone):
        print(f"{ALLOWED.name}: {file} has no {sha1} any more: remove it", file=sys.stderr)
    print(f"secrets: {len(names)} files, {len(news)} found, {len(known)} allowed")
    return 1 if news or gone else 0


def _settings() -> dict[str, object]:
    library = [plugin.__name__ for plugin in get_mapping_from_secret_type_to_class().values()]
    get_mapping_from_secret_type_to_class.cache_clear()  # it would not look for ours again
    return {
        "plugins_used": [
            *({"name": name} for name in library if name not in OURS),
            *({"name": name, "path": SEEDS.as_uri()} for name in OURS),
        ],
        "filters_used": [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in FILTERS],
    }


if __name__ == "__main__":
    sys.exit(main())
