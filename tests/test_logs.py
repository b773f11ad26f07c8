"""Text from clients is logged as printable text, whatever it holds."""

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from riffusion import logs
from riffusion.embedded.child import spawn, stop
from riffusion.settings import Settings
from tests.conftest import ValkeyServer, free_port, wait_until

NASTY = "a\x1b[31mred\x07\r\n2026 [info] forged\x7f\x9b2J\x85\u2028\u202egnp.exe\ud800 ü 音"
SAFE = "a\\x1b[31mred\\x07\\r\\n2026 [info] forged\\x7f\\x9b2J\\x85\\u2028\\u202egnp.exe\\ud800 ü 音"


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers, root.level, sys.excepthook
    yield
    root.handlers, root.level, sys.excepthook = before
    logging.captureWarnings(False)
    structlog.reset_defaults()


class Nasty(Exception):
    """An error whose repr is malicious."""

    def __repr__(self) -> str:
        return NASTY


def log_everywhere() -> None:
    """Logs the same text in each part of an event."""
    log = logging.getLogger("test")
    log.info(NASTY)
    log.info("client sent %s", NASTY)
    log.info("fields", extra={"text": NASTY, "list": [NASTY], "object": Nasty(), NASTY: 1})
    structlog.get_logger("bound").info(NASTY, path=NASTY, nested={NASTY: (NASTY,)}, number=1.5)
    try:
        raise Nasty(NASTY)  # noqa: TRY301
    except Nasty:
        log.exception("caught")


def test_the_console_gets_printable_characters_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="console"))
    log_everywhere()
    text = capsys.readouterr().err
    assert [character for character in text if not character.isprintable() and character != "\n"] == []
    events = [line for line in text.splitlines() if not line.startswith("  ")]
    assert len(events) == 5, text
    assert SAFE in events[0]
    assert "Traceback (most recent call last):\n" in text
    assert "number=1.5" in events[3]


def test_json_is_ascii_and_one_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_format="json"))
    log_everywhere()
    text = capsys.readouterr().err
    assert all(" " <= character <= "~" for line in text.split("\n") for character in line)
    events = [json.loads(line) for line in text.split("\n")[:-1]]
    assert len(events) == 5
    assert events[0]["event"] == NASTY
    assert events[3]["path"] == NASTY


UNCAUGHT = """
import sys, threading
from riffusion import logs
from riffusion.settings import Settings
logs.configure(Settings())
def fail():
    raise ValueError("\\x1b[31m\\nred")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
import warnings
warnings.warn("\\x1b[31m\\nred")
fail()
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_uncaught_exception_is_an_event(log_format: str) -> None:
    env = {**os.environ, "RIFFUSION_LOG_FORMAT": log_format}
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("  ")]
    assert len(lines) == 3, done.stderr
    assert all("red" in line for line in lines) or log_format == "console"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_what_a_client_sends_to_the_server(log_format: str, valkey: ValkeyServer, tmp_path: Path) -> None:
    port = free_port()
    env = {
        **os.environ, "RIFFUSION_REDIS_URL": valkey.url, "RIFFUSION_DATA_DIR": str(tmp_path),
        "RIFFUSION_API_WORKERS": "1", "RIFFUSION_LOG_FORMAT": log_format,
    }  # fmt: skip
    log = tmp_path / "api.log"
    with log.open("wb") as output:
        api = spawn([sys.executable, "-m", "riffusion", "api", "--port", str(port)], env=env, output=output)
    try:
        wait_until(lambda: responds(port), 60, "the API never got ready")
        headers = {"User-Agent": "\x1b[31mred", "X-Request-Id": "\x1b[31mred"}
        for path in ("/%1b[31mred", "/jobs/%C2%9B31mred%0A%E2%80%AE"):
            send(port, path, headers)
            send(port, path, {"User-Agent": "plain"})
        assert "red" in log.read_text()
        wait_until(lambda: "202e" in log.read_text())
    finally:
        stop(api, 30)
    text = log.read_bytes().decode()
    assert [character for character in text if not character.isprintable() and character != "\n"] == []


def responds(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
    except httpx.TransportError:
        return False


def send(port: int, path: str, headers: dict[str, str]) -> bytes:
    """Sends a request that no client library would send."""
    lines = [f"GET {path} HTTP/1.1", "Host: here", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        reply = b""
        while received := connection.recv(65536):
            reply += received
    assert b"\x1b" not in reply
    return reply
