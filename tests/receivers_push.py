"""Receivers on this machine: a test's own CA, the sample as a process, and servers that misbehave."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.documents import SAMPLES

HOST = "hooks.example.org"


@dataclass(frozen=True)
class Authority:
    """A CA that only the test trusts, and a certificate of it for one host."""

    folder: Path
    certificate: Path
    key: Path

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))

    def served(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def authority(folder: Path, host: str = HOST) -> Authority:
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _certificate("test CA", ca_key, "test CA", ca_key, ca=True)
    mine = _certificate(host, key, "test CA", ca_key, ca=False)
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "host.pem").write_bytes(mine.public_bytes(serialization.Encoding.PEM))
    (folder / "host.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Authority(folder, folder / "host.pem", folder / "host.key")


def _certificate(name, key, issuer, issuer_key, *, ca):
    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        made = made.add_extension(names, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


class Sample:
    """`docs/samples/webhook_receiver.py` as it stands, over TLS."""

    def __init__(self, process, port: int) -> None:
        self._process, self.port = process, port

    async def said(self, count: int) -> list[str]:
        async with asyncio.timeout(20):
            return [await self._line() for _ in range(count)]

    async def _line(self) -> str:
        return (await self._process.stdout.readline()).decode().rstrip()


@asynccontextmanager
async def sample(secret: Path, folder: Path, by: Authority, port: int = 0) -> AsyncIterator[Sample]:
    program = SAMPLES / "webhook_receiver.py"
    arguments = (str(port), secret, folder, by.certificate, by.key)
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, *arguments, stdout=subprocess.PIPE
    )
    try:
        receiver = Sample(process, 0)
        [line] = await receiver.said(1)
        receiver.port = int(line.rpartition(" ")[2])
        yield receiver
    finally:
        process.kill()
        await process.wait()


class Counted:
    """A port of this machine that counts who connects, and answers `answer` once it was asked."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer, self.count, self.heads, self.port = answer, 0, [], 0
        self.connected = asyncio.Event()

    async def serve(self, reader, writer) -> None:
        self.count += 1
        self.connected.set()
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            if self._answer is None:
                await asyncio.Event().wait()
            else:
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def counted(
    answer: bytes | None = b"", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Counted]:
    """Without an answer (None) whoever asks waits for ever."""
    found = Counted(answer)
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader, writer) -> None:
        task = asyncio.ensure_future(found.serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
