"""Settings: every one is an environment variable ``WAREHOUSE_<NAME>`` with a default that works."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PostgresDsn, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parent.parent
MOUNTED_SECRETS = Path("/run/secrets")
"""Where containers find secrets as files; ``warehouse_database_url`` there is WAREHOUSE_DATABASE_URL."""


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """Where this instance lives and how it runs. Folders left out lie below ``home``."""

    model_config = SettingsConfigDict(
        env_prefix="WAREHOUSE_",
        frozen=True,
        secrets_dir=MOUNTED_SECRETS if os.access(MOUNTED_SECRETS, os.R_OK | os.X_OK) else None,
    )

    home: Path = Field(CHECKOUT / ".warehouse", description="Folder of this instance: database, files, logs.")
    database_url: SecretStr | None = Field(
        None, description="URL of an external PostgreSQL 15-18 (an owner role). Empty: the embedded server."
    )
    port: int = Field(0, ge=0, le=65535, description="Port of the embedded server; 0 picks one and keeps it.")
    airflow_port: int = Field(
        0, ge=0, le=65535, description="Port of the Airflow UI; 0 picks one and keeps it."
    )
    role_prefix: str = Field(
        "", pattern=r"^[a-z_]*$", description="Put before role names on a shared server."
    )
    site: Path = Field(
        default_factory=lambda data: data["home"] / "site",
        description="Folder with sources.yml, organizations.csv, regions.csv, duties.csv, waivers.yml, rules.yml and"
        " holidays.csv.",
    )
    inbox: Path = Field(
        default_factory=lambda data: data["home"] / "inbox",
        description="Folder with a folder for each source.",
    )
    file_store: Path = Field(
        default_factory=lambda data: data["home"] / "files",
        description="Files kept for ever under their SHA-256.",
    )
    secrets: Path = Field(
        default_factory=lambda data: data["home"] / "secrets",
        description="Folder with a password file for each role.",
    )
    person_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Key under which persons on cards are hashed. Empty: a file among the secrets, made on first use.",
    )
    build_threads: int = Field(4, ge=1, le=32, description="Tables of the star that are built side by side.")
    max_findings_per_rule: int = Field(
        100, ge=1, description="Findings written for one rule and batch of cards; a last one counts the rest."
    )
    airflow_home: Path = Field(
        default_factory=lambda data: data["home"] / "airflow", description="AIRFLOW_HOME of this instance."
    )
    artifacts: Path = Field(
        default_factory=lambda data: data["home"] / "artifacts",
        description="What is built for people: Data Docs, dbt docs, logs.",
    )
    forms: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Folders of site-specific forms, separated like PATH."
    )
    timezone: str = Field("Asia/Shanghai", description="Time zone of due dates and schedules.")
    alarm_webhooks: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Incoming webhooks of WeCom or DingTalk groups told of failed runs and new failures, space apart.",
    )
    alarm_emails: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Readers who get the same by e-mail, space between; through Airflow's connection smtp_default.",
    )
    task_retries: int = Field(2, ge=0, description="How often Airflow tries a failed task again.")
    retry_seconds: float = Field(60, ge=0, description="Seconds before the first retry.")
    settle_seconds: float = Field(
        3,
        ge=0,
        description="A file changed less than this many seconds ago is left for the next night: it may grow.",
    )
    limit_file_bytes: int = Field(2 << 30, gt=0, description="Largest file that is read, in bytes.")
    limit_unpacked_bytes: int = Field(
        1 << 30, gt=0, description="Most that an archive or a workbook may unpack to, in bytes."
    )
    limit_ratio: int = Field(
        200, gt=1, description="How many times its size a file of more than 64 MiB may unpack to."
    )
    limit_document_bytes: int = Field(
        256 << 20, gt=0, description="Largest JSON, XML or HTML document, in bytes; NDJSON has no such limit."
    )
    limit_members: int = Field(5_000, gt=0, description="Most files in an archive.")
    limit_sheets: int = Field(500, gt=0, description="Most sheets in a workbook.")
    limit_rows: int = Field(1_048_576, gt=0, description="Most rows of a sheet that is read as a whole.")
    limit_columns: int = Field(2_000, gt=0, description="Most columns of a sheet.")
    limit_cells: int = Field(
        20_000_000,
        gt=0,
        description="Most cells of a file's sheets that are read as a whole: rows times columns.",
    )
    limit_seconds: float = Field(
        120, gt=0, description="Longest time that a file's own structure may be unravelled, in seconds."
    )
    limit_read_seconds: float = Field(
        300,
        gt=0,
        description="Longest time that reading a file may take as a whole, in seconds; then it is stopped.",
    )
    limit_read_bytes: int = Field(
        4 << 30,
        ge=1 << 30,
        description="Most memory that the process which reads files may ask for, in bytes.",
    )
    intake_workers: int = Field(
        default_factory=_cores,
        ge=1,
        description="Processes that read files, beside the one that records them.",
    )
    intake_group: int = Field(
        200,
        ge=1,
        description="Most files that are recorded in one transaction; a failing one is recorded alone.",
    )
    inbox_done: Literal["move", "keep"] = Field(
        "move",
        description="What becomes of a file in a folder that is an inbox once it is taken in and has been quiet for an"
        " hour: it moves to the folder .taken there, below the day, or it stays, and costs a look each time.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", description="Least severe line of the log that is shown."
    )
    log_json: bool = Field(False, description="Logs as JSON lines instead of coloured text.")

    @field_validator("home", "site", "inbox", "file_store", "secrets", "airflow_home", "artifacts")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("forms", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part).expanduser().resolve() for part in value.split(os.pathsep) if part)
        return value

    @field_validator("alarm_webhooks", "alarm_emails", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError) as error:
            # Neither is a ValueError: it would leave the command as a traceback.
            raise ValueError("no such time zone; a name such as Asia/Shanghai is wanted") from error
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value():
            return None
        if value is not None:
            PostgresDsn(value.get_secret_value())
        return value


@lru_cache
def get_settings() -> Settings:
    """Settings of this process, read from the environment once."""
    return Settings()
