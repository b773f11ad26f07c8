"""kombu's Redis transport, made to survive a Redis that goes away while jobs run.

kombu 5.7 ends the worker then, by an AttributeError on a channel that was closed: when it puts back what wasn't
acknowledged, through the connection that has just broken, and when a job that ends later acknowledges its message. Both
are needless for messages that only say that there is work: the reaper publishes what is missing, and the visibility
timeout takes care of what was never acknowledged.
"""

from kombu.transport import redis


class Channel(redis.Channel):
    """Puts nothing back when it closes, and lets go of what it delivered before."""

    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledges a message, unless the connection that brought it is gone."""
        if not self.closed:
            super().basic_ack(delivery_tag, multiple)  # type: ignore[no-untyped-call]  # kombu ships no types


class Transport(redis.Transport):
    """What the worker's `broker_transport` names."""

    Channel = Channel
