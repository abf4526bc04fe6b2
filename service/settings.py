"""Every environment variable that Pharos reads: `PHAROS_<FIELD>`, typed, with default and unit."""

from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """The process's configuration; read once by `settings()`."""

    model_config = SettingsConfigDict(
        env_prefix="PHAROS_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(Path(".pharos"), description="Folder for everything that is stored locally.")
    host: str = Field("127.0.0.1", description="Address that the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port that the web server listens on.")
    public_url: str | None = Field(None, description="Address that people use, when a proxy stands before the server.")
    serve: Literal["all", "operations"] = Field(
        "all", description="What the web server answers; `operations`: the operations page and what belongs to it only."
    )
    operations_port: int = Field(
        5555,
        ge=1,
        le=65535,
        description="Port that the operations page has for itself where Pharos runs in containers.",
    )
    drain_seconds: float = Field(
        0,
        ge=0,
        description="Time that a web server that is to stop still answers, with `/ready` at 503 so that its proxy asks"
        " another one, seconds.",
    )

    database_url: str | None = Field(
        None, description="PostgreSQL, `postgresql://user:password@host:port/name`; unset: the embedded server."
    )
    worker_database_url: str | None = Field(
        None, description="The same for workers, with a role of their own; unset: the embedded one, or `database_url`."
    )
    broker_url: str | None = Field(None, description="Redis for tasks, `redis://...`; unset: the embedded server.")
    cache_url: str | None = Field(None, description="Redis for the cache; unset: the embedded server, database 1.")
    storage_url: str | None = Field(
        None,
        description="Where originals are kept, `file:<folder>` or `s3://<bucket>/<prefix>`; unset: `<home>/files`.",
    )
    storage_endpoint: str | None = Field(
        None, description="Address of the S3 server, `https://host:port`; unset: `AWS_ENDPOINT_URL`, or Amazon's."
    )
    storage_region: str | None = Field(None, description="Region of the bucket; unset: `AWS_REGION`, or `us-east-1`.")
    storage_access_key: str | None = Field(
        None, description="Name of the key to the bucket; unset: `AWS_ACCESS_KEY_ID`, or the role of the machine."
    )
    storage_secret_key: SecretStr | None = Field(
        None, description="The key to the bucket itself; unset: `AWS_SECRET_ACCESS_KEY`, or the role of the machine."
    )

    pool_size: int = Field(20, ge=1, description="Connections that a web process keeps open.")
    pool_overflow: int = Field(40, ge=0, description="Connections beyond `pool_size` that a web process may open.")
    pool_recycle: int = Field(3600, ge=1, description="Age at which a connection is replaced, seconds.")

    slow_query_ms: int = Field(
        500, ge=0, description="Time from which a query is logged with its plan, without its values, ms; 0: never."
    )

    admin_token: str | None = Field(None, description="Token of the account `admin`; unset: `<home>/admin-token`.")
    rate_limits: bool = Field(
        True, description="Limit each account's ingests, searches and writes; sign-ins always are."
    )
    registration: bool = Field(
        False, description="Let everybody make an account (an editor's); off: only who was invited."
    )
    max_body_mb: int = Field(32, ge=1, description="Largest request body, megabytes.")
    max_upload_mb: int = Field(1024, ge=1, description="Largest request body that brings files, megabytes.")
    trusted_proxies: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        [], description="Proxies whose `X-Forwarded-For` and `-Proto` are believed: addresses or CIDRs, by commas."
    )
    egress_allow: Annotated[list[str], NoDecode] = Field(
        [], description="Private networks and hosts that may be fetched from: CIDRs, `host` or `host:port`, by commas."
    )

    max_page_mb: int = Field(25, ge=1, description="Largest page that is fetched, megabytes after decompression.")
    max_file_mb: int = Field(100, ge=1, description="Largest PDF, DOCX or EPUB that is fetched, megabytes.")
    parsers: int = Field(4, ge=1, description="Documents that one process reads at a time while some of them are slow.")
    parser_memory_mb: int = Field(1024, ge=256, description="Memory that reading one document may take, megabytes.")
    parser_seconds: int = Field(60, ge=1, description="Time that reading one document may take, seconds.")

    feed_entry_days: int = Field(
        90, ge=1, description="Time for which an entry is known that its feed lists no more, days."
    )

    metadata_lookup: bool = Field(
        False,
        description="Ask doi.org and arXiv for what a paper with a DOI or an arXiv identifier does not say of itself.",
    )
    doi_url: str = Field("https://doi.org", description="Where DOIs are resolved.")
    arxiv_url: str = Field("https://export.arxiv.org/api/query", description="The API of arXiv.")

    mode: Literal["embedded", "compose"] | None = Field(
        None,
        description="How `make up` runs Pharos; unset: as it did before, and at first in containers where an engine"
        " answers.",
    )
    size: Literal["full", "small"] | None = Field(
        None, description="Limits of the containers; unset: `small` with less than 4 processors or 16 GB."
    )
    servers_host: str | None = Field(
        None,
        description="Private address at which workers on other machines reach the containers of PostgreSQL and Redis;"
        " unset: they are reached by the containers beside them only.",
    )
    tasks: Literal["queue", "inline"] = Field("queue", description="`inline` runs tasks in the emitting process.")
    workers: int = Field(2, ge=1, description="Worker processes that `make up` starts.")
    worker_concurrency: int = Field(32, ge=1, description="Tasks that one worker process runs at a time.")
    workers_max: int | None = Field(
        None,
        ge=1,
        description="Worker processes that are started at most when work piles up; unset: `workers`, always.",
    )
    worker_tasks: int = Field(1000, ge=0, description="Tasks after which a worker process is replaced; 0: never.")
    worker_memory_mb: int = Field(
        512, ge=0, description="Memory above which a worker process is replaced, megabytes; 0: never."
    )
    worker_stuck: float = Field(
        120, gt=0, description="Time that something may stop a worker's event loop before it is ended, seconds."
    )
    supervisor: Path | None = Field(None, description="Socket of the supervisor, which sets it for its workers.")
    worker_grace: float = Field(8, ge=0, description="Time that running tasks get to end when a worker stops, seconds.")
    inference_socket: Path | None = Field(
        None, description="Socket of the model server; unset: `<home>/run/inference`."
    )

    quality_weights: Annotated[tuple[float, ...], NoDecode] = Field(
        (0.25, 0.25, 0.2, 0.15, 0.15),
        description="Shares of accuracy, completeness, consistency, timeliness, relevance in a resource's quality, by"
        " commas; they sum to 1.",
    )

    smtp_host: str | None = Field(
        None, description="Mail server that notifications are sent by; unset: none are sent by e-mail."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="How the way to the mail server is encrypted; `tls`: from the first byte, mostly on port 465.",
    )
    smtp_user: str | None = Field(None, description="Name of the account at the mail server; unset: none is needed.")
    smtp_password: SecretStr | None = Field(None, description="Its password; never sent without encryption.")
    smtp_from: str | None = Field(
        None, description="Sender of e-mails, as `pharos@example.org` or `Pharos <pharos@example.org>`."
    )

    llm_url: str | None = Field(
        None,
        description="OpenAI-compatible server that writes quiz questions, as `https://host/v1`; unset: they are made by"
        " rules.",
    )
    llm_api_key: SecretStr | None = Field(None, description="Key that is sent to `llm_url`.")
    llm_model: str = Field("gpt-4o-mini", description="Model that is asked for at `llm_url`.")
    llm_seconds: float = Field(60, gt=0, description="Time that one answer of the model may take, seconds.")
    llm_retries: int = Field(2, ge=0, description="Further tries where the model's server is busy or breaks off.")
    llm_tokens_quiz: int = Field(60_000, ge=1000, description="Tokens that one quiz may cost at most.")
    llm_tokens_day: int = Field(1_000_000, ge=0, description="Tokens that all quizzes of a day (UTC) may cost at most.")
    search_quality: float = Field(
        0.02,
        ge=0,
        le=1,
        description="What a resource of the best quality gains in a search, and one of the worst loses, as a share of"
        " its score; 0: nothing.",
    )

    trash_days: int = Field(30, ge=1, description="Age at which what is in the trash is deleted for good, days.")
    events_kept_days: int = Field(90, ge=1, description="Age at which events are forgotten, days.")
    events_broadcast_kept: int = Field(
        50_000, ge=100, description="Events that a durable reader beside Pharos may be behind; Redis keeps as many."
    )
    log_format: Literal["json", "console"] = Field("json", description="`console` is for people.")
    log_tasks: bool = Field(True, description="Log the begin and the end of each task.")
    log_requests: bool = Field(True, description="Log each request, but for those of probes and of static files.")

    alert_queue_seconds: float = Field(
        300, gt=0, description="Age of the oldest waiting task of a queue beyond which `/ready` warns, seconds."
    )
    alert_outbox_seconds: float = Field(
        30, gt=0, description="Age of the oldest event that was not carried on beyond which `/ready` is 503, seconds."
    )
    alert_worker_seconds: float = Field(
        300, gt=0, description="Time for which `/ready` warns of a worker that was lost, seconds."
    )
    alert_pool_percent: float = Field(
        90, gt=0, le=100, description="Share of a process's connections in use beyond which `/ready` warns, percent."
    )
    alert_schedule_seconds: float = Field(
        60, gt=0, description="Lateness of a line of the timetable beyond which `/ready` warns, seconds."
    )
    alert_disk_percent: float = Field(
        90, gt=0, le=100, description="Share of a disk in use beyond which `/ready` warns, percent."
    )
    alert_backup_hours: float = Field(
        36, gt=0, description="Age of the last backup beyond which `/ready` warns, where there should be any, hours."
    )

    backup_folder: Path | None = Field(
        None, description="Folder for a backup each night, of the web process; unset: none is made."
    )
    backup_kept: int = Field(7, ge=1, description="Nightly backups that are kept; older ones are deleted.")

    @field_validator("egress_allow", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> "Settings":
        if self.smtp_password is not None and self.smtp_tls == "none":
            raise ValueError("PHAROS_SMTP_PASSWORD would be sent unencrypted: PHAROS_SMTP_TLS must be starttls or tls")
        return self

    @field_validator("smtp_from")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not parseaddr(value)[1].rpartition("@")[2]:
            raise ValueError("PHAROS_SMTP_FROM is an address, as pharos@example.org or Pharos <pharos@example.org>")
        return value

    @field_validator("quality_weights", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value

    @field_validator("quality_weights")
    @classmethod
    def _sum_to_1(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) != 5 or not all(weight >= 0 for weight in value) or not abs(sum(value) - 1) < 1e-6:
            raise ValueError(
                "PHAROS_QUALITY_WEIGHTS takes five numbers of at least 0 that sum to 1, as 0.25,0.25,0.2,0.15,0.15;"
                f" these are {len(value)}, and sum to {sum(value):g}"
            )
        return value


@cache
def settings() -> Settings:
    """Return the configuration of this process; `settings.cache_clear()` makes the next call read it again."""
    return Settings()  # pyright: ignore[reportCallIssue]
