"""The path of a jam through prompts and seeds: a few interpolated clips between one end and the next.

The page's jam takes the same path: `web/static/js/jam/interpolation-path.js`.
"""

import secrets
from dataclasses import dataclass

from riffusion.requests import MAX_SEED, InterpolationEnd

STEP = 0.25
TURN = 0.75  # nearer to the old prompt, the new one isn't heard


@dataclass(frozen=True)
class Position:
    """Between two ends; `alpha` is 0 at the start and 1 at the end."""

    start: InterpolationEnd
    end: InterpolationEnd
    alpha: float

    @property
    def prompts(self) -> list[str]:
        """The prompts that are heard, without repetition."""
        heard = [end.prompt for end, share in ((self.start, 1 - self.alpha), (self.end, self.alpha)) if share]
        return list(dict.fromkeys(heard))


class InterpolationPath:
    """Leads through ever new seeds of one prompt, or to another prompt."""

    def __init__(self, prompt: str) -> None:
        self._target = prompt
        self._from, self._to = _end(prompt), _end(prompt)
        self._alpha = 0.0

    def next(self) -> Position:
        """The next position. From its end the path continues to another seed of the same prompt."""
        position = Position(self._from, self._to, self._alpha)
        self._alpha += STEP
        if self._alpha > 1:
            self._from, self._to = self._to, _end(self._target)
            self._alpha = STEP
        return position

    def turn_to(self, prompt: str, playing: Position | None) -> None:
        """Turns to another prompt, from the end that is nearer to the position of the clip that is playing."""
        self._target = prompt
        if playing is None:
            self._from, self._alpha = _end(prompt), 0.0
        else:
            self._from, self._alpha = playing.start if playing.alpha < STEP * 2 else playing.end, TURN
        self._to = _end(prompt)


def _end(prompt: str) -> InterpolationEnd:
    return InterpolationEnd(prompt=prompt, seed=secrets.randbelow(MAX_SEED + 1))
