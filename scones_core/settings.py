"""Settings from SCONES_* variables, `.env` and Streamlit's `secrets.toml`, in this order of precedence."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from scones_core.errors import BadInput

CHECKOUT = Path(__file__).resolve().parent.parent
# Pages, functions, state machines and templates: beside the package in a checkout, inside it when installed.
FILES = CHECKOUT if (CHECKOUT / "streamlit_app.py").is_file() else Path(__file__).resolve().parent / "files"


class BackendName(StrEnum):
    EMBEDDED = "embedded"
    AWS = "aws"


class Settings(BaseSettings):
    """`SCONES_HOME=…` sets `home`, and so on.

    region, profile : None uses AWS's own variables and profiles.
    algorithm : of training jobs, `image-classification` (SageMaker's) or `embedded` (the one of the embedded backend).
    log_json : write the log as one JSON object per line.
    without_sign_in : allow other machines to connect without sign-in.
    operators : comma-separated names of those who see all reviewers' figures and settle proposals; empty: everybody.
    poll_seconds : polling interval for operations that take minutes on AWS.
    """

    model_config = SettingsConfigDict(
        env_prefix="SCONES_", env_file=".env", extra="ignore", toml_file=".streamlit/secrets.toml"
    )

    backend: BackendName = BackendName.EMBEDDED
    home: Path = Path(".scones")
    endpoint: str = "scones-unlimited"
    database_url: SecretStr | None = None
    notify: SecretStr | None = None
    notify_seconds: float = 60.0
    log_json: bool = False
    without_sign_in: bool = False
    operators: str = ""
    # The AWS backend
    stack: str = "scones-unlimited"
    region: str | None = None
    profile: str | None = None
    algorithm: str = "image-classification"
    training_instance: str | None = None
    training_spot: bool = False
    endpoint_instance: str = "ml.m5.large"
    endpoint_most_instances: int = 1
    poll_seconds: float = 15.0

    @classmethod
    def read(cls, **given: Any) -> "Settings":
        """The settings; `given` overrides all sources. Raises BadInput naming the variable."""
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = f"SCONES_{first['loc'][0]}".upper()
            raise BadInput(f"The setting {name} cannot be used ({first['msg']}): correct it, or remove it.") from None
        except (SettingsError, tomllib.TOMLDecodeError) as error:
            raise BadInput(f"The settings cannot be read ({error}).") from None

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
