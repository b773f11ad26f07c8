"""What requests name from elsewhere."""

from typing import Any

import pytest

from riffusion.requests import JobResult, Kind, SeedImage, Upload, parse, reference_fields, references, shareable
from riffusion.requests.fields import Model
from riffusion.requests.modes.inpaint import Inpaint
from riffusion.requests.references import Clip, Picture
from tests.requests.examples import EXAMPLES, UPLOAD, refused

JOB = {"job": "j" * 22}


@pytest.mark.parametrize("init", [None, 3, {}, {"seed_image": "drums", "upload": "u" * 22}, {"file": "x"}])
def test_a_reference_is_one_of_its_kinds(init: object) -> None:
    assert refused({"mode": "riff", "prompt": "a", "init": init}) == {
        "init": "give an object with one of seed_image, upload, job"
    }


def test_a_reference_is_named_without_the_inside_of_the_union() -> None:
    assert set(refused({"mode": "riff", "prompt": "a", "init": {"seed_image": "../x"}})) == {"init.seed_image"}
    assert set(refused({**EXAMPLES["inpaint"], "mode": "inpaint", "mask": {"seconds": [0, "1"]}})) == {"mask.seconds.1"}


def test_a_mask_keeps_a_part_of_an_initial_picture() -> None:
    between = {"mode": "interpolate", **EXAMPLES["interpolate"], "mask": {"seed_image": "top"}}
    assert set(refused(between)) == {"mask"}
    assert references(parse({**between, "init": UPLOAD}))["mask"] == SeedImage(seed_image="top")


@pytest.mark.parametrize("mask", [{}, {"seconds": [2, 1]}, {"hertz": [5, 5]}])
def test_a_mask_box_has_an_inside(mask: dict[str, Any]) -> None:
    assert set(refused({**EXAMPLES["inpaint"], "mode": "inpaint", "mask": mask})) == {"mask"}


def test_references_are_found_by_field() -> None:
    inpaint = parse({"mode": "inpaint", "prompt": "a", "init": UPLOAD, "mask": {"upload": "m" * 22}})
    assert references(inpaint) == {"init": Upload(upload="u" * 22), "mask": Upload(upload="m" * 22)}


class Inner(Model):
    picture: Picture | None = None


class Outer(Model):
    clip: Clip
    inner: Inner


def test_fields_that_are_references_are_known_by_their_type() -> None:
    assert reference_fields(Inpaint) == {"init": Kind.PICTURE, "mask": Kind.MASK}
    assert reference_fields(Outer) == {"clip": Kind.SOUND, "inner.picture": Kind.PICTURE}


def test_references_are_found_in_nested_models() -> None:
    nested = Outer.model_validate({"clip": UPLOAD, "inner": {"picture": UPLOAD}})
    assert references(nested) == dict.fromkeys(["clip", "inner.picture"], Upload(**UPLOAD))
    assert references(Outer.model_validate({"clip": UPLOAD, "inner": {}})) == {"clip": Upload(**UPLOAD)}


def test_the_ends_of_a_crossfade_are_references() -> None:
    ends = {"start": {"init": UPLOAD}, "end": {"init": JOB}}
    crossfade = {"mode": "crossfade", **ends, "alpha": 0.5}
    assert references(parse(crossfade)) == {"start.init": Upload(**UPLOAD), "end.init": JobResult(**JOB)}
    assert shareable(crossfade) == {"mode": "crossfade", "start": {}, "end": {}, "alpha": 0.5}
    assert set(refused(crossfade | {"end": {"init": {"upload": "?"}}})) == {"end.init.upload"}
    assert set(refused(crossfade | {"end": {"init": {}}, "clips": 2})) == {"end.init"}


@pytest.mark.parametrize("private", [JOB, UPLOAD])
def test_what_is_shared_holds_no_ids(private: dict[str, str]) -> None:
    seed_image = {"seed_image": "drums"}
    shared = {"mode": "of-the-next-version", "start": {"prompt": "a"}, "init": seed_image, "lora": {"job": 1.0}}
    request = shared | {"start": {"prompt": "a", "init": private}, "mask": private, "fresh": True, "webhook": None}
    assert shareable(request) == shared
