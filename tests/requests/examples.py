"""A request of every mode."""

import pytest

from riffusion.errors import InvalidRequest
from riffusion.requests import MODES, parse

UPLOAD = {"upload": "u" * 22}
EXAMPLES = {mode.MODE: mode.EXAMPLE for mode in MODES}


def refused(data: object) -> dict[str, str]:
    """What is wrong with data that is no request, by field."""
    with pytest.raises(InvalidRequest) as caught:
        parse(data)
    return {field["field"]: field["message"] for field in caught.value.fields}
