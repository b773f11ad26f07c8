"""A fake Discord: the REST routes and the gateway that discord.py uses for commands, buttons, dialogs and voice.

It enforces the rules that the bot depends on: an interaction has one reply, by its own token; a deferred reply becomes
a message when it is edited; a deleted message can't be edited.
"""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web
from discord import Permissions

from tests.discord_bot.fake_voice import FakeVoice

APPLICATION = 900
GUILD = 700
CHANNEL = 800
VOICE_CHANNEL, OTHER_VOICE_CHANNEL, STAGE = 801, 802, 803
TOKEN = "the-bot's-token"
FILE_LIMIT = 10 << 20
DEFERRED_REPLY, DEFERRED_UPDATE, MODAL = 5, 6, 9  # interaction callback types
EPHEMERAL = 64  # message flag
BUTTON, ATTACHMENT = 2, 11


def user(number: int, *, bot: bool = False) -> dict[str, Any]:
    return {"id": str(number), "username": f"user{number}", "discriminator": "0", "avatar": None, "bot": bot}


def member(number: int, *, bot: bool = False) -> dict[str, Any]:
    return {
        "user": user(number, bot=bot), "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False,
        "mute": False, "flags": 0, "permissions": "0",
    }  # fmt: skip


def voice_state(number: int, channel: int | None, *, bot: bool = False) -> dict[str, Any]:
    return {
        "guild_id": str(GUILD), "channel_id": channel and str(channel), "user_id": str(number), "session_id": "x",
        "member": member(number, bot=bot), "deaf": False, "mute": False, "self_deaf": False, "self_mute": False,
        "self_video": False, "suppress": False, "request_to_speak_timestamp": None,
    }  # fmt: skip


@dataclass
class Message:
    """A message of the bot's, as it is now."""

    id: int
    content: str = ""
    components: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    deleted: bool = False
    edits: list[tuple[float, dict[str, Any]]] = field(default_factory=list)  # when (monotonic), what was sent
    edited_through: list[str] = field(default_factory=list)  # "webhooks" (an interaction's token) or "channels"

    @property
    def buttons(self) -> dict[str, str]:
        """Label -> custom id."""
        return {item["label"]: item["custom_id"] for row in self.components for item in row["components"]}

    def change(self, payload: dict[str, Any], files: dict[str, bytes]) -> None:
        self.content = payload.get("content", self.content)
        self.components = payload.get("components", self.components)
        self.flags = payload.get("flags", self.flags)
        self.files = files if "attachments" in payload else self.files
        self.edits.append((time.monotonic(), payload))

    def json(self) -> dict[str, Any]:
        return {
            "id": str(self.id), "channel_id": str(CHANNEL), "type": 0, "content": self.content, "flags": self.flags,
            "author": user(APPLICATION), "components": self.components, "embeds": [], "attachments": [],
            "mentions": [], "mention_roles": [], "mention_everyone": False, "tts": False, "pinned": False,
            "timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None,
        }  # fmt: skip


@dataclass
class Asked:
    """One interaction, and how the bot replied to it."""

    id: int
    token: str
    on: Message | None  # whose button was pressed
    callback: dict[str, Any] | None = None
    original: Message | None = None  # the reply; of a button without one of its own, the message it is below
    followups: list[Message] = field(default_factory=list)

    @property
    def is_private(self) -> bool:
        """Whether only the person who asked sees the reply."""
        return bool(self.reply.flags & EPHEMERAL)

    @property
    def reply(self) -> Message:
        """The bot's reply."""
        assert self.original is not None, f"no reply: {self.callback}"
        return self.original


async def until(condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Waits for a condition, and fails the test if it takes too long."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.01)


class FakeDiscord:
    """The server that a bot connects to."""

    def __init__(self) -> None:
        self.asked: dict[str, Asked] = {}  # by token
        self.messages: dict[int, Message] = {}
        self.commands: list[dict[str, Any]] = []
        self.attachments: dict[str, bytes] = {}  # on its content network, by name
        self.hang_ups = 0  # uploads of files to be cut off
        self.permissions = Permissions(view_channel=True, connect=True, speak=True)  # the bot's, as everybody's
        self.voice = FakeVoice(self._dispatch, GUILD, voice_state(APPLICATION, None, bot=True))
        self._ids = itertools.count(10**18)
        self._gateway: web.WebSocketResponse | None = None
        self._sequence = itertools.count(1)

    async def start(self) -> None:
        """Listens on a free port."""
        app = web.Application(client_max_size=64 << 20)
        app.add_routes([
            web.get("/gateway/", self._connect),
            web.get("/", self.voice.connect),
            web.get("/cdn/{name}", self._attachment),
            web.get("/api/users/@me", self._me),
            web.get("/api/oauth2/applications/@me", self._application),
            web.put("/api/applications/{app}/commands", self._commands),
            web.post("/api/interactions/{id}/{token}/callback", self._callback),
            web.post("/api/webhooks/{app}/{token}", self._followup),
            web.get("/api/webhooks/{app}/{token}/messages/{message}", self._read),
            web.patch("/api/{through:webhooks}/{app}/{token}/messages/{message}", self._edit),
            web.delete("/api/webhooks/{app}/{token}/messages/{message}", self._delete),
            web.patch("/api/{through:channels}/{channel}/messages/{message}", self._edit),
        ])  # fmt: skip
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.address = f"127.0.0.1:{self._runner.addresses[0][1]}"
        await self.voice.start(self.address)

    async def stop(self) -> None:
        self.voice.stop()
        await self._runner.cleanup()

    # What users do

    async def join(self, number: int, channel: int | None = VOICE_CHANNEL, *, bot: bool = False) -> None:
        """Somebody joins a voice channel, or leaves theirs."""
        await self._dispatch("VOICE_STATE_UPDATE", voice_state(number, channel, bot=bot))

    async def command(self, name: str, *, by: int, **options: Any) -> Asked:
        """Sends a slash command and waits for the first reply to it."""
        kinds = {option["name"]: option["type"] for command in self.commands if command["name"] == name
                 for option in command["options"]}  # fmt: skip
        resolved = {}
        for option in [option for option, kind in kinds.items() if kind == ATTACHMENT and option in options]:
            file_id = str(next(self._ids))
            resolved = {"attachments": {file_id: {"id": file_id, **options[option]}}}
            options[option] = file_id
        data = {
            "id": "1", "name": name, "type": 1, "resolved": resolved,
            "options": [{"name": key, "type": kinds[key], "value": value} for key, value in options.items()],
        }  # fmt: skip
        return await self._interact(2, data, by)

    async def press(self, message: Message, label: str, *, by: int) -> Asked:
        """Presses a button and waits for the first reply."""
        data = {"custom_id": message.buttons[label], "component_type": BUTTON}
        return await self._interact(3, data, by, message)

    async def fill_in(self, dialog: Asked, value: str, *, by: int) -> Asked:
        """Sends the dialog that a button opened, with its one field filled in."""
        assert dialog.callback is not None
        assert dialog.callback["type"] == MODAL
        modal = dialog.callback["data"]
        [label] = modal["components"]
        filled = {"type": 18, "id": 1, "component": {**label["component"], "value": value}}
        data = {"custom_id": modal["custom_id"], "components": [filled]}
        return await self._interact(5, data, by, dialog.on)

    def attachment(self, name: str, content: bytes, content_type: str) -> dict[str, Any]:
        """A file to send with a command."""
        self.attachments[name] = content
        url = f"http://{self.address}/cdn/{name}"
        return {"filename": name, "size": len(content), "url": url, "proxy_url": url, "content_type": content_type}

    async def _interact(self, kind: int, data: dict[str, Any], by: int, on: Message | None = None) -> Asked:
        asked = Asked(next(self._ids), f"token{next(self._ids)}", on)
        self.asked[asked.token] = asked
        payload = {
            "id": str(asked.id), "token": asked.token, "type": kind, "data": data, "version": 1,
            "application_id": str(APPLICATION), "attachment_size_limit": FILE_LIMIT, "context": 0,
            "guild_id": str(GUILD), "guild": {"id": str(GUILD), "locale": "en-US", "features": []},
            "channel": {"id": str(CHANNEL), "type": 0, "name": "music", "position": 0},
            "member": member(by),
            **({"message": on.json()} if on else {}),
        }  # fmt: skip
        await self._dispatch("INTERACTION_CREATE", payload)
        await until(lambda: asked.callback)
        return asked

    # The gateway

    @property
    def connected(self) -> bool:
        """Whether a bot is connected."""
        return self._gateway is not None

    async def end_session(self) -> None:
        """Has the bot log in again, as after a failure of Discord's; its voice connection is lost with the session."""
        assert self._gateway is not None
        await self._gateway.send_json({"op": 9, "d": False})

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40_000}})
        async for frame in socket:
            message = json.loads(frame.data)
            if message["op"] == 1:
                await socket.send_json({"op": 11})
            elif message["op"] == 4:
                await self.voice.update(message["d"])
            elif message["op"] == 2:
                assert message["d"]["token"] == TOKEN
                self._gateway = socket
                await self._dispatch("READY", {
                    "v": 10, "user": user(APPLICATION), "guilds": [], "session_id": "session",
                    "resume_gateway_url": f"ws://{self.address}/gateway/",
                    "application": {"id": str(APPLICATION), "flags": 0},
                })  # fmt: skip
                await self._dispatch("GUILD_CREATE", self._guild())
        self._gateway = None
        return socket

    def _guild(self) -> dict[str, Any]:
        everyone = {
            "id": str(GUILD), "name": "@everyone", "permissions": str(self.permissions.value), "position": 0,
            "color": 0, "hoist": False, "managed": False, "mentionable": False,
        }  # fmt: skip
        kinds = {CHANNEL: 0, VOICE_CHANNEL: 2, OTHER_VOICE_CHANNEL: 2, STAGE: 13}
        channels: list[dict[str, Any]] = [
            {"id": str(number), "type": kind, "name": f"channel{number}", "position": 0, "permission_overwrites": [],
             "bitrate": 64_000, "user_limit": 2 if number == OTHER_VOICE_CHANNEL else 0}
            for number, kind in kinds.items()
        ]  # fmt: skip
        return {
            "id": str(GUILD), "name": "people", "owner_id": "1", "roles": [everyone], "channels": channels,
            "members": [member(APPLICATION, bot=True)], "voice_states": [], "threads": [], "emojis": [],
            "features": [], "member_count": 1, "preferred_locale": "en-US", "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0,
            "premium_tier": 0, "afk_timeout": 60,
        }  # fmt: skip

    async def _dispatch(self, event: str, data: dict[str, Any]) -> None:
        assert self._gateway is not None
        await self._gateway.send_json({"op": 0, "t": event, "s": next(self._sequence), "d": data})

    # The REST routes

    async def _me(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bot {TOKEN}"
        return _json(user(APPLICATION))

    async def _application(self, _request: web.Request) -> web.Response:
        return _json({
            "id": str(APPLICATION), "name": "riffusion", "description": "", "icon": None, "bot_public": True,
            "bot_require_code_grant": False, "owner": user(1), "verify_key": "",
        })  # fmt: skip

    async def _commands(self, request: web.Request) -> web.Response:
        self.commands = await request.json()
        return _json([{"id": "1", "application_id": str(APPLICATION), **each} for each in self.commands])

    async def _attachment(self, request: web.Request) -> web.Response:
        return web.Response(body=self.attachments[request.match_info["name"]])

    async def _callback(self, request: web.Request) -> web.Response:
        asked = self.asked[request.match_info["token"]]
        if asked.callback is not None:
            return _problem(400, 40060, "Interaction has already been acknowledged.")
        callback, files = await _body(request)
        if callback["type"] == DEFERRED_UPDATE:
            asked.original = asked.on
        elif callback["type"] != MODAL:
            asked.original = self._message(callback.get("data", {}), files)
        asked.callback = callback
        return _json({"interaction": {"id": str(asked.id), "type": 2}})

    async def _followup(self, request: web.Request) -> web.Response:
        message = self._message(*await _body(request))
        self.asked[request.match_info["token"]].followups.append(message)
        return _json(message.json())

    async def _read(self, request: web.Request) -> web.Response:
        message = self._find(request)
        return _json(message.json()) if message else _problem(404, 10008, "Unknown Message")

    async def _edit(self, request: web.Request) -> web.Response:
        payload, files = await _body(request)
        if files and self.hang_ups:
            self.hang_ups -= 1
            assert request.transport is not None
            request.transport.close()
        message = self._find(request)
        if message is None:
            return _problem(404, 10008, "Unknown Message")
        message.change(payload, files)
        message.edited_through.append(request.match_info["through"])
        return _json(message.json())

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._find(request)
        assert message is not None
        message.deleted = True
        return web.Response(status=204)

    def _message(self, payload: dict[str, Any], files: dict[str, bytes]) -> Message:
        message = Message(next(self._ids))
        message.change(payload, files)
        self.messages[message.id] = message
        return message

    def _find(self, request: web.Request) -> Message | None:
        wanted = request.match_info["message"]
        if wanted == "@original":
            message = self.asked[request.match_info["token"]].original
        else:
            message = self.messages.get(int(wanted))
        return None if message is None or message.deleted else message


def _json(data: object, status: int = 200) -> web.Response:
    # Without a charset, as Discord does: discord.py takes anything else for text.
    return web.Response(body=json.dumps(data).encode(), status=status, headers={"Content-Type": "application/json"})


def _problem(status: int, code: int, message: str) -> web.Response:
    return _json({"code": code, "message": message}, status=status)


async def _body(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The payload, and the files by name."""
    if request.content_type != "multipart/form-data":
        return await request.json(), {}
    payload: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        if part.name == "payload_json":
            payload = json.loads(await part.text())
        else:
            assert re.fullmatch(r"files\[\d\]", part.name or "")
            files[part.filename or ""] = bytes(await part.read())
    return payload, files
