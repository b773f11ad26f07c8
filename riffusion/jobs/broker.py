"""The Celery app on the job store's Redis, without kombu's record of messages delivered and not yet acknowledged.

Our messages only say that there is work, and the reaper publishes every second those that are missing, so nothing
depends on a message once a worker has received it. kombu would keep it in Redis, by the worker's own clock: a worker
whose clock is an hour ahead leaves messages behind for an hour. And where Redis goes away while jobs run, kombu 5.7
ends the worker, by an AttributeError on a closed channel, when it restores what wasn't acknowledged.
"""

from typing import Any

from celery import Celery
from kombu.transport import redis

from riffusion.jobs.connections import Pool, open_pool
from riffusion.jobs.redis_url import read_url
from riffusion.settings import Settings


class Channel(redis.Channel):
    """Connects as the job store does. Counts deliveries in memory only, for back-pressure, and restores none."""

    ack_emulation = False
    do_restore = False
    redis_url = ""
    from_transport_options: Any = (*redis.Channel.from_transport_options, "redis_url")

    def _get_pool(self, asynchronous: bool = False) -> Pool:
        pool = open_pool(
            self.redis_url,
            self.max_connections,
            socket_timeout=self.socket_timeout,
            socket_connect_timeout=self.socket_connect_timeout,
            health_check_interval=self.health_check_interval,
        )
        self.keyprefix_fanout = self.keyprefix_fanout.format(db=pool.connection_kwargs.get("db", 0))
        if asynchronous:
            pool.connection_class = self._polled(pool.connection_class)
        return pool

    def _brpop_start(self, timeout: float | None = None) -> None:
        self.async_pool.follow()
        if self.client.connection.should_reconnect():
            self.client.connection.disconnect()  # kombu opens it again before its next turn
        else:
            super()._brpop_start(timeout)  # type: ignore[no-untyped-call]

    def _polled(self, connection_class: Any) -> Any:
        """A class of connections that notify kombu's event loop when they are closed."""
        channel = self

        class Polled(connection_class):  # type: ignore[misc]
            def disconnect(self, *args: Any, **options: Any) -> None:
                super().disconnect(*args, **options)
                if channel._registered:
                    channel._on_connection_disconnect(self)  # type: ignore[no-untyped-call]

        return Polled


class Transport(redis.Transport):
    """What `broker_transport` names. Celery's broker URL is only displayed: it has no credentials, and isn't parsed."""

    Channel = Channel
    can_parse_url = True

    def as_uri(self, uri: str, *_: object, **__: object) -> str:
        """The URL, which has no credentials to hide."""
        return uri


def create_celery(settings: Settings, options: dict[str, Any], **conf: Any) -> Celery:
    """A Celery app whose messages go through `settings.redis_url`.

    Args:
        options: of kombu's transport.
        conf: Celery's own settings.
    """
    shown = read_url(settings.redis_url).shown.replace("+", "-")  # a plus would name another transport
    app = Celery("riffusion", broker=shown, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        broker_transport="riffusion.jobs.broker:Transport",
        broker_transport_options={"redis_url": settings.redis_url, **options},
        **conf,
    )
    return app
