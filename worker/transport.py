"""kombu's Redis transport without its books of what was delivered and not yet acknowledged.

Our messages only say that there is work, and the reaper publishes every second what is missing, so nothing depends on a
message once a worker has taken it. kombu would keep it in Redis, by the worker's own clock: a worker whose clock is an
hour ahead leaves messages behind for an hour. And where Redis goes away while jobs run, kombu 5.7 ends the worker, by
an AttributeError on a channel that was closed, when it puts back what wasn't acknowledged.
"""

from kombu.transport import redis


class Channel(redis.Channel):
    """Counts what it delivered in memory only, for the sake of back-pressure, and puts nothing back."""

    ack_emulation = False
    do_restore = False


class Transport(redis.Transport):
    """What the worker's `broker_transport` names."""

    Channel = Channel
