"""A stack of each test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import S3Server
from tests.faults.stack import Stack, running

MakeStack = Callable[..., Stack]


@pytest.fixture
def make_stack(tmp_path: Path, s3_server: S3Server) -> Iterator[MakeStack]:
    """Makes stacks with other settings than QUICK, Redis's command behind a prefix; stops them after the test."""
    with ExitStack() as stacks:
        yield lambda *prefix, **settings: stacks.enter_context(
            running(tmp_path / "stack", s3_server, prefix, **settings)
        )


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """A stack without a worker yet."""
    return make_stack()
