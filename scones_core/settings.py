"""Settings, from SCONES_* variables, `.env` and Streamlit's `secrets.toml`, in this order of precedence."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

REPOSITORY = Path(__file__).resolve().parent.parent


class BackendName(StrEnum):
    EMBEDDED = "embedded"
    AWS = "aws"


class Settings(BaseSettings):
    """`SCONES_HOME=…` sets `home`, and so on."""

    model_config = SettingsConfigDict(
        env_prefix="SCONES_", env_file=".env", extra="ignore", toml_file=".streamlit/secrets.toml"
    )

    backend: BackendName = BackendName.EMBEDDED
    home: Path = Path(".scones")
    endpoint: str = "scones-unlimited"
    database_url: SecretStr | None = None
    notify: SecretStr | None = None
    notify_seconds: float = 60.0
    stack: str = "scones-unlimited"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, _Secrets(settings_cls)


class _Secrets(TomlConfigSettingsSource):
    """Reads `SCONES_HOME = "…"` at the top level of secrets.toml, as the environment spells it."""

    def __call__(self) -> dict[str, Any]:
        names = {name.lower(): value for name, value in self.toml_data.items()}
        return {field: names[f"scones_{field}"] for field in Settings.model_fields if f"scones_{field}" in names}
