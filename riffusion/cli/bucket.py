"""`riffusion bucket`: the bucket of an S3 server of one's own, such as that of docker-compose.yml."""

import click

from riffusion.errors import StorageUnavailable
from riffusion.settings import get_settings


@click.command()
def bucket() -> None:
    """Makes the bucket RIFFUSION_S3_BUCKET, unless it is there."""
    from riffusion.storage.s3 import S3Storage

    settings = get_settings()
    if settings.storage != "s3":
        raise StorageUnavailable("Only S3 has buckets: set RIFFUSION_STORAGE=s3.")
    S3Storage(settings).make_bucket()
