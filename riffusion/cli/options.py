"""The command line's form of a request, derived from the request's model: both accept the same.

A required prompt is an argument, every other field an option; a reference is a file of this machine or the name of a
built-in seed image. A mode without a prompt takes its file as the argument.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from riffusion.requests import AnyRequest, Kind, parse, reference_fields
from riffusion.requests.fields import nested_model, parts_of

# By the command, the settings, the output's name, a JSON file, and not at all.
SET_ELSEWHERE = ("mode", "model", "format", "fresh", "webhook")


def parameters(mode: type[AnyRequest]) -> list[click.Parameter]:
    """The command-line parameters of a mode."""
    return sorted(_parameters(mode), key=lambda parameter: isinstance(parameter, click.Option))


def _parameters(model: type[BaseModel], prefix: str = "") -> Iterator[click.Parameter]:
    references = reference_fields(model)
    for name, field in model.model_fields.items():
        inner = nested_model(field)
        if name in SET_ELSEWHERE:
            continue
        if name in references:
            positional = "prompt" not in model.model_fields and field.is_required()
            yield from _reference(prefix + name, references[name], field, positional=positional)
        elif name == "lora":
            yield _loras()
        elif inner is not None:
            yield from _parameters(inner, f"{prefix}{name}_")
        else:
            yield _scalar(name, field, prefix)


def build(mode: type[AnyRequest], values: Mapping[str, Any], **chosen: Any) -> tuple[AnyRequest, dict[str, bytes]]:
    """The request that the command line's values make, and its files by field.

    Args:
        chosen: fields that the command sets itself.

    Raises:
        InvalidRequest: naming each field out of range.
    """
    given = {name: value for name, value in values.items() if value is not None}
    inputs: dict[str, bytes] = {}
    return parse({"mode": mode.MODE, **chosen, **_data(mode, given, inputs)}), inputs


def _data(
    model: type[BaseModel], given: Mapping[str, Any], inputs: dict[str, bytes], parents: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields that are given, as JSON; what its references name is added to `inputs`."""
    data: dict[str, Any] = {}
    references = reference_fields(model)
    for name, field in model.model_fields.items():
        path = (*parents, name)
        key = "_".join(path)
        inner = nested_model(field)
        if references.get(name) is Kind.MASK and key not in given:
            box = {side: given[side] for side in ("seconds", "hertz") if side in given}
            if box or field.is_required():
                data[name] = box
        elif name in references and key in given:
            data[name] = _refer(".".join(path), given[key], inputs)
        elif inner is not None and name not in references:
            data[name] = _data(inner, given, inputs, path)
        elif key in given:
            data[name] = given[key]
    return data


def _refer(field: str, value: str, inputs: dict[str, bytes]) -> dict[str, str]:
    path = Path(value)
    if path.is_file():
        inputs[field] = path.read_bytes()
        return {"upload": hashlib.sha256(inputs[field]).hexdigest()}
    if path.suffix or len(path.parts) > 1:
        raise click.FileError(value, "There is no such file.")
    return {"seed_image": value}


def _reference(name: str, kind: Kind, field: FieldInfo, *, positional: bool) -> list[click.Parameter]:
    if positional:
        return [click.Argument([name], metavar="INPUT")]
    if kind is Kind.MASK:
        return [
            click.Option(
                ["--mask"], metavar="FILE|SEED", help="Picture whose white is painted, or its name; or a box:"
            ),
            click.Option(["--seconds"], type=float, nargs=2, default=None, help="From, to."),
            click.Option(["--hertz"], type=float, nargs=2, default=None, help="From, to."),
        ]
    what = "FILE" if kind is Kind.SOUND else "FILE|SEED"
    purpose = "Audio file." if kind is Kind.SOUND else "Picture, or a built-in seed image's name."
    option = f"--{name}".replace("_", "-")
    return [click.Option([option], required=field.is_required(), metavar=what, help=purpose)]


def _loras() -> click.Option:
    def weights(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, float] | None:
        try:
            return {name: float(weight or 1) for name, _, weight in (each.partition("=") for each in given)} or None
        except ValueError:
            raise click.BadParameter("Give NAME or NAME=WEIGHT.") from None

    purpose = "LoRA of the folder RIFFUSION_LORA_DIR, and how strong it is [1]; may be repeated."
    return click.Option(["--lora"], multiple=True, metavar="NAME[=WEIGHT]", callback=weights, help=purpose)


def _scalar(name: str, field: FieldInfo, prefix: str = "") -> click.Parameter:
    if name == "prompt" and field.is_required():
        return click.Argument([prefix + name])
    parts = list(parts_of(field))
    notes = [part.description for part in parts if isinstance(part, FieldInfo) and part.description]
    kind = next(part for part in parts if isinstance(part, type) or get_origin(part) is Literal)
    return click.Option(
        [f"--{prefix}{name}".replace("_", "-")],
        type=click.Choice(get_args(kind)) if get_origin(kind) is Literal else kind,
        default=None,  # left out of the request, so that the model's default holds
        help=" ".join(filter(None, [field.description, *notes, _default(field)])),
    )


def _default(field: FieldInfo) -> str:
    return f"[default: {field.default}]" if field.default not in (None, "") else ""
