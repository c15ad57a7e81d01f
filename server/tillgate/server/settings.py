"""Settings: flags, then `TILLGATE_*`, then defaults. A wrong one is refused with its name and the mend."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tillgate.guards.errors import ConfigurationError

Level = Literal["anonymous", "identified", "authenticated", "stepped_up"]


class Settings(BaseSettings):
    """Everything that can be set. Each field is also an environment variable: `policy` is `TILLGATE_POLICY`."""

    model_config = SettingsConfigDict(env_prefix="TILLGATE_", extra="forbid", frozen=True, populate_by_name=True)

    db: str = Field(default="tillgate.db", validation_alias="TILLGATE_DATABASE_URL")
    policy: Path | None = None
    customer: str | None = None
    assurance: Level = "authenticated"
    agent: str = "agent"
    now: datetime | None = None
    notify: str = "outbox"

    @field_validator("now")
    @classmethod
    def _with_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time needs a zone, such as 2026-01-15T00:00:00Z")
        return value.astimezone(UTC).replace(microsecond=0) if value else None

    @property
    def database(self) -> Path:
        """The SQLite file. PostgreSQL URLs are not served by this version."""
        text = self.db.removeprefix("sqlite:///")
        if "://" in text:
            raise ConfigurationError(f"--db {self.db}: only SQLite files are supported; give a path or sqlite:///PATH")
        return Path(text)


def settings(**flags: object) -> Settings:
    """Settings with the flags that were given. Raises ConfigurationError with the name of each wrong one."""
    try:
        given = {("TILLGATE_DATABASE_URL" if name == "db" else name): value for name, value in flags.items()}
        known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return Settings(**known)
    except ValidationError as error:
        lines = [f"{item['loc'][0]}: {item['msg']}" for item in error.errors(include_input=False, include_url=False)]
        raise ConfigurationError("; ".join(lines)) from error
