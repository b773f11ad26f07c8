"""All stages of training the bundled model, from an empty folder.

Each stage writes its result into the working folder and is skipped where it exists: a stopped run resumes at its stage.
"""

import functools
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from diffusers import AutoencoderKL, AutoencoderTiny, StableDiffusionPipeline
from tqdm import tqdm
from transformers import CLIPTextModel, CLIPTokenizer

from riffusion.diffusion.checkpoint import SMALL_DECODER, read_vocabulary
from riffusion.training.data.array_files import save_array, saved_array
from riffusion.training.data.captions import Stated, vocabulary, write_caption
from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.data.lexicon import model_vocabulary
from riffusion.training.models.ema import WeightAverage
from riffusion.training.models.small_decoder import new_small_decoder, small_decoder_of
from riffusion.training.models.text_encoder import (
    new_text_encoder,
    pretrain_text_encoder,
    token_ids,
    topic_targets,
    with_noise_words,
)
from riffusion.training.models.text_extension import extend_text_encoder
from riffusion.training.models.tokenizer import save_tokenizer, train_tokenizer
from riffusion.training.models.unet import new_unet, noise_schedule, unet_from
from riffusion.training.models.vae import encode, new_autoencoder, train_autoencoder
from riffusion.training.models.vae_decoder import Decoder, EncodedClips, decoder_of, train_decoder
from riffusion.training.runs.compiler import check_compiler
from riffusion.training.runs.export import assemble, export
from riffusion.training.runs.file_errors import file_errors
from riffusion.training.runs.text_lessons import KnownCaptions, text_lessons
from riffusion.training.runs.tiny_folder import DECODED, TinyRun
from riffusion.training.runs.trainer import Trainer, TrainingData, check_checkpoint, last_checkpoint, run

WORDINGS = 6  # captions per clip
_NOISE_WORDS = 0.15  # share of the captions with a random word in them
_TOKENIZER_CAPTIONS = 12_000
_AUTOENCODER_CLIPS = 2304


def train_tiny(job: TinyRun) -> None:
    """Runs all stages.

    Raises:
        SetupError: the last checkpoint of the UNet can't be read, or is of a later step than the last one.
        StorageUnavailable: a file can't be read or written.
        ToolMissing: FluidSynth, the soundfont or, where the UNet is compiled, what that needs isn't installed.
    """
    check_checkpoint(job.folder / "unet", job.trainer)
    if job.trainer.compiled:
        check_compiler()
    render_data(job)
    with file_errors(job.folder):
        make_text_encoder(job)
        make_autoencoder(job)
        make_latents(job)
        make_decoder(job)
        make_small_decoder(job)
        train_unet(job)


def render_data(job: TinyRun) -> None:
    """Composes and renders the training and held-out clips.

    Raises:
        StorageUnavailable: a file can't be read or written.
        ToolMissing: FluidSynth or the soundfont isn't installed.
    """
    with file_errors(job.folder):
        job.train_set.render(job.trainer.processes)
        job.held_out_set.render(job.trainer.processes)


def write_captions(clips: ComposedSet, *, noise_words: bool = False) -> list[list[tuple[str, Stated]]]:
    """The captions of every clip, with what they state."""
    result = []
    for index in range(clips.count):
        piece, wordings = clips.piece(index), []
        for wording in range(WORDINGS):
            rng = clips.caption_rng(index, wording)
            text, stated = write_caption(piece, rng)
            if noise_words and rng.random() < _NOISE_WORDS:
                text = with_noise_words(text, rng)
            wordings.append((text, stated))
        result.append(wordings)
    return result


def make_text_encoder(job: TinyRun) -> None:
    """Makes tokenizer and text encoder, or takes those of `start`; teaches the encoder the words that it lacks."""
    if job.part("text_encoder").exists():
        return
    if job.start:
        tokenizer = CLIPTokenizer.from_pretrained(job.start / "tokenizer")
        encoder = CLIPTextModel.from_pretrained(job.start / "text_encoder", dtype=torch.float32)
        known = read_vocabulary(job.start)
    else:
        captions = [wording for wordings in write_captions(job.train_set, noise_words=True) for wording in wordings]
        texts, stated = [text for text, _ in captions], [facts for _, facts in captions]
        tokenizer = train_tokenizer(texts[:_TOKENIZER_CAPTIONS])
        torch.manual_seed(job.seed)
        encoder = new_text_encoder(tokenizer)
        pretrain_text_encoder(encoder, token_ids(tokenizer, texts), topic_targets(stated), steps=job.text_steps)
        known = vocabulary()
    if known and known != model_vocabulary():
        captions = [wording for wordings in write_captions(job.train_set) for wording in wordings]
        lessons = text_lessons(tokenizer, captions, KnownCaptions(known), job.seed)
        extend_text_encoder(encoder, lessons, steps=job.extension_steps, seed=job.seed)
    save_tokenizer(tokenizer, job.part("tokenizer"))
    encoder.save_pretrained(job.part("text_encoder"))


def make_autoencoder(job: TinyRun) -> None:
    """Makes the autoencoder that encodes the latents, or copies that of `start`."""
    if job.part("vae").exists():
        return
    if job.start:
        vae = AutoencoderKL.from_pretrained(job.start / "vae", torch_dtype=torch.float32)
    else:
        torch.manual_seed(job.seed)
        vae = new_autoencoder()
        shards = range(0, job.train_set.shards, max(1, job.clips // _AUTOENCODER_CLIPS))
        pictures = np.concatenate([np.load(job.train_set.shard_path(shard)) for shard in shards])
        with tqdm(total=job.autoencoder_steps, desc="autoencoder") as bar:
            train_autoencoder(vae, pictures, job.autoencoder_steps, report=lambda _step, _loss: bar.update())
    vae.save_pretrained(job.part("vae"))


def make_latents(job: TinyRun) -> None:
    """Encodes the training clips in parallel, one file per shard."""
    missing = [shard for shard in range(job.train_set.shards) if saved_array(job.latents_path(shard)) is None]
    with ProcessPoolExecutor(job.trainer.processes, mp.get_context("spawn")) as pool:
        for _ in tqdm(pool.map(_encode_shard, repeat(job), missing), "latents", len(missing)):
            pass


@functools.cache
def _vae(folder: Path) -> AutoencoderKL:
    torch.set_num_threads(1)
    return AutoencoderKL.from_pretrained(folder).eval()


def _encode_shard(job: TinyRun, shard: int) -> None:
    path = job.latents_path(shard)
    save_array(path, encode(_vae(job.part("vae")), np.load(job.train_set.shard_path(shard))).half().numpy())


def make_decoder(job: TinyRun) -> None:
    """Trains the autoencoder's decoder further; an autoencoder of `start` is copied unchanged."""
    if job.part(DECODED).exists():
        return
    vae = AutoencoderKL.from_pretrained(job.part("vae"))
    if not job.start:
        _train_decoder(job, decoder_of(vae), list(zip(job.decoder_steps, (1e-3, 5e-4), strict=True)))
    vae.save_pretrained(job.part(DECODED))


def make_small_decoder(job: TinyRun) -> None:
    """Trains the small decoder for the same latents; that of `start`, if it has one, is copied unchanged."""
    if job.part(SMALL_DECODER).exists():
        return
    if job.start and (job.start / SMALL_DECODER).exists():
        small = AutoencoderTiny.from_pretrained(job.start / SMALL_DECODER, torch_dtype=torch.float32)
    else:
        torch.manual_seed(job.seed)
        small = new_small_decoder()
        _train_decoder(job, small_decoder_of(small), [(job.small_decoder_steps, 2e-3)])
    small.save_pretrained(job.part(SMALL_DECODER))


def _train_decoder(job: TinyRun, decoder: Decoder, parts: Sequence[tuple[int, float]]) -> None:
    """Trains it on the training clips, which are read as they are used.

    Args:
        parts: steps and peak learning rate of each part of the training; all but the first are with a discriminator.
    """
    shards = range(job.train_set.shards)
    clips = EncodedClips(
        [np.load(job.latents_path(shard), mmap_mode="r") for shard in shards],
        [np.load(job.train_set.shard_path(shard), mmap_mode="r") for shard in shards],
    )
    with tqdm(total=sum(steps for steps, _ in parts), desc="decoder") as bar:
        for n, (steps, rate) in enumerate(parts):
            train_decoder(decoder, clips, steps, rate=rate, adversarial=n > 0, seed=job.seed, report=bar.update)


def load_training_data(job: TinyRun) -> TrainingData:
    """All latents that have been encoded, in order, and the captions of their clips."""
    shards = [path for shard in range(job.train_set.shards) if (path := job.latents_path(shard)).exists()]
    latents = np.concatenate([np.load(path) for path in shards])
    tokenizer = CLIPTokenizer.from_pretrained(job.part("tokenizer"))
    captions = write_captions(replace(job.train_set, count=len(latents)))
    ids = token_ids(tokenizer, [text for wordings in captions for text, _ in wordings]).short()
    return TrainingData(latents, ids.view(len(latents), WORDINGS, -1), token_ids(tokenizer, [""])[0])


def train_unet(job: TinyRun) -> None:
    """Trains the UNet in the options' number of processes, from the last checkpoint if there is one."""
    rendezvous = job.folder / "unet" / f"meeting-{os.getpid()}"
    rendezvous.parent.mkdir(parents=True, exist_ok=True)
    try:
        mp.spawn(_train_process, (job, rendezvous), job.trainer.processes)  # type: ignore[attr-defined,no-untyped-call]
    finally:
        rendezvous.unlink(missing_ok=True)


def _train_process(rank: int, job: TinyRun, rendezvous: Path) -> None:
    """One process of the training, on CUDA where there is one; the processes find each other through a file."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=rendezvous.resolve().as_uri(), rank=rank, world_size=job.trainer.processes
    )
    torch.manual_seed(job.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    unet = unet_from(job.start / "unet") if job.start else new_unet()
    encoder = CLIPTextModel.from_pretrained(job.part("text_encoder"))
    modules: list[torch.nn.Module] = [unet, encoder]
    for module in modules:
        module.to(device)
    run(Trainer(unet, encoder, load_training_data(job), job.trainer, rank), job.folder / "unet")
    dist.destroy_process_group()


def averaged_pipeline(job: TinyRun) -> StableDiffusionPipeline:
    """The model with the UNet's averaged weights from the last checkpoint, in float32."""
    folder = job.folder / "unet"
    step = last_checkpoint(folder, job.trainer.processes)
    unet = new_unet().eval()
    average = WeightAverage(unet.parameters())
    average.load_state_dict(torch.load(folder / f"state-0-{step}.pt", weights_only=True, map_location="cpu")["average"])
    average.copy_to(unet.parameters())
    vae = AutoencoderKL.from_pretrained(job.part(DECODED)).eval()
    encoder = CLIPTextModel.from_pretrained(job.part("text_encoder")).train(False)
    return assemble(unet, vae, encoder, CLIPTokenizer.from_pretrained(job.part("tokenizer")), noise_schedule())


def export_tiny(job: TinyRun, folder: Path) -> None:
    """Exports the model with the averaged weights from the last checkpoint.

    Raises:
        StorageUnavailable: a file can't be read or written.
    """
    with file_errors(folder):
        export(averaged_pipeline(job), AutoencoderTiny.from_pretrained(job.part(SMALL_DECODER)), folder)
