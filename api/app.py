"""The app factory. Importing this module and creating an app start no threads and open no connections."""

from functools import partial

from flask import Flask, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    admin,
    catalog,
    events,
    files,
    health,
    jobs,
    metrics,
    openapi,
    problems,
    request_log,
    security_headers,
    shares,
    submit,
    tracing,
    uploads,
)
from api.admin.tools import OperatorTools
from api.held_requests import HeldRequests, JobWatcher
from api.metrics import Metrics
from api.representation import Presenter
from api.services import EXTENSION, Services
from api.upload_limits import UploadLimiter
from riffusion.jobs.events import EventHub
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.uploads import UploadStore
from riffusion.jobs.wakeup import WakeUps
from riffusion.settings import Settings, get_settings
from riffusion.storage import open_storage
from web import assets, docs, pages


def create_app(settings: Settings | None = None) -> Flask:
    """The API as a WSGI application; without `settings`, those of the environment."""
    settings = settings or get_settings()
    app = Flask("api", static_folder=None)  # web.assets serves what pages need
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = services = _services(settings)
    request_log.register(app)
    if settings.otlp_endpoint:
        tracing.register(app)
    app.before_request(_refuse_leading_slashes)
    metrics.register(app, services.metrics)
    security_headers.register(app, settings.cors_origins.split())
    problems.register(app)
    for module in (submit, jobs, events, shares, uploads, files, catalog, health, openapi, assets, admin):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(pages.blueprint(shares.describe, services.files.origins))
    app.register_blueprint(docs.blueprint(partial(openapi.build, app), services.files.origins))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _refuse_leading_slashes() -> None:
    """One address a resource, so that an address that a proxy blocks is blocked: werkzeug drops leading slashes."""
    if request.environ["PATH_INFO"].startswith("//"):
        abort(404)


def _services(settings: Settings) -> Services:
    store = JobStore.connect(settings)
    stored = open_storage(settings)
    counters = Metrics()
    hub = EventHub(store.redis)
    held = HeldRequests(max(1, settings.api_connections // 2), counters.held)
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
        watcher=JobWatcher(store, hub, held),
        presenter=Presenter(stored, settings.public_url, settings.url_ttl_s),
        metrics=counters,
        upload_limiter=UploadLimiter(settings.max_upload_bytes),
        operator=OperatorTools.beside(store),
    )
