"""Runs programs with limits on time, memory and output: those that read files from outside."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

# dash and bash count `ulimit -f` in 512-byte blocks under POSIX rules; -v isn't settable everywhere. `preexec_fn` would
# not be safe with threads. `nice`, because serving requests has priority.
_LIMITED = 'ulimit -t "$1"; ulimit -v "$2" 2>/dev/null; ulimit -f "$3"; ulimit -c 0; shift 3; exec nice -n 10 "$@"'


@dataclass(frozen=True)
class Limits:
    """What a process may use; beyond any of these it is killed."""

    cpu_s: int
    wall_s: float
    memory_bytes: int
    file_bytes: int
    """Of each file that it writes, and of each of its output streams."""


def run_limited(
    command: Sequence[str],
    limits: Limits,
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end under limits, with an environment of `env` alone; its output is captured.

    A negative return code is the signal that ended it, usually for a limit.

    Raises:
        subprocess.TimeoutExpired: it took longer than `limits.wall_s` and was killed.
    """
    numbers = (limits.cpu_s, limits.memory_bytes // 1024, limits.file_bytes // 512 + 1)
    # To files, where the limit applies: through a pipe, its output could fill this process's memory.
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
