import pytest

from riffusion.generate import modes
from riffusion.requests import MODES


def test_every_mode_has_a_maker() -> None:
    assert all(callable(modes.maker_of(mode)) for mode in MODES)


@pytest.mark.parametrize(("asked_for", "lone"), [(MODES[1:], "text_to_audio"), ((*MODES, int), "builtins")])
def test_what_is_only_asked_for_or_only_made_is_named(
    asked_for: tuple[type, ...], lone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "MODES", asked_for)
    with pytest.raises(TypeError, match=f"has: {lone}$"):
        modes._module_names()
