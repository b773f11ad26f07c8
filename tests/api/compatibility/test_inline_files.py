"""The limit of responses with files in them."""

from api.compatibility.inline_files import InlineFiles


def test_no_client_has_all_places() -> None:
    files = InlineFiles(limit=3, each=2)
    assert [files.enter("a") for _ in range(3)] == [True, True, False]
    assert [files.enter("b") for _ in range(2)] == [True, False]
    files.leave("a")
    assert files.enter("b")
