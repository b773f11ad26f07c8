"""Every environment variable that the project reads, all with the prefix `RIFFUSION_`.

The README's table of settings has a row for each; a test compares the two.
"""

from functools import cache
from pathlib import Path
from pkgutil import iter_modules
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One process's settings, read from the environment when constructed."""

    model_config = SettingsConfigDict(env_prefix="RIFFUSION_", frozen=True, extra="ignore")

    # Where things are
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        description="Redis (or Valkey) that holds queue and records: `redis://`, `rediss://` for TLS, or "
        "`redis+sentinel://host:26379,host:26379/service/0`.",
    )
    redis_replicas: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Replicas of Redis that must have a job before the API responds with 202; 0 disables waiting.",
    )
    data_dir: Path = Field(default=Path("data"), description="Folder of the embedded stack and of local storage.")
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address under which clients reach the API; links are built from it.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs links to locally stored files. Left out, a random one is kept in the data folder.",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=8,
        description="Number of proxies in front of the API whose X-Forwarded-* headers are believed.",
    )

    # Access without a key
    anonymous: bool = Field(
        default=True,
        description="Whether jobs and uploads are accepted without an API key; `riffusion keys` makes keys.",
    )
    anonymous_creates_per_minute: int = Field(
        default=600,
        ge=0,
        description="Jobs and uploads that one address may create a minute without a key; 0: no limit.",
    )
    anonymous_jobs_in_flight: int = Field(
        default=500, ge=0, description="Jobs of one address that may wait or run at once without a key; 0: no limit."
    )
    anonymous_jobs_kept: int = Field(
        default=5000,
        ge=0,
        description="Records of one address's jobs that are kept at once without a key; 0: no limit.",
    )
    anonymous_request_bytes: int = Field(
        default=16 << 20, ge=0, description="Bytes that the requests of those records may take; 0: no limit."
    )
    anonymous_stored_bytes: int = Field(
        default=2 << 30,
        ge=0,
        description="Bytes of one address's uploads and results that are kept at once; 0: no limit.",
    )
    webhooks_anywhere: bool = Field(
        default=False,
        description="Whether webhooks may go to http:// and private addresses too, for development.",
    )
    key: SecretStr | None = Field(default=None, description="API key that `riffusion submit` and `batch` send.")

    # Storage
    storage: str = Field(default="local", description="Where results and uploads are kept: `local` or `s3`.")
    s3_endpoint: str | None = Field(default=None, description="S3 endpoint that API and workers use; none means AWS.")
    s3_public_endpoint: str | None = Field(
        default=None, description="S3 endpoint written into links, where clients reach it by another name."
    )
    s3_bucket: str = Field(default="riffusion", description="Bucket for results and uploads.")
    s3_prefix: str = Field(default="", description="Prefix of every key in the bucket.")
    s3_region: str = Field(default="us-east-1", description="Region used in signatures.")
    s3_access_key: SecretStr | None = Field(
        default=None, description="Access key; none means boto3's own credential chain."
    )
    s3_secret_key: SecretStr | None = Field(default=None, description="Secret key that belongs to the access key.")
    max_stored_bytes: int = Field(
        default=100 << 30,
        ge=0,
        description="Bytes of all uploads and results that are kept at once; 0: no limit.",
    )
    min_free_bytes: int = Field(
        default=1 << 30,
        ge=0,
        description="Free bytes to keep in reserve on the data folder's disk, so that Redis can keep writing.",
    )
    url_ttl_s: int = Field(
        default=3600, ge=60, le=604_800, description="Seconds for which a link to a file stays valid."
    )

    # Model
    model: str = Field(default="tiny", description="Model of this worker, and the default of requests that name none.")
    checkpoint: str = Field(
        default="bundled", description="`bundled`, a folder in diffusers format, or a hub id, for the model above."
    )
    checkpoint_revision: str | None = Field(default=None, description="Commit of the hub id, to pin the model to.")
    lora_dir: Path | None = Field(
        default=None,
        description="LoRAs that requests may name: files NAME.safetensors, or folders NAME as fine-tuning writes.",
    )
    seed_dir: Path | None = Field(
        default=None,
        description="Seed images and masks that requests may name beside the built-in ones, files NAME.png; API and "
        "workers need the same.",
    )
    device: str = Field(default="auto", description="`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.")
    compile: bool = Field(
        default=True, description="Compile the UNet at start, on CUDA: takes minutes, then steps are faster."
    )
    max_batch: int = Field(default=8, ge=1, le=64, description="Jobs that share one UNet call at most.")
    slots: int = Field(
        default=8, ge=1, le=256, description="Jobs a worker holds at once: in the batch, before it and after it."
    )

    # Jobs
    lease_s: float = Field(
        default=10, gt=0, description="Seconds without a heartbeat after which a running job is taken back."
    )
    max_attempts: int = Field(
        default=3, ge=1, le=10, description="Times a job is started before it fails as worker_lost."
    )
    max_queued: int = Field(default=1000, ge=1, description="Waiting jobs per model; beyond it, 503 queue_full.")
    degrade_queued: int | None = Field(
        default=None,
        ge=1,
        description="Waiting jobs per model from which new ones are made at quality fast; unset: never.",
    )
    waiting_deadline_s: float = Field(default=3600, gt=0, description="Seconds a job may wait.")
    running_deadline_s: float = Field(default=900, gt=0, description="Seconds a job may run, per attempt.")
    stalled_deadline_s: float = Field(default=180, gt=0, description="Seconds a running job may go without progress.")
    shutdown_grace_s: float = Field(
        default=900,
        ge=0,
        description="Seconds a worker that is asked to stop continues its running jobs before it returns them to the "
        "queue. `riffusion up` sets 5 s unless this is set.",
    )
    result_ttl_s: int = Field(
        default=86_400, ge=60, description="Seconds for which an ended job and its files are kept."
    )
    upload_ttl_s: int = Field(
        default=86_400, ge=60, description="Seconds for which an upload that no job uses is kept."
    )

    # Pages
    gallery: bool = Field(
        default=False,
        description="Whether `/gallery` shows published clips, of those only whose publisher has chosen to be listed.",
    )

    # Limits on input
    max_body_bytes: int = Field(default=1 << 20, ge=1024, description="Bytes of a JSON body.")
    max_upload_bytes: int = Field(default=100 << 20, ge=1024, description="Bytes of one upload.")
    max_audio_s: float = Field(default=600, gt=0, description="Seconds of one clip, uploaded or made.")

    # Interfaces of other servers
    run_inference_api: bool = Field(
        default=True,
        description="Whether `POST /run_inference/` serves clients of the original's server, such as riffusion-app.",
    )
    run_inference_quality: Literal["fast", "standard", "best"] = Field(
        default="fast",
        description="Quality of what it makes, whose steps are the most that a client gets: riffusion-app asks for 50.",
    )
    replicate_api: bool = Field(
        default=True, description="Whether `/v1/predictions` and what belongs to it serve clients of Replicate."
    )

    # Discord bot
    discord_token: SecretStr | None = Field(
        default=None, description="The bot's token, from Discord's developer portal."
    )
    discord_api_url: str = Field(
        default="http://127.0.0.1:8000", description="Address at which the bot reaches the API."
    )
    discord_api_key: SecretStr | None = Field(
        default=None, description="API key that the bot sends, where the API requires one."
    )
    discord_user_jobs: int = Field(
        default=2, ge=1, le=100, description="Jobs that one Discord user may have in flight."
    )
    discord_guild_jobs: int = Field(
        default=10, ge=1, le=1000, description="Jobs that one Discord server may have in flight."
    )
    discord_jams: int = Field(
        default=4, ge=0, le=100, description="Voice channels that the bot may jam in at the same time; 0 for none."
    )
    discord_blocked_words: str = Field(
        default="",
        description="Words and phrases that the bot accepts in no prompt, separated by commas; case doesn't matter.",
    )

    # Processes
    api_workers: int = Field(default=2, ge=1, le=64, description="Processes of the API.")
    api_connections: int = Field(
        default=4000,
        ge=2,
        le=60_000,
        description="Connections per API process; long-polls and event streams may hold half of them.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose pages may call the API from a browser, separated by spaces; `*` means all.",
    )
    worker_metrics_host: str = Field(default="127.0.0.1", description="Address of a worker's Prometheus metrics.")
    worker_metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="Port of a worker's Prometheus metrics; none: it serves none."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json: one object a line; console: text for people."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Base URL of an OpenTelemetry collector that takes traces by OTLP over HTTP, such as "
        "`http://collector:4318`; none: nothing is traced.",
    )
    trust_traceparent: bool = Field(
        default=False,
        description="Whether traces of callers without a key are continued, too, for an API that only your own "
        "services reach. Those of callers with a key always are.",
    )

    @field_validator("storage")
    @classmethod
    def _is_a_storage(cls, name: str) -> str:
        names = [module.name for module in iter_modules([str(Path(__file__).with_name("storage"))])]  # one per storage
        if name not in names:
            expected = " or ".join(repr(each) for each in names)
            raise PydanticCustomError("storage", "Input should be {expected}", {"expected": expected})
        return name


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
