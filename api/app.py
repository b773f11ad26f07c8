"""The app factory. Importing this module, and creating an app, starts nothing and connects to nothing."""

from urllib.parse import urlsplit

from flask import Flask, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    catalog,
    events,
    files,
    headers,
    health,
    jobs,
    metrics,
    openapi,
    problems,
    request_log,
    shares,
    submit,
    uploads,
)
from api.intake import Intake
from api.metrics import Metrics
from api.representation import Presenter
from api.services import EXTENSION, Services
from api.waiting import HeldRequests, Watch
from riffusion.jobs.events import EventHub
from riffusion.jobs.files import open_files
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.uploads import UploadStore
from riffusion.jobs.wakeup import WakeUps
from riffusion.settings import Settings, get_settings
from web import assets, pages


def create_app(settings: Settings | None = None) -> Flask:
    """The API as a WSGI application; without `settings`, those of the environment."""
    settings = settings or get_settings()
    app = Flask("api", static_folder=None)  # web.assets serves what pages need
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = made = _services(settings)
    request_log.register(app)
    app.before_request(_refuse_second_spellings)
    metrics.register(app, made.metrics)
    headers.register(app, settings.cors_origins.split())
    problems.register(app)
    for module in (submit, jobs, events, shares, uploads, files, catalog, health, openapi, assets):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(pages.blueprint(shares.describe, _storage_origins(settings)))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _refuse_second_spellings() -> None:
    """One address a resource, so that what a proxy closes by its address is closed: werkzeug drops leading slashes."""
    if request.environ["PATH_INFO"].startswith("//"):
        abort(404)


def _storage_origins(settings: Settings) -> tuple[str, ...]:
    """Origins that links to files lead to, where they aren't this server's."""
    if settings.storage == "local":
        return ()
    endpoint = settings.s3_public_endpoint or settings.s3_endpoint
    if endpoint is None:
        host = f"s3.{settings.s3_region}.amazonaws.com"
        return f"https://{settings.s3_bucket}.{host}", f"https://{host}"
    parts = urlsplit(endpoint)
    return (f"{parts.scheme}://{parts.netloc}",)


def _services(settings: Settings) -> Services:
    store = JobStore.connect(settings)
    stored = open_files(settings)
    counted = Metrics()
    hub = EventHub(store.redis)
    held = HeldRequests(max(1, settings.api_connections // 2), counted.held)
    return Services(
        settings=settings,
        store=store,
        keys=KeyStore(store.redis, settings),
        uploads=UploadStore(store.redis, stored, settings),
        files=stored,
        shares=ShareStore(store.redis, store, settings),
        hub=hub,
        wakeups=WakeUps(settings),
        held=held,
        watch=Watch(store, hub, held),
        presenter=Presenter(stored, settings.public_url, settings.url_ttl_s),
        metrics=counted,
        intake=Intake(settings.max_upload_bytes),
    )
