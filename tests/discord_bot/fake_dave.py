"""The end-to-end encryption of Discord's calls (DAVE 1.1), as far as a call of the bot and one listener needs it.

The voice server never sees keys: as MLS's external sender it proposes members, and passes on what they send each other.
The listener's half is davey's, which discord.py uses for the bot's.
Sources: Discord's whitepaper at daveprotocol.com; RFC 9420, sections 2.1.2, 6 and 12.1.
"""

import struct

import davey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VERSION = 1
MLS_10, PUBLIC_MESSAGE, EXTERNAL, PROPOSAL, ADD, BASIC = 1, 1, 2, 2, 1, 1
APPEND = 0
MAGIC = b"\xfa\xfa"  # the end of each encrypted packet


class FakeDave:
    """The voice server's part in one group, and the listener in it.

    Args:
        bot: the bot's user id.
        listener: another member's.
        channel: the voice channel, which names the group.
    """

    def __init__(self, bot: int, listener: int, channel: int) -> None:
        self._bot = bot
        self._channel = channel
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._listener = davey.DaveSession(VERSION, listener, channel)
        self._listener.set_external_sender(self.external_sender)

    @property
    def external_sender(self) -> bytes:
        """What opcode 25 has: the key by which the server's proposals are verified."""
        public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return _vector(public) + struct.pack(">H", BASIC) + _vector(b"fake")

    def proposals(self) -> bytes:
        """What opcode 27 has: the proposal to add the listener to the bot's group."""
        add = struct.pack(">H", ADD) + self._listener.get_serialized_key_package()
        content = _vector(struct.pack(">Q", self._channel)) + struct.pack(">QBI", 0, EXTERNAL, 0) + _vector(b"")
        message = struct.pack(">HH", MLS_10, PUBLIC_MESSAGE) + content + bytes([PROPOSAL]) + add
        signed = _vector(b"MLS 1.0 FramedContentTBS") + _vector(message)
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return bytes([APPEND]) + _vector(message + _vector(signature))

    def commit(self, commit_and_welcome: bytes) -> bytes:
        """Lets the listener in by the bot's welcome of opcode 28, and returns the commit, which opcode 29 has."""
        starts = range(len(commit_and_welcome))
        start = next(at for at in starts if _is_welcome(commit_and_welcome[at:]))
        self._listener.process_welcome(commit_and_welcome[start:])
        assert self._listener.ready
        return commit_and_welcome[:start]

    def decrypt(self, packet: bytes) -> bytes:
        """A packet of the bot's as the listener decrypts it."""
        return bytes(self._listener.decrypt(self._bot, davey.MediaType.audio, packet))


def _vector(content: bytes) -> bytes:
    """With its length before it."""
    size = len(content)
    return (bytes([size]) if size < 1 << 6 else struct.pack(">H", size | 1 << 14)) + content


def _is_welcome(data: bytes) -> bool:
    """Whether this is a whole Welcome: the cipher suite and two vectors, and nothing after them."""
    if not data.startswith(b"\x00\x02"):
        return False
    at = 2
    for _ in range(2):
        if at + 2 > len(data) or data[at] >> 6 > 1:
            return False
        long = data[at] >> 6
        size = struct.unpack_from(">H", data, at)[0] & 0x3FFF if long else data[at]
        at += 1 + long + size
    return at == len(data)
