"""The error tree: drawn, rooted, with codes that are unique and stable."""

import inspect

from riffusion import errors

EXCEPTIONS = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]
CLASSES = [cls for cls in EXCEPTIONS if issubclass(cls, errors.RiffusionError)]


def test_every_error_has_one_root_and_a_code_of_its_own() -> None:
    assert CLASSES == EXCEPTIONS
    codes = [cls.code for cls in CLASSES]
    assert len(codes) == len(set(codes))


def test_the_tree_is_drawn_in_the_module_docstring() -> None:
    drawing = errors.__doc__ or ""
    for cls in CLASSES:
        assert cls.__name__ in drawing
        if cls.__subclasses__() == []:
            line = next(line for line in drawing.splitlines() if f" {cls.__name__} " in f"{line} ")
            assert cls.code in line.split(), line


def test_an_invalid_request_names_its_fields() -> None:
    error = errors.InvalidRequest([{"field": "steps", "message": "too many"}, {"field": "", "message": "no object"}])
    assert str(error) == "steps: too many; body: no object"
