"""Signatures, against the example that Standard Webhooks' own libraries are tested with, and by our documentation."""

import re
import time
from pathlib import Path
from typing import Any

from riffusion.jobs.webhooks.signature import signed_headers

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_published_example() -> None:
    message_id, timestamp = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    assert signed_headers(message_id, timestamp, b'{"test": 2432232314}', SECRET) == {
        "webhook-id": message_id,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_the_documentation_says_checks_it() -> None:
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text().partition("## Webhooks")[2], re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 -- our own
    verify, now, body = names["verify"], int(time.time()), b'{"a": 1}'
    headers = signed_headers("job", now, body, SECRET)
    assert verify(headers, body, SECRET)
    assert verify({**headers, "webhook-signature": f"v1,old {headers['webhook-signature']}"}, body, SECRET)
    both = signed_headers("job", now, body, "whsec_" + "A" * 32, SECRET)
    assert verify(both, body, SECRET)
    assert verify(both, body, "whsec_" + "A" * 32)
    assert not verify(headers, b'{"a": 2}', SECRET)
    assert not verify({**headers, "webhook-id": "other"}, body, SECRET)
    assert not verify(headers, body, "whsec_" + "A" * 32)
    assert not verify(signed_headers("job", now - 3600, body, SECRET), body, SECRET)
