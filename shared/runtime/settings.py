"""The settings that every service has; each `app.py` reads its own once and passes values on."""

from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

NATS_SCHEMES, MONGO_SCHEMES = ("nats", "tls", "ws", "wss"), ("mongodb", "mongodb+srv")


class ServiceSettings(BaseSettings):
    """Read from the environment, prefix `LANGNGHE_`."""

    model_config = SettingsConfigDict(
        env_prefix="LANGNGHE_", extra="ignore", hide_input_in_errors=True
    )

    nats_url: str = Field(default="nats://127.0.0.1:4222", description="NATS servers, comma-apart.")
    nats_seed: Path | None = Field(
        default=None, description="File of the service's NKey seed; a guarded server asks for it."
    )
    nats_ca: Path | None = Field(
        default=None,
        description="File of the authority that signed the NATS servers' certificates; the "
        "system's own if unset. TLS is used where an address begins with `tls://`.",
    )
    mongo_url: str = Field(
        default="mongodb://127.0.0.1:27017/?replicaSet=langnghe",
        description="MongoDB replica set (majority writes need one).",
    )
    mongo_url_file: Path | None = Field(
        default=None, description="File that holds the address instead, with its password."
    )
    mongo_prefix: str = Field(
        default="langnghe", description="Databases are named `<prefix>_<service>`."
    )
    http_host: str = Field(default="127.0.0.1", description="Address that the web face listens on.")
    http_port: int = Field(default=8080, ge=0, le=65535, description="Port of the web face.")
    keys: Path = Field(default=Path("keys"), description="Folder of the key files.")
    timezone: str = Field(
        default="Asia/Ho_Chi_Minh", description="Zone in which legal days begin and end."
    )

    @field_validator("nats_url")
    @classmethod
    def _nats_speaks(cls, url: str) -> str:
        if any(each.partition("://")[0].strip() not in NATS_SCHEMES for each in url.split(",")):
            raise ValueError("addresses such as tls://host:4222, comma-apart")
        return url

    @field_validator("mongo_url")
    @classmethod
    def _mongo_speaks(cls, url: str) -> str:
        if url.partition("://")[0] not in MONGO_SCHEMES:
            raise ValueError("an address such as mongodb://host:27017/?replicaSet=name")
        return url

    @field_validator("nats_seed", "nats_ca", "mongo_url_file")
    @classmethod
    def _is_readable(cls, file: Path | None) -> Path | None:
        try:
            if file is not None:
                file.open("rb").close()
        except OSError as error:
            raise ValueError(f"a file that can be read ({error.strerror})") from None
        return file

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("a zone of the IANA database, such as Asia/Ho_Chi_Minh") from None
        return name

    @model_validator(mode="after")
    def _read_secrets(self) -> Self:
        if self.mongo_url_file is not None:
            url = self.mongo_url_file.read_text().strip()
            if url.partition("://")[0] not in MONGO_SCHEMES:
                raise ValueError("LANGNGHE_MONGO_URL_FILE holds no address of MongoDB")
            self.mongo_url = url
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
