"""A mode says all that is asked of it, or it can't be imported."""

from operator import attrgetter
from types import ModuleType
from typing import Any, ClassVar, Literal

import pytest

from riffusion.requests import MODES, AnyRequest, Painted, parse, reference_fields
from riffusion.requests.base import AsWideAsItsInput, Prompted
from riffusion.requests.modes import _model_of
from riffusion.requests.modes.extend import Extend
from tests.requests.examples import EXAMPLES

COMPLETE: dict[str, Any] = {name: value for name, value in vars(Extend).items() if name in (
    "SCHEMA", "PURPOSE", "EXAMPLE", "AT_ONCE", "length_field", "columns", "work",
)}  # fmt: skip


def define(parts: dict[str, Any], base: type[Any] = Prompted) -> type[AnyRequest]:
    """A mode with these parts."""
    annotations = {name: ClassVar for name in parts if name.isupper()} | {"mode": Literal["extra"]}
    body = {"__module__": "modes.extra", "__annotations__": annotations, "mode": "extra", **parts}
    return type("Extra", (base,), body)


def test_a_mode_that_says_all_is_a_mode() -> None:
    mode = define(COMPLETE)
    assert (mode.MODE, mode.COMMAND) == ("extra", "extra")


@pytest.mark.parametrize("part", COMPLETE)
def test_a_mode_without_a_part_is_refused_by_its_name(part: str) -> None:
    with pytest.raises(TypeError, match=f"modes.extra.Extra lacks {part}"):
        define({name: value for name, value in COMPLETE.items() if name != part})


def test_a_mode_as_wide_as_its_input_names_the_input() -> None:
    parts = {name: COMPLETE[name] for name in ("SCHEMA", "PURPOSE", "EXAMPLE", "work")}
    assert define(parts | {"INPUT": "init"}, AsWideAsItsInput).MODE == "extra"
    with pytest.raises(TypeError, match=r"Extra lacks INPUT$"):
        define(parts, AsWideAsItsInput)


@pytest.mark.parametrize("name", ["modes.none", "modes.eleventh"])
def test_a_module_holds_the_mode_of_its_name(name: str) -> None:
    module = ModuleType(name)
    if name == "modes.eleventh":
        vars(module)["Tenth"] = define(COMPLETE | {"__module__": name})
    with pytest.raises(TypeError, match=f"{name} must define exactly one mode"):
        _model_of(module)


def test_examples_are_requests() -> None:
    for name, example in EXAMPLES.items():
        assert name == parse({"mode": name, **example}).MODE


@pytest.mark.parametrize("mode", MODES, ids=EXAMPLES)
def test_the_fields_that_a_mode_names_are_its_own(mode: type[AnyRequest]) -> None:
    request = parse({"mode": mode.MODE, **mode.EXAMPLE})
    attrgetter(request.length_field)(request)  # raises AttributeError where there is no such field
    if issubclass(mode, Painted):
        assert set(mode.AT_ONCE) <= reference_fields(mode).keys()


def test_modes_are_listed_in_the_order_in_which_people_need_them() -> None:
    assert [mode.COMMAND for mode in MODES][:3] == ["generate", "riff", "interpolate"]
    assert len({mode.COMMAND for mode in MODES}) == len(MODES)
