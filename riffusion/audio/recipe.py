"""The request that made a file, kept in its tags: as JSON under the name `recipe`, and readably for players."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mutagen
from mutagen._vorbis import VCommentDict
from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TIT2, TXXX
from mutagen.mp3 import MP3
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from riffusion.errors import UnreadableMedia
from riffusion.requests import AudioFormat, plain, title
from riffusion.spectrogram.picture_file import PNG_SIGNATURE, RECIPE, read_png_recipe

_TITLE_CHARS = 120
_FILE_TYPES: dict[AudioFormat, type[mutagen.FileType]] = {"mp3": MP3, "wav": WAVE, "flac": FLAC, "ogg": OggVorbis}


def tag_audio(data: bytes, audio_format: AudioFormat, recipe: Mapping[str, Any]) -> bytes:
    """The audio file with title, comment (the prompt), seed, settings and the whole recipe in its tags."""
    file = io.BytesIO(data)
    tagged: Any = _FILE_TYPES[audio_format](file)
    if tagged.tags is None:
        tagged.add_tags()
    for name, text in _tags(recipe).items():
        if isinstance(tagged.tags, ID3):
            tagged.tags.add(_id3_frame(name, text))  # type: ignore[no-untyped-call]
        else:
            tagged.tags[name] = text
    file.seek(0)
    tagged.save(file)
    return file.getvalue()


def read_recipe(data: bytes | Path) -> dict[str, Any]:
    """The request that made a PNG or audio file of this project.

    Raises:
        UnreadableMedia: the file carries none, or is neither.
    """
    raw = data.read_bytes() if isinstance(data, Path) else data
    text = read_png_recipe(raw) if raw.startswith(PNG_SIGNATURE) else _audio_recipe(raw)
    try:
        recipe = json.loads(text)
    except ValueError:
        recipe = None
    if not isinstance(recipe, dict):
        raise UnreadableMedia("The file carries no recipe: only PNG and audio files made here do.")
    return recipe


def _audio_recipe(data: bytes) -> str:
    try:
        file: Any = mutagen.File(io.BytesIO(data))
    except (mutagen.MutagenError, EOFError):
        file = None
    tags: Any = None if file is None else file.tags
    if isinstance(tags, ID3):
        frames = tags.getall(f"TXXX:{RECIPE}")  # type: ignore[no-untyped-call]
        return str(frames[0]) if frames else ""
    return str(tags.as_dict().get(RECIPE, [""])[0]) if isinstance(tags, VCommentDict) else ""  # type: ignore[no-untyped-call]


def _tags(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Tags by name: what a player shows, and the whole recipe."""
    name = title(recipe) or str(recipe.get("mode", ""))
    hidden = ("mode", "prompt", "seed", "format")
    settings = ", ".join(
        f"{key} {value}" for key, value in recipe.items() if key not in hidden and value not in (None, "")
    )
    tags = {
        "title": name[:_TITLE_CHARS],
        "comment": plain(str(recipe.get("prompt") or name)),
        "seed": str(recipe.get("seed", "")),
        "settings": settings,
        RECIPE: json.dumps(recipe),
    }
    return {name: text for name, text in tags.items() if text}


def _id3_frame(name: str, text: str) -> Any:
    if name == "title":
        return TIT2(encoding=3, text=[text])  # type: ignore[no-untyped-call]
    if name == "comment":
        return COMM(encoding=3, lang="eng", desc="", text=[text])  # type: ignore[no-untyped-call]
    return TXXX(encoding=3, desc=name, text=[text])  # type: ignore[no-untyped-call]
