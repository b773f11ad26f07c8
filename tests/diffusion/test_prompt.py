import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.prompt import MAX_WEIGHT, PromptEncoder, Weighted, parse_weights


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("", []),
        ("funk bass", [("funk bass", 1.0)]),
        ("funk (bass:1.5) solo", [("funk ", 1.0), ("bass", 1.5), (" solo", 1.0)]),
        ("(funk:0)", [("funk", 0.0)]),
        ("(a (b:0.5):1.2)", [("a ", 1.2), ("b", 0.6)]),
        ("(loud)", [("loud", 1.1)]),
        ("[quiet]", [("quiet", 1 / 1.1)]),
        ("(x:9)", [("x", MAX_WEIGHT)]),
        ("((x:0.5):9)", [("x", 1.0)]),
        (r"\(x:1.2\)", [("(x:1.2)", 1.0)]),
        (r"back\\slash \[b\]", [(r"back\slash [b]", 1.0)]),
        ("key: C(", [("key: C(", 1.0)]),
        ("smile :)", [("smile :)", 1.0)]),
        ("(x:-1)", [("x:-1", 1.1)]),
        ("[x:1.2)", [("[x:1.2)", 1.0)]),
    ],
)
def test_weights(prompt: str, pieces: list[tuple[str, float]]) -> None:
    found = parse_weights(prompt)
    assert [piece.text for piece in found] == [text for text, _ in pieces]
    assert [piece.weight for piece in found] == pytest.approx([weight for _, weight in pieces])


@given(st.text(alphabet="ab ()[]\\:.0129"))
def test_every_text_has_weights_in_range(prompt: str) -> None:
    assert all(0 <= piece.weight <= MAX_WEIGHT for piece in parse_weights(prompt))


def test_hostile_nesting_takes_linear_time() -> None:
    depth = 30_000  # in quadratic time, minutes
    assert parse_weights("(" * depth + "x" + ":1.0)" * depth) == [Weighted("x", 1.0)]
    assert len(parse_weights("(a" * depth)) == 1


def test_embeddings_to_be_combined_have_one_length(prompts: PromptEncoder) -> None:
    short, long, empty = prompts.encode("funk", "x " * 200, "")
    assert short.shape == long.shape == empty.shape == (4 * 77, 16)  # 200 tokens fill three chunks
    alone = prompts.encode("funk")[0]
    blank = prompts.encode("")[0]
    assert torch.equal(short[:77], alone)
    assert torch.equal(short[77:154], blank)


def test_weight_moves_words_between_absent_and_emphasised(prompts: PromptEncoder) -> None:
    plain, one, none, more, empty = prompts.encode("funk", "(funk:1)", "(funk:0)", "(funk:2)", "")
    words = slice(1, 5)  # a token a byte
    assert torch.equal(plain, one)
    assert torch.allclose(none[words], empty[words])
    assert torch.allclose(more[words] - empty[words], 2 * (plain[words] - empty[words]), atol=1e-5)


def test_the_cache_is_bounded_and_used(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = PromptEncoder(checkpoint, cache_bytes=3 * 77 * 16 * 4)
    calls: list[str] = []
    embed = encoder._embed

    def counted(prompt: str) -> Tensor:
        calls.append(prompt)
        return embed(prompt)

    monkeypatch.setattr(encoder, "_embed", counted)
    for prompt in ("a", "a", "b", "c", "d"):
        encoder.encode(prompt)
    assert calls.count("a") == 1
    assert encoder._cached <= encoder._cache_bytes
    encoder.encode("a")
    assert calls.count("a") == 2
