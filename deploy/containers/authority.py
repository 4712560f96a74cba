"""A certificate authority of one installation, for TLS between its own parts.

For development and single sites: where there is an authority already, put its files in place
before and nothing is drawn.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.whole_file import write_whole

YEARS_OF_AUTHORITY, DAYS_OF_SERVER = 10, 825
NAME = "Langnghe"


class Authority:
    """`ca.pem` and `ca.key` in a folder; drawn once."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self._folder, self._now = folder, now
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        if not self._key.exists():
            self._draw()

    def issue_once(self, file: Path, hosts: Sequence[str]) -> None:
        """Key and certificate of a server in one file, unless it is there."""
        if file.exists():
            return
        key = ec.generate_private_key(ec.SECP256R1())
        authority = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        signer = load_pem_private_key(self._key.read_bytes(), None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError("ca.key is not of the kind that was drawn here")
        signed = (
            self._begun(hosts[0], authority.subject, key, timedelta(days=DAYS_OF_SERVER))
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
            .sign(signer, hashes.SHA256())
        )
        write_whole(file, _pem(key) + signed.public_bytes(Encoding.PEM))

    def _draw(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        signed = (
            self._begun(NAME, name, key, timedelta(days=365 * YEARS_OF_AUTHORITY))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_whole(self.certificate, signed.public_bytes(Encoding.PEM))
        write_whole(self._key, _pem(key))

    def _begun(
        self, subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
    ) -> x509.CertificateBuilder:
        """Valid from an hour ago: clocks of hosts differ."""
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - timedelta(hours=1))
            .not_valid_after(self._now + lasts)
        )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
