"""As many generated requests as fit into the check; `make fuzz` sends 10 000."""

from tests.api.conftest import LiveServer
from tests.hostile.leaks import leak
from tests.hostile.random_requests import fault_of, send_wild_requests

REQUESTS = 600


def test_requests_that_nobody_describes_meet_nofault_of(live: LiveServer) -> None:
    assert send_wild_requests(live.url, REQUESTS) == []


def test_faults_would_be_seen() -> None:
    head = b"HTTP/1.1 %d X\r\nX-Request-Id: x\r\nContent-Type: %s\r\n\r\n"
    problem = b"application/problem+json"
    assert fault_of(head % (500, problem) + b"{}", b"") == "status 500"
    assert fault_of(head % (404, problem) + b'File "/srv/x.py", line 1', b"")
    assert fault_of(head % (404, b"text/plain") + b"no", b"")
    assert fault_of(head % (404, problem) + b"{}", b"") is None
    assert leak("a path like /root/x", sent="/root/x") is None
