"""All weights in one file with the names of the original Stable Diffusion, which other programs read.

The inverse of the renaming in diffusers' `from_single_file`. The original counts the UNet's blocks through: its first
convolution, then every residual block and downsampler, are the `input_blocks`; the residual blocks on the way up, the
last of a level with its upsampler, are the `output_blocks`. The autoencoder's attention is convolutions there. The text
encoder of Stable Diffusion 2.x is OpenCLIP's, with one matrix for queries, keys and values.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file
from torch import Tensor

_OPEN_CLIP_LAYERS = 23  # Stable Diffusion 2.x uses its last but one; the text encoder of 1.x has 12
_BLOCK = re.compile(
    r"(?P<coder>(?:en|de)coder\.)?(?P<side>down|mid|up)_block(?:s\.(?P<level>\d+))?"
    r"\.(?P<kind>resnets|attentions|downsamplers|upsamplers)\.(?P<index>\d+)\.(?P<layer>[\w.]+)\.(?P<weight>weight|bias)"
)
_UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN_CLIP = {
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.token_embedding": "token_embedding",
    "final_layer_norm": "ln_final",
    "encoder.layers": "transformer.resblocks",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn": "attn",
    "fc1": "c_fc",
    "fc2": "c_proj",
}


def save_single_file(pipeline: StableDiffusionPipeline, path: Path) -> None:
    """Writes the weights of UNet, autoencoder and text encoder in the precision that they have."""
    weights = {
        **original_unet(pipeline.unet.state_dict(), pipeline.unet.config.layers_per_block),
        **original_vae(pipeline.vae.state_dict()),
        **original_text_encoder(pipeline.text_encoder.state_dict(), pipeline.text_encoder.config.num_hidden_layers),
    }
    save_file({name: weight.cpu().contiguous() for name, weight in weights.items()}, path, metadata={"format": "pt"})


def original_unet(weights: Mapping[str, Tensor], layers_per_block: int) -> dict[str, Tensor]:
    """A UNet's weights under `model.diffusion_model.`."""
    attending = {
        block["level"]
        for name in weights
        if (block := _BLOCK.match(name)) and block["kind"] == "attentions" and block["side"] == "up"
    }
    count = layers_per_block + 1  # of a level's input blocks, and of its output blocks

    def rename(name: str) -> str:
        block = _BLOCK.fullmatch(name)
        if not block:
            layer, _, weight = name.rpartition(".")
            return f"{_UNET_ENDS[layer]}.{weight}"
        level, index, kind = int(block["level"] or 0), int(block["index"]), block["kind"]
        layer = _UNET_RESNET[block["layer"]] if kind == "resnets" else block["layer"]
        if block["side"] == "mid":
            place = f"middle_block.{2 * index + (kind == 'attentions')}"
        elif kind == "downsamplers":
            place, layer = f"input_blocks.{count * (level + 1)}.0", "op"
        elif kind == "upsamplers":
            place = f"output_blocks.{count * (level + 1) - 1}.{2 if block['level'] in attending else 1}"
        else:
            first = "input_blocks" if block["side"] == "down" else "output_blocks"
            number = count * level + index + (block["side"] == "down")
            place = f"{first}.{number}.{int(kind == 'attentions')}"
        return f"{place}.{layer}.{block['weight']}"

    return {f"model.diffusion_model.{rename(name)}": weight for name, weight in weights.items()}


def original_vae(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An autoencoder's weights under `first_stage_model.`, its levels counted from the full resolution."""
    last = max(int(block["level"] or 0) for name in weights if (block := _BLOCK.match(name)))

    def rename(name: str) -> str:
        block = _BLOCK.fullmatch(name)
        if not block:
            return name.replace("conv_norm_out", "norm_out")
        side, kind, index, layer = block["side"], block["kind"], int(block["index"]), block["layer"]
        if kind == "attentions":
            place, layer = "mid.attn_1", _VAE_ATTENTION[layer]
        elif side == "mid":
            place = f"mid.block_{index + 1}"
        else:
            level = int(block["level"]) if side == "down" else last - int(block["level"])
            place = f"{side}.{level}.block.{index}" if kind == "resnets" else f"{side}.{level}.{side}sample"
        return f"{block['coder']}{place}.{layer.replace('conv_shortcut', 'nin_shortcut')}.{block['weight']}"

    return {f"first_stage_model.{rename(name)}": _as_convolution(name, weight) for name, weight in weights.items()}


def _as_convolution(name: str, weight: Tensor) -> Tensor:
    """The matrix of an attention layer as the kernel [out, in, 1, 1]; everything else as it is."""
    return weight[:, :, None, None] if ".attentions." in name and weight.ndim == 2 else weight


def original_text_encoder(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """A text encoder's weights under `cond_stage_model.`, as CLIP's or, with 23 layers, as OpenCLIP's."""
    weights = {name.removeprefix("text_model."): weight for name, weight in weights.items()}
    if layers != _OPEN_CLIP_LAYERS:
        return {f"cond_stage_model.transformer.text_model.{name}": weight for name, weight in weights.items()}
    joined = {}
    for name, weight in weights.items():
        if ".k_proj." in name or ".v_proj." in name:
            continue
        if ".q_proj." in name:
            together = [weights[name.replace(".q_proj.", f".{letter}_proj.")] for letter in "qkv"]
            name, weight = name.replace(".q_proj.", ".in_proj_"), torch.cat(together)  # noqa: PLW2901
        for theirs, original in _OPEN_CLIP.items():
            name = name.replace(theirs, original)  # noqa: PLW2901
        joined[f"cond_stage_model.model.{name}"] = weight
    return joined
