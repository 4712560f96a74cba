"""The settings that every service has; each `app.py` reads its own once and passes values on."""

from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


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

    @model_validator(mode="after")
    def _read_secrets(self) -> Self:
        if self.mongo_url_file is not None:
            self.mongo_url = self.mongo_url_file.read_text().strip()
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
