"""What each container is given: nobody gets more than its own, and nothing is drawn twice."""

from datetime import UTC, date, datetime
from pathlib import Path
from stat import S_IMODE
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.containers.preparing import Hosts, access_of, prepare
from deploy.keys import KeysLost

NOW, TODAY = datetime(2026, 3, 2, 1, tzinfo=UTC), date(2026, 3, 2)
THREE = Hosts(("nats", "nats-2", "nats-3"), ("mongo", "mongo-2", "mongo-3"))

OPERATORS = {
    *("ca.key", "ca.pem", "keys-made", "mongo.url"),
    *(f"keys/{name}" for name in ("intake.kek", "intake.key", "operator.key", "operator.pub")),
    *("keys/chain.key", "keys/chain.pub", "keys/nats/store.conf", "keys/nats/users.json"),
    *("keys/nats/lock", "keys/nats/operator.nk", "keys/nats/public.nk", "keys/nats/doorkeeper.nk"),
    *(f"keys/nats/svc-{name}.nk" for name in ("intake", "routing", "reporting")),
}
FILES = {
    "operator": OPERATORS,
    "nats": {"ca.pem", "server.pem", "store.conf", "nats.conf", "nats-access.conf"},
    "mongo": {"ca.pem", "server.pem", "keyfile", "root.password"},
    "intake": {"ca.pem", "mongo.url", "nats.nk", "intake.kek", "intake.key", "operator.pub"},
    "routing": {"ca.pem", "mongo.url", "nats.nk", "operator.pub"},
    "reporting": {"ca.pem", "mongo.url", "nats.nk", "operator.pub", "chain.key"},
}
"""By folder: every file that its container finds there, and no other."""


@pytest.fixture
def prepared(tmp_path) -> Path:
    prepare(tmp_path, THREE, "langnghe", NOW, TODAY)
    return tmp_path


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestWhoGetsWhat:
    @pytest.mark.parametrize("whose", FILES)
    def test_a_folder_has_what_its_owner_needs_and_nothing_else(self, prepared, whose):
        assert set(files_in(prepared / whose)) == FILES[whose]

    def test_there_is_no_other_folder(self, prepared):
        assert {path.name for path in prepared.iterdir()} == set(FILES)

    @pytest.mark.parametrize("whose", ["intake", "routing", "reporting"])
    def test_a_service_has_its_own_seed_and_its_own_password(self, prepared, whose):
        others = [name for name in ("intake", "routing", "reporting") if name != whose]
        own = files_in(prepared / whose)

        assert own["nats.nk"] == access_of(prepared).seed(f"svc-{whose}").read_bytes()
        for other in others:
            assert own["mongo.url"] != (prepared / other / "mongo.url").read_bytes()
            assert own["nats.nk"] != (prepared / other / "nats.nk").read_bytes()

    @pytest.mark.parametrize("whose", ["intake", "routing", "reporting"])
    def test_a_services_database_user_is_named_for_it(self, prepared, whose):
        url = urlsplit((prepared / whose / "mongo.url").read_text())

        assert url.username == f"langnghe_{whose}"
        assert "tls=true" in url.query
        assert "mongo:27017,mongo-2:27017,mongo-3:27017" in url.netloc

    def test_no_secret_can_be_read_by_another_user(self, prepared):
        secret = {"ca.key", "mongo.url", "keyfile", "root.password", "server.pem", "intake.kek"}
        secret |= {"intake.key", "operator.key", "chain.key", "nats.nk", "store.conf"}
        modes = {p: S_IMODE(p.stat().st_mode) for p in prepared.rglob("*") if p.name in secret}

        assert modes
        assert {str(p) for p, mode in modes.items() if mode & 0o077} == set()


class TestTwice:
    def test_nothing_is_drawn_anew(self, prepared):
        before = files_in(prepared)

        prepare(prepared, THREE, "langnghe", NOW.replace(year=2027), date(2027, 3, 2))

        assert files_in(prepared) == before

    def test_a_lost_key_is_said_and_not_replaced(self, prepared):
        (prepared / "operator" / "keys" / "intake.kek").unlink()

        with pytest.raises(KeysLost):
            prepare(prepared, THREE, "langnghe", NOW, TODAY)

        assert not (prepared / "operator" / "keys" / "intake.kek").exists()

    def test_an_authority_that_was_there_before_signs(self, tmp_path):
        """Who has one puts its files in place, and nothing is drawn."""
        prepare(tmp_path / "theirs", Hosts(), "langnghe", NOW, TODAY)
        (tmp_path / "ours" / "operator").mkdir(parents=True)
        for name in ("ca.pem", "ca.key"):
            content = (tmp_path / "theirs" / "operator" / name).read_bytes()
            (tmp_path / "ours" / "operator" / name).write_bytes(content)

        prepare(tmp_path / "ours", Hosts(), "langnghe", NOW, TODAY)

        theirs = (tmp_path / "theirs" / "operator" / "ca.pem").read_bytes()
        for whose in ("nats", "mongo", "intake", "routing", "reporting"):
            assert (tmp_path / "ours" / whose / "ca.pem").read_bytes() == theirs


class TestCertificates:
    @pytest.mark.parametrize(("whose", "hosts"), [("nats", THREE.nats), ("mongo", THREE.mongo)])
    def test_it_is_for_the_servers_of_its_kind_and_the_host_itself(self, prepared, whose, hosts):
        signed = x509.load_pem_x509_certificate((prepared / whose / "server.pem").read_bytes())
        names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

        assert names.get_values_for_type(x509.DNSName) == [*hosts, "localhost"]

    def test_the_authority_signed_it(self, prepared):
        authority = x509.load_pem_x509_certificate((prepared / "nats" / "ca.pem").read_bytes())
        signed = x509.load_pem_x509_certificate((prepared / "nats" / "server.pem").read_bytes())

        signed.verify_directly_issued_by(authority)
        assert isinstance(signed.public_key(), ec.EllipticCurvePublicKey)

    def test_it_signs_no_others(self, prepared):
        signed = x509.load_pem_x509_certificate((prepared / "nats" / "server.pem").read_bytes())
        may = signed.extensions.get_extension_for_class(x509.BasicConstraints).value

        assert not may.ca
