"""A fake voice server of Discord's: its WebSocket, version 8, and the UDP port that takes the packets.

It enforces what Discord does: who connects has the session and the token that the gateway sent, can encrypt end to end,
and encrypts each packet with the connection's key. Packets are kept decrypted, in the order of their arrival.
"""

import asyncio
import itertools
import json
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import nacl.exceptions
import nacl.secret
from aiohttp import WSMsgType, web

from tests.discord_bot.fake_dave import MAGIC, VERSION, FakeDave

MODE = "aead_xchacha20_poly1305_rtpsize"
SILENCE = b"\xf8\xff\xfe"  # five such packets end each talk
LISTENER = 5000  # the user who decrypts
IDENTIFY, SELECT_PROTOCOL, HEARTBEAT, SPEAKING, RESUME, TRANSITION_READY = 0, 1, 3, 5, 7, 23
READY, SESSION_DESCRIPTION, HEARTBEAT_ACK, HELLO, RESUMED = 2, 4, 6, 8, 9
EXECUTE_TRANSITION = 22
EXTERNAL_SENDER, KEY_PACKAGE, PROPOSALS, COMMIT_WELCOME, ANNOUNCE_COMMIT = 25, 26, 27, 28, 29
AUTHENTICATION_FAILED, SESSION_INVALID, SERVER_CRASHED, DAVE_REQUIRED = 4004, 4006, 4015, 4017
TRANSITION = 1  # the id of the only one
DISCOVERY = 74  # bytes of a question for one's own address, and of the response
RTP_HEADER = 12

Dispatch = Callable[[str, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Packet:
    """A packet of 20 ms, decrypted."""

    at: float
    """Monotonic seconds."""
    sequence: int
    timestamp: int
    """In samples, as the sender counts them."""
    opus: bytes
    secret: bool
    """Whether it was encrypted end to end, which silence isn't."""


@dataclass
class FakeVoice(asyncio.DatagramProtocol):
    """A voice server for one bot in one channel at a time.

    Args:
        dispatch: sends an event of the bot's main gateway.
        guild: whose channels these are.
        bot: the bot's own state in them, without the channel.
    """

    dispatch: Dispatch
    guild: int
    bot: dict[str, Any]
    channel: int | None = None
    """Where the bot is."""
    packets: list[Packet] = field(default_factory=list)
    speaking: list[int] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    """How each began: "identify" or "resume"."""
    connected: int = 0
    """Connections now."""
    refuses: bool = False
    """Whether it lets no one in."""
    moves_first: bool = False
    """Whether the bot's next request finds that it has another voice server."""

    def __post_init__(self) -> None:
        self._ssrc = 4711
        self._key = self._former_key = b""
        self._session = self._token = ""
        self._socket: web.WebSocketResponse | None = None
        self._sessions, self._sequence = itertools.count(), itertools.count(1)
        self.endpoint = ""

    async def start(self, endpoint: str) -> None:
        """Listens on a free port for packets; `endpoint` is where `connect` is served."""
        self.endpoint = endpoint
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)  # none may be lost in a test
        udp.bind(("127.0.0.1", 0))
        self._port = udp.getsockname()[1]
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=udp)

    def stop(self) -> None:
        self._transport.close()

    @property
    def music(self) -> list[bytes]:
        """The Opus packets, without the silence that ends a talk."""
        return [packet.opus for packet in self.packets if packet.opus != SILENCE]

    # What the main gateway does

    async def update(self, wanted: dict[str, Any]) -> None:
        """The bot asks to join a channel, to change it or to leave."""
        before, self.channel = self.channel, int(wanted["channel_id"]) if wanted["channel_id"] else None
        if self.channel != before:
            self._session = f"session{next(self._sessions)}"
        if self.moves_first:
            self.moves_first = False
            await self.send_server()
        await self._send_state()
        if self.channel and self.channel != before and not self.refuses:
            await self.send_server()

    async def move(self, channel: int | None) -> None:
        """A moderator moves the bot to another channel, or throws it out."""
        self.channel = channel
        await self._send_state()

    async def send_server(self) -> None:
        """Sends where the voice server is: the bot then connects again."""
        self._token = os.urandom(8).hex()
        server = {"token": self._token, "guild_id": str(self.guild), "endpoint": self.endpoint}
        await self.dispatch("VOICE_SERVER_UPDATE", server)

    async def _send_state(self) -> None:
        channel = self.channel and str(self.channel)
        await self.dispatch("VOICE_STATE_UPDATE", {**self.bot, "channel_id": channel, "session_id": self._session})

    # The WebSocket

    async def hang_up(self, code: int) -> None:
        """Closes the bot's connection."""
        assert self._socket is not None
        await self._socket.close(code=code)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serves one connection."""
        ws = self._socket = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_json({"op": HELLO, "d": {"v": 8, "heartbeat_interval": 40_000}})
        self.connected += 1
        async for frame in ws:
            if frame.type == WSMsgType.BINARY:
                await self._received_of_dave(ws, frame.data[0], frame.data[1:])
            else:
                message = json.loads(frame.data)
                await self._received(ws, message["op"], message["d"])
        self.connected -= 1
        return ws

    async def _received_of_dave(self, ws: web.WebSocketResponse, op: int, data: bytes) -> None:
        if op == KEY_PACKAGE:
            assert self.channel is not None
            self._dave = FakeDave(int(self.bot["user_id"]), LISTENER, self.channel)
            await self._send_of_dave(ws, EXTERNAL_SENDER, self._dave.external_sender)
            await self._send_of_dave(ws, PROPOSALS, self._dave.proposals())
        elif op == COMMIT_WELCOME:
            transition = struct.pack(">H", TRANSITION)
            await self._send_of_dave(ws, ANNOUNCE_COMMIT, transition + self._dave.commit(data))

    async def _send_of_dave(self, ws: web.WebSocketResponse, op: int, data: bytes) -> None:
        await ws.send_bytes(struct.pack(">HB", next(self._sequence), op) + data)

    async def _received(self, ws: web.WebSocketResponse, op: int, data: Any) -> None:
        if op in (IDENTIFY, RESUME):
            if data["token"] != self._token:
                await ws.close(code=AUTHENTICATION_FAILED)
            elif data["session_id"] != self._session:
                await ws.close(code=SESSION_INVALID)
            elif op == IDENTIFY and data["max_dave_protocol_version"] < VERSION:
                await ws.close(code=DAVE_REQUIRED)
            elif op == RESUME:
                self.connections.append("resume")
                await ws.send_json({"op": RESUMED, "d": None})
                await self._describe(ws)  # discord.py takes the key for lost with the connection
            else:
                self.connections.append("identify")
                self._former_key, self._key = self._key, os.urandom(32)
                ready = {"ssrc": self._ssrc, "ip": "127.0.0.1", "port": self._port, "modes": [MODE]}
                await ws.send_json({"op": READY, "d": ready})
        elif op == SELECT_PROTOCOL:
            assert (data["protocol"], data["data"]["mode"]) == ("udp", MODE)
            await self._describe(ws)
        elif op == HEARTBEAT:
            await ws.send_json({"op": HEARTBEAT_ACK, "d": {"t": data["t"]}})
        elif op == TRANSITION_READY:
            await ws.send_json({"op": EXECUTE_TRANSITION, "d": {"transition_id": data["transition_id"]}})
        elif op == SPEAKING:
            assert data["ssrc"] == self._ssrc
            self.speaking.append(data["speaking"])
            self._transport.sendto(bytes(RTP_HEADER), self._address)  # a report on what it receives

    async def _describe(self, ws: web.WebSocketResponse) -> None:
        description = {"mode": MODE, "secret_key": list(self._key), "dave_protocol_version": VERSION}
        await ws.send_json({"op": SESSION_DESCRIPTION, "d": description})

    # The UDP port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Called by asyncio."""
        if len(data) == DISCOVERY and data[:4] == struct.pack(">HH", 1, DISCOVERY - 4):
            host, port = self._address = addr
            response = struct.pack(">HHI64sH", 2, DISCOVERY - 4, self._ssrc, host.encode(), port)
            self._transport.sendto(response, addr)
            return
        first, kind, sequence, timestamp, ssrc = struct.unpack(">BBHII", data[:RTP_HEADER])
        assert (first, kind, ssrc) == (0x80, 0x78, self._ssrc)
        try:
            frame = _decrypted(data, self._key)
        except nacl.exceptions.CryptoError:
            _decrypted(data, self._former_key)  # was on its way as the connection ended
            return
        secret = frame.endswith(MAGIC)
        opus = self._dave.decrypt(frame) if secret else frame
        self.packets.append(Packet(time.monotonic(), sequence, timestamp, opus, secret))


def _decrypted(packet: bytes, key: bytes) -> bytes:
    """What a packet carries. Raises CryptoError if it was encrypted with another key."""
    return nacl.secret.Aead(key).decrypt(packet[RTP_HEADER:-4], packet[:RTP_HEADER], packet[-4:] + bytes(20))
