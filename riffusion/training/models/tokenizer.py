"""A small byte-level BPE vocabulary in CLIP's own form, learned from captions."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import CLIPTokenizer

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
MAX_TOKENS = 77
_WORD_END = "</w>"


def train_tokenizer(captions: Iterable[str], merges: int = 600) -> CLIPTokenizer:
    """Learns `merges` pairs. All bytes stay in the vocabulary, as in CLIP's, so that every text can be tokenized."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters = [*alphabet, *(letter + _WORD_END for letter in alphabet)]
    learner = CLIPTokenizer().backend_tokenizer
    trainer = BpeTrainer(
        vocab_size=len(letters) + merges,
        initial_alphabet=alphabet,
        end_of_word_suffix=_WORD_END,
        special_tokens=[AddedToken(BEGIN), AddedToken(END)],
        show_progress=False,
    )
    learner.train_from_iterator(captions, trainer)
    learned = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    # Base letters, then one token a merge, then the two special tokens: the order of CLIP's own vocabulary.
    tokens = [*letters, *("".join(pair) for pair in learned), BEGIN, END]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocab, merges=learned, model_max_length=MAX_TOKENS)  # type: ignore[arg-type]  # it takes pairs too


def save_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Writes the files of transformers, and the vocab.json and merges.txt of older readers."""
    tokenizer.save_pretrained(folder)
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False))
    pairs = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + pairs)
