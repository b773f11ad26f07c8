import pytest

from riffusion.requests import title, untitled


@pytest.mark.parametrize(
    ("request_data", "words"),
    [
        ({"mode": "text-to-audio", "prompt": "church bells"}, "church bells"),
        ({"mode": "text-to-audio", "prompt": " \u202e "}, "A clip"),
        ({"mode": "interpolate", "start": {"prompt": "a"}, "end": {"prompt": "b"}}, "a → b"),
        ({"mode": "interpolate", "start": {"prompt": ""}, "end": {"prompt": ""}}, "A clip"),
        ({"mode": "crossfade", "start": {"prompt": ""}, "end": {"prompt": ""}}, "A crossfade"),
        ({"mode": "loop", "prompt": "", "lora": {"prompt": 1.0}}, "A loop"),
        ({"mode": "image-to-audio"}, "A drawing"),
        ({"mode": "audio-to-image"}, "A sound"),
        ({"mode": "of-the-next-version"}, "A clip"),
    ],
)
def test_a_title_is_the_prompt_or_those_of_both_ends(request_data: dict[str, object], words: str) -> None:
    assert (title(request_data) or untitled(str(request_data["mode"]))) == words
