"""The client's types are those of the API."""

from tools.make_client_types import WRITTEN, declarations, document


def test_they_are_up_to_date() -> None:
    assert WRITTEN.read_text() == declarations(document()), "run python -m tools.make_client_types"
