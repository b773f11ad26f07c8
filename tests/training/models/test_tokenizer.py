"""The tokenizer: takes any text, and opens from the files of CLIP's older readers."""

from pathlib import Path

from transformers import CLIPTokenizer

from riffusion.training.models.tokenizer import save_tokenizer, train_tokenizer

_TEXTS = ["funk bassline with a saxophone solo", "slow sad piano, 72 bpm", "techno 128 bpm"]


def test_common_words_become_one_token() -> None:
    assert train_tokenizer(_TEXTS * 10).tokenize("techno saxophone") == ["techno</w>", "saxophone</w>"]


def test_any_text_can_be_tokenized() -> None:
    tokenizer = train_tokenizer(_TEXTS)
    ids = tokenizer("Ünheard 漢字 zyzzyva!").input_ids
    assert tokenizer.unk_token_id not in ids[1:-1]


def test_opens_from_vocab_and_merges_alone(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(_TEXTS)
    save_tokenizer(tokenizer, tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    text = "funk saxophone at 128 bpm, ünheard"
    assert CLIPTokenizer.from_pretrained(tmp_path)(text).input_ids == tokenizer(text).input_ids
