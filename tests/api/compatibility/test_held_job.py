"""Jobs that one HTTP request waits for."""

import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response

from api.compatibility import held_job
from api.services import Services
from riffusion.errors import Overloaded, ResultLost, TooManyRequests
from riffusion.jobs.record import JobOutput, JobStatus
from riffusion.jobs.tenants import Tenant
from riffusion.requests import parse
from tests.api.conftest import CROWD, PROMPT, Worker, hold_all

LOCAL = Tenant("address:127.0.0.1")
REQUEST = parse({**PROMPT, "seed": 1})


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's and the client's end of a connection."""
    server, client = socket.socketpair()
    with server, client:
        server.settimeout(60)
        yield server, client


def picture(_: JobOutput, files: held_job.ResultFiles) -> Response:
    return Response(files.png)


def test_a_job_is_waited_for(app: Flask, services: Services, worker: Worker) -> None:
    thread = threading.Timer(0.2, lambda: worker.succeed(worker.claim()))
    thread.start()
    with app.test_request_context():
        record = held_job.run(REQUEST, 20)
        assert record.result is not None
        response = held_job.respond_inline(record.result, picture)
        assert response.data.startswith(b"\x89PNG")
        response.close()
    thread.join()
    assert record.status is JobStatus.SUCCEEDED
    assert b"riffusion_http_held_requests 0.0" in services.metrics.text(services.store)


def test_it_is_canceled_when_the_time_is_up(app: Flask, worker: Worker) -> None:
    with app.test_request_context():
        assert held_job.run(REQUEST, 0.1).status is JobStatus.CANCELED


def test_it_is_canceled_when_its_client_has_gone(
    app: Flask, worker: Worker, pair: tuple[socket.socket, socket.socket]
) -> None:
    server, client = pair
    threading.Timer(0.2, client.close).start()
    with app.test_request_context(environ_overrides={"gunicorn.socket": server}):
        assert held_job.run(REQUEST, 50).status is JobStatus.CANCELED
    assert server.gettimeout() == 60


def test_no_job_is_accepted_where_its_request_cannot_wait(app: Flask, services: Services, worker: Worker) -> None:
    hold_all(services, *CROWD)
    with app.test_request_context(), pytest.raises(Overloaded):
        held_job.run(REQUEST, 20)
    assert services.store.count_waiting(Worker.MODEL) == 0


def test_no_job_is_accepted_where_its_client_has_all_its_places(app: Flask, services: Services, worker: Worker) -> None:
    hold_all(services, LOCAL)
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}), pytest.raises(TooManyRequests):
        held_job.run(REQUEST, 20)
    assert services.store.count_waiting(Worker.MODEL) == 0


def test_lost_files_are_an_error(app: Flask, services: Services, worker: Worker) -> None:
    threading.Timer(0.1, lambda: worker.succeed(worker.claim())).start()
    with app.test_request_context():
        record = held_job.run(REQUEST, 20)
        assert record.result is not None
        services.files.delete([record.result.audio.key])
        with pytest.raises(ResultLost):
            held_job.respond_inline(record.result, picture)
