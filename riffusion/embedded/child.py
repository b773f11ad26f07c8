"""Child processes that end with their parent."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STDERR = 2

Process = subprocess.Popen[bytes]


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    output: IO[bytes] | int | None = None,
    pass_fds: Sequence[int] = (),
) -> Process:
    """Starts a program in a session of its own, so that a terminal's Ctrl-C reaches only the parent, which then stops
    its children in order. Only its user can read the files that it creates.

    On Linux the kernel kills it when the parent dies, even by SIGKILL; on other systems it survives that one case.

    Args:
        stdin: what it reads from standard input, before the end of file.
        output: where standard output and error go; None is the parent's standard error.
    """
    process = subprocess.Popen(  # noqa: S603 -- the callers name the programs; nothing comes from a request
        list(argv),
        env=None if env is None else dict(env),
        stdin=subprocess.PIPE,
        stdout=STDERR if output is None else output,
        stderr=subprocess.STDOUT,
        pass_fds=tuple(pass_fds),
        start_new_session=True,
        umask=0o077,
        preexec_fn=_die_with_parent(),  # noqa: PLW1509 -- it only makes two system calls, through a library loaded before
    )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(stdin)
    return process


def stop(process: Process, grace_s: float) -> int:
    """Sends SIGTERM and, after the grace, kills the process and those that it started.

    Returns:
        Its exit status; a negative one is the signal that ended it.
    """
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            kill(process)
    return process.wait()


def kill(process: Process) -> None:
    """Kills the process and those that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # a session's leader leads its process group, too


def _die_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return ask_kernel
