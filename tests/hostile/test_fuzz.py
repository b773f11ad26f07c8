"""As many random requests as the check has time for; `make fuzz` sends 10 000."""

from tests.api.conftest import LiveServer
from tests.hostile.leaks import leak
from tests.hostile.random_requests import send_random_requests, violation_in

REQUESTS = 600


def test_random_requests_find_no_violation(live: LiveServer) -> None:
    assert send_random_requests(live.url, REQUESTS) == []


def test_violations_would_be_found() -> None:
    head = b"HTTP/1.1 %d X\r\nX-Request-Id: x\r\nContent-Type: %s\r\n\r\n"
    problem = b"application/problem+json"
    assert violation_in(head % (500, problem) + b"{}", b"") == "status 500"
    assert violation_in(head % (404, problem) + b'File "/srv/x.py", line 1', b"")
    assert violation_in(head % (404, b"text/plain") + b"no", b"")
    assert violation_in(head % (404, problem) + b"{}", b"") is None
    assert leak("a path like /root/x", sent="/root/x") is None
