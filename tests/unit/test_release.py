"""The scans of `make lint`: what they find, and that they say what they could not look at."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.access.nkeys import draw_once
from tests.release import audit, secrets


def drawn(folder: Path) -> list[tuple[str, str]]:
    """A secret of each kind, new each time; tokens of others in the form that they have."""
    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return [
        ("NKey Seed", draw_once(folder, "agency-a1").read_text()),
        ("Private Key", pem.decode()),
        ("Basic Auth Credentials", "mongodb://root:" + "x7Kq" * 10 + "@mongo:27017"),
        ("Webhook Secret", "whsec_" + "a1B2" * 11 + "="),
        ("GitHub Token", "gh" + "p_" + "a1B2c3" * 6),
        ("AWS Access Key", "AKIA" + "A1B2" * 4),
        ("JSON Web Token", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJhMDE3In0." + "c2lnbmF0dXJl"),
    ]


def repository(folder: Path, **files: str) -> Path:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    return folder


class TestSecrets:
    @pytest.mark.parametrize("text", ["{}", "seed: {}", 'KEY = "{}"  # pragma: allowlist secret'])
    def test_one_of_each_kind_is_found(self, tmp_path, text):
        planted = drawn(tmp_path / "keys")
        files = {f"file-{n}.txt": text.format(one) for n, (_, one) in enumerate(planted)}
        root = repository(tmp_path / "tree", **files)

        kinds = {(each.file, each.kind) for each in secrets.findings(root, secrets.tracked(root))}

        assert kinds >= {(file, kind) for file, (kind, _) in zip(files, planted, strict=True)}

    def test_what_is_found_is_not_shown_and_fails(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(secrets, "allowed", set)
        seed = draw_once(tmp_path / "keys", "agency-a1").read_text()

        code = secrets.main(repository(tmp_path / "tree", notes=f"seed: {seed}"))

        said = capsys.readouterr()
        assert code == 1
        assert "notes:1: NKey Seed" in said.err
        assert seed not in said.out + said.err

    def test_a_tree_without_is_well(self, tmp_path, monkeypatch):
        monkeypatch.setattr(secrets, "allowed", set)
        public = "U" + "A2" * 27 + "A"

        assert secrets.main(repository(tmp_path, notes=f"public key: {public}")) == 0

    def test_an_entry_that_nothing_needs_any_more_fails(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(secrets, "allowed", lambda: {("notes", "ab" * 20)})

        assert secrets.main(repository(tmp_path, notes="none")) == 1
        assert "remove it" in capsys.readouterr().err


FOUND = '{"dependencies": [{"name": "a", "version": "1", "vulns": [%s]}, %s]}'
HOLE = '{"id": "CVE-1", "fix_versions": ["1.1"]}'
SKIPPED = '{"name": "b", "skip_reason": "Dependency not found on PyPI"}'
CHECKED = '{"name": "b", "version": "2", "vulns": []}'


class TestAudit:
    @pytest.mark.parametrize(
        ("answer", "lint", "required"),
        [
            (FOUND % ("", CHECKED), 0, 0),
            (FOUND % (HOLE, CHECKED), 1, 1),
            (FOUND % (HOLE, SKIPPED), 1, 1),
            (FOUND % ("", SKIPPED), 0, 1),
            ('{"dependencies": []}', 0, 1),
            ("", 0, 1),
            ("<html>", 0, 1),
        ],
    )
    def test_a_known_hole_fails_and_what_was_not_checked_fails_where_it_must(
        self, answer, lint, required
    ):
        seen = audit.read(answer)

        assert audit.judge(seen, required=False) == lint
        assert audit.judge(seen, required=True) == required

    def test_what_was_not_checked_is_said(self, capsys):
        audit.judge(audit.read(FOUND % ("", SKIPPED)), required=False)

        assert "NOT CHECKED FOR KNOWN VULNERABILITIES: 1 packages" in capsys.readouterr().err

    def test_a_tool_that_is_not_there_checks_nothing(self, tmp_path, capsys):
        assert audit.judge(audit.ask(str(tmp_path / "none")), required=True) == 1
        assert "No such file" in capsys.readouterr().err

    @pytest.mark.parametrize("lock", audit.LOCKS)
    def test_every_locked_package_has_a_version_and_a_hash(self, lock):
        text = (audit.ROOT / lock).read_text(encoding="utf-8")
        entries = [e for e in text.split("\n") if e and not e.startswith(("#", " "))]

        assert entries
        assert text.count("--hash=sha256:") >= len(entries)
        assert all("==" in entry and entry.endswith("\\") for entry in entries)
