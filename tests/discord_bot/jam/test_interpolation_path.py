"""The path of a jam; the page's own is tested the same way."""

from itertools import pairwise

from riffusion.discord_bot.jam.interpolation_path import InterpolationPath


def test_it_leads_through_ever_new_seeds_of_a_prompt() -> None:
    path = InterpolationPath("funk")
    positions = [path.next() for _ in range(9)]
    assert [position.alpha for position in positions] == [0, 0.25, 0.5, 0.75, 1, 0.25, 0.5, 0.75, 1]
    assert positions[4].end == positions[5].start
    assert positions[5].end.seed != positions[5].start.seed
    assert {prompt for position in positions for prompt in position.prompts} == {"funk"}
    assert all(earlier.alpha < later.alpha or earlier.alpha == 1 for earlier, later in pairwise(positions))


def test_it_turns_from_the_nearer_end_of_what_is_heard() -> None:
    path = InterpolationPath("funk")
    positions = [path.next() for _ in range(5)]
    path.turn_to("bells", positions[1])
    turned = [path.next() for _ in range(5)]
    assert turned[0].start == positions[1].start
    assert [position.alpha for position in turned] == [0.75, 1, 0.25, 0.5, 0.75]
    assert [position.prompts for position in turned] == [["funk", "bells"]] + [["bells"]] * 4
    path.turn_to("drums", turned[3])
    assert path.next().start == turned[3].end


def test_it_turns_at_once_while_nothing_is_heard() -> None:
    path = InterpolationPath("funk")
    path.next()
    path.turn_to("bells", None)
    first = path.next()
    assert (first.alpha, first.prompts) == (0, ["bells"])
