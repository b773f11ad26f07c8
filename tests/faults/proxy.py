"""A TCP proxy that a test can turn into a bad network: a black hole, resets, delay, or a server that refuses."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from enum import Enum, auto

CHUNK = 1 << 16
LINGER_NONE = struct.pack("ii", 1, 0)  # close() sends RST


class Weather(Enum):
    """What happens to whatever is sent through the proxy."""

    FAIR = auto()
    BLACK_HOLE = auto()  # nothing arrives and nothing is refused; when it heals, what was sent arrives, as TCP has it
    RESET = auto()  # connections that send are reset
    REFUSE = auto()  # connections that send get `refusal`


class Proxy:
    """Forwards connections from `port` to `target`, on 127.0.0.1, in a thread of its own; `tls` ends there, if any."""

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._weather = Weather.FAIR
        self._delay_s = 0.0
        self._refusal = b""
        self._loop = asyncio.new_event_loop()
        self._clear = asyncio.Event()
        self._clear.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, name=f"proxy to {target}", daemon=True)
        self._thread.start()

    def fair(self) -> None:
        """Heals."""
        self._turn(Weather.FAIR)

    def black_hole(self) -> None:
        """Neither side hears of the other any more, nor that it has gone."""
        self._turn(Weather.BLACK_HOLE)

    def reset(self) -> None:
        """Cuts every connection, and each new one when something is sent."""
        self._turn(Weather.RESET)
        self.cut()

    def refuse(self, response: bytes) -> None:
        """Sends `response` in the place of the target, and closes."""
        self._refusal = response
        self._turn(Weather.REFUSE)

    def lead_to(self, target: int) -> None:
        """New connections go to another port; those there are stay where they are."""
        self._target = target

    def delay(self, seconds: float) -> None:
        """Everything takes so much longer, each way."""
        self._delay_s = seconds

    def cut(self) -> None:
        """Resets every connection there is now."""
        self._call(self._abort_all)

    def close(self) -> None:
        """Ends all of it."""
        self._call(self._loop.stop)
        self._thread.join()
        self._listener.close()

    def _turn(self, weather: Weather) -> None:
        def turn() -> None:
            self._weather = weather
            (self._clear.clear if weather is Weather.BLACK_HOLE else self._clear.set)()

        self._call(turn)

    def _call(self, what: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listener, ssl=self._tls))
        self._loop.run_forever()
        server.close()
        self._weather = Weather.RESET
        self._clear.set()
        self._abort_all()
        while rest := asyncio.all_tasks(self._loop):
            self._loop.run_until_complete(asyncio.wait(rest))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.ExitStack() as closing, contextlib.suppress(OSError):
            closing.callback(self._forget, writer)
            self._open.add(writer)
            await self._clear.wait()
            if writer.is_closing():
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            closing.callback(self._forget, far_writer)
            self._open.add(far_writer)
            there = asyncio.create_task(self._pump(reader, far_writer, writer))
            back = asyncio.create_task(self._pump(far_reader, writer, None))
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            for task in (there, back):
                task.cancel()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sender: asyncio.StreamWriter | None
    ) -> None:
        """Forwards what `reader` brings; `sender` is the client where it comes from one."""
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                await self._clear.wait()
                if sender is not None and self._weather is Weather.RESET:
                    _abort(sender)
                    return
                if sender is not None and self._weather is Weather.REFUSE:
                    sender.write(self._refusal)
                    await sender.drain()
                    await asyncio.sleep(0.05)  # closing at once would reset, should more be on its way
                    return
                writer.write(data)
                await writer.drain()
            await self._clear.wait()  # in a black hole neither side learns that the other has closed

    def _abort_all(self) -> None:
        for writer in tuple(self._open):
            _abort(writer)

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        self._open.discard(writer)
        writer.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")  # none, once a connection with TLS has ended
    with contextlib.suppress(OSError):
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    writer.transport.abort()
