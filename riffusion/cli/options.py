"""The command line's form of a request, read from the request's own model: what one accepts, the other does.

A required prompt is an argument, every other field an option; a reference is a file of this machine or the name of a
built-in seed image. A mode without a prompt takes its file as the argument.
"""

import hashlib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from riffusion.requests import AnyRequest, InterpolationEnd, parse
from riffusion.requests.references import REFERENCE_FIELDS

# By the command, the settings, the output's name, a JSON file, and not at all.
SET_ELSEWHERE = ("mode", "model", "format", "fresh", "webhook")


def parameters(model: type[BaseModel]) -> list[click.Parameter]:
    """The command-line parameters of a mode."""
    found: list[click.Parameter] = []
    for name, field in model.model_fields.items():
        if name in SET_ELSEWHERE:
            continue
        if name in REFERENCE_FIELDS:
            found += _reference(name, field, positional="prompt" not in model.model_fields and field.is_required())
        elif name == "lora":
            found.append(_loras())
        elif field.annotation is InterpolationEnd:
            found += [_scalar(part, child, f"{name}_") for part, child in InterpolationEnd.model_fields.items()]
        else:
            found.append(_scalar(name, field))
    return sorted(found, key=lambda parameter: isinstance(parameter, click.Option))


def build(model: type[BaseModel], values: Mapping[str, Any], **chosen: Any) -> tuple[AnyRequest, dict[str, bytes]]:
    """The request that the command line's values make, and its files by field.

    Args:
        chosen: fields that the command sets itself.

    Raises:
        InvalidRequest: naming each field out of range.
    """
    given = {name: value for name, value in values.items() if value is not None}
    data: dict[str, Any] = {"mode": model.model_fields["mode"].default, **chosen}
    inputs: dict[str, bytes] = {}
    for name, field in model.model_fields.items():
        if name == "mask" and name not in given:
            data[name] = {side: given[side] for side in ("seconds", "hertz") if side in given}
        elif name in REFERENCE_FIELDS and name in given:
            data[name] = _refer(name, given[name], inputs)
        elif field.annotation is InterpolationEnd:
            parts = InterpolationEnd.model_fields
            data[name] = {part: given[f"{name}_{part}"] for part in parts if f"{name}_{part}" in given}
        elif name in given:
            data[name] = given[name]
    return parse(data), inputs


def _refer(name: str, value: str, inputs: dict[str, bytes]) -> dict[str, str]:
    path = Path(value)
    if path.is_file():
        inputs[name] = path.read_bytes()
        return {"upload": hashlib.sha256(inputs[name]).hexdigest()}
    if path.suffix or len(path.parts) > 1:
        raise click.FileError(value, "there is no such file")
    return {"seed_image": value}


def _reference(name: str, field: FieldInfo, *, positional: bool) -> list[click.Parameter]:
    if positional:
        return [click.Argument([name], metavar="INPUT")]
    if name == "mask":
        return [
            click.Option(["--mask"], metavar="FILE", help="Picture whose white is painted anew; or a box:"),
            click.Option(["--seconds"], type=float, nargs=2, default=None, help="From, to."),
            click.Option(["--hertz"], type=float, nargs=2, default=None, help="From, to."),
        ]
    what = "FILE" if name == "clip" else "FILE|SEED"
    purpose = "Audio file." if name == "clip" else "Picture, or a built-in seed image's name."
    return [click.Option([f"--{name}"], required=field.is_required(), metavar=what, help=purpose)]


def _loras() -> click.Option:
    def weights(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, float] | None:
        try:
            return {name: float(weight or 1) for name, _, weight in (each.partition("=") for each in given)} or None
        except ValueError:
            raise click.BadParameter("give NAME or NAME=WEIGHT") from None

    purpose = "LoRA of the folder RIFFUSION_LORA_DIR, and how strong it is [1]; may be repeated."
    return click.Option(["--lora"], multiple=True, metavar="NAME[=WEIGHT]", callback=weights, help=purpose)


def _scalar(name: str, field: FieldInfo, prefix: str = "") -> click.Parameter:
    if name == "prompt" and field.is_required():
        return click.Argument([prefix + name])
    kind = _plain(field.annotation)
    return click.Option(
        [f"--{prefix}{name}".replace("_", "-")],
        type=click.Choice(get_args(kind)) if get_origin(kind) is Literal else kind,
        default=None,  # left out of the request, so that the model's default holds
        help=" ".join(filter(None, [field.description or _description(field.annotation), _default(field)])),
    )


def _default(field: FieldInfo) -> str:
    return f"[default: {field.default}]" if field.default not in (None, "") else ""


def _description(annotation: Any) -> str | None:
    """What an optional field's own type says of it."""
    for part in get_args(annotation):
        for note in getattr(part, "__metadata__", ()):
            if isinstance(note, FieldInfo) and note.description:
                return note.description
    return None


def _plain(annotation: Any) -> Any:
    """An annotation without Annotated and None: int, float, str or a Literal."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation
