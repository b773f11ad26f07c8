"""The JavaScript client's own tests, on node, against servers that misbehave as scripted."""

from pathlib import Path

from tests.web.test_javascript import node

UNIT = ("batch", "follow", "server-sent-events", "transport", "waiting", "webhooks")


def test_unit_tests() -> None:
    files = [str(Path(__file__).with_name(f"{name}.test.js")) for name in UNIT]
    assert "\n# fail 0\n" in node("--test", "--test-reporter=tap", *files)
