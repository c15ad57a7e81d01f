"""Settings: flags, then `TILLGATE_*`, then defaults. A wrong one is refused with its name and the mend."""

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Assurance
from tillgate.tools.shops.embedded.sql import MAIN

_LAST_PORT = 65_535
Several = Annotated[tuple[str, ...], NoDecode]
"""As an environment variable, with commas between."""

Level = Literal["anonymous", "identified", "authenticated", "stepped_up"]


class Settings(BaseSettings):
    """Everything that can be set. Each field is also an environment variable: `policy` is `TILLGATE_POLICY`."""

    model_config = SettingsConfigDict(env_prefix="TILLGATE_", extra="forbid", frozen=True, populate_by_name=True)

    db: str = Field(default="tillgate.db", validation_alias="TILLGATE_DATABASE_URL")
    shop: str = Field(default=MAIN, pattern="^[a-z0-9][a-z0-9_.-]{0,62}$")
    policy: Path | None = None
    customer: str | None = None
    assurance: Level | None = None
    agent: str = "agent"
    now: datetime | None = None
    notify: str = "outbox"
    payments: str | None = None
    http: str | None = None
    issuer: str | None = None
    resource_url: str | None = None
    jwks: str | None = None
    dev_key: Path | None = None
    customer_claim: str = Field(default="customer_id", min_length=1)
    acr: Several = ()
    allowed_host: Several = ()
    allowed_origin: Several = ()
    unsafe_no_auth: bool = False
    public_url: str | None = None

    @field_validator("acr", "allowed_host", "allowed_origin", mode="before")
    @classmethod
    def _apart(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("now")
    @classmethod
    def _with_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time needs a zone, such as 2026-01-15T00:00:00Z")
        return value.astimezone(UTC).replace(microsecond=0) if value else None

    @model_validator(mode="after")
    def _somebody(self) -> "Settings":
        if self.customer is None and self.assurance not in (None, "anonymous"):
            raise ValueError("--assurance says how a customer is known: it needs --customer")
        if self.customer is not None and self.assurance == "anonymous":
            raise ValueError("--customer names somebody, --assurance anonymous nobody: leave one of them out")
        return self

    @property
    def level(self) -> Assurance:
        """How the process's own customer is known; by no more than being on file unless it is said."""
        return Assurance[(self.assurance or "identified").upper()] if self.customer else Assurance.ANONYMOUS

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `http`. Raises ConfigurationError for anything else."""
        host, _, port = (self.http or "").rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not host or not port.isdecimal() or int(port) > _LAST_PORT:
            raise ConfigurationError(f"--http {self.http}: give HOST:PORT, such as 127.0.0.1:8080")
        return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def settings(**flags: object) -> Settings:
    """Settings with the flags that were given. Raises ConfigurationError with the name of each wrong one."""
    try:
        given = {("TILLGATE_DATABASE_URL" if name == "db" else name): value for name, value in flags.items()}
        known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return Settings(**known)
    except ValidationError as error:
        raise ConfigurationError("; ".join(map(_told, error.errors(include_input=False, include_url=False)))) from error


def _told(item: ErrorDetails) -> str:
    """One wrong setting, by the name it has outside."""
    message = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return message
    name = str(item["loc"][0])
    return f"{name if name.isupper() else f'TILLGATE_{name.upper()}'}: {message}"
