"""Other people's files are looked at by processes that may take so much time, memory and disk, and no more."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

# dash and bash count `ulimit -f` in 512-byte blocks under POSIX rules; -v isn't settable everywhere. `preexec_fn` would
# not be safe among threads.
# Whoever serves requests goes before it.
_LIMITED = 'ulimit -t "$1"; ulimit -v "$2" 2>/dev/null; ulimit -f "$3"; ulimit -c 0; shift 3; exec nice -n 10 "$@"'


@dataclass(frozen=True)
class Limits:
    """What a process may take; past one of them it is killed."""

    cpu_s: int
    wall_s: float
    memory_bytes: int
    file_bytes: int  # of any one file that it writes, and of what it says


def run_limited(
    command: Sequence[str],
    limits: Limits,
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end under limits and in an environment of `env` alone; what it says is captured.

    A negative return code says which signal ended it: past a limit, usually.

    Raises:
        subprocess.TimeoutExpired: past `limits.wall_s`; it has been killed.
    """
    numbers = (limits.cpu_s, limits.memory_bytes // 1024, limits.file_bytes // 512 + 1)
    # Into files, where the limit holds: a pipe would fill our own memory with whatever it has to say.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        done = subprocess.run(  # noqa: S603  fixed programs; the files that they read are the only foreign thing
            ["/bin/sh", "-c", _LIMITED, "sh", *map(str, numbers), *command],
            stdin=stdin,
            stdout=output,
            stderr=errors,
            pass_fds=tuple(pass_fds),
            timeout=limits.wall_s,
            env={"PATH": os.defpath, "LC_ALL": "C"} | (env or {}),
            check=False,
        )
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read(), errors.read())
