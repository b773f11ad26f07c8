"""The app factory. Importing this module and creating an app start no threads and open no connections."""

from functools import partial

from flask import Flask, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    admin,
    batches,
    catalog,
    events,
    files,
    gallery,
    health,
    jobs,
    metrics,
    oembed,
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
from api.compatibility import held_job, replicate, run_inference
from api.held_requests import HeldRequests, JobWatcher
from api.metrics import Metrics
from api.representation import Presenter
from api.services import EXTENSION, Services
from api.upload_limits import UploadLimiter
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.events import EventHub
from riffusion.jobs.gallery import GalleryStore
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.reports import ReportStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.uploads import UploadStore
from riffusion.jobs.wakeup import WakeUps
from riffusion.settings import Settings, get_settings
from riffusion.storage import open_storage
from web import assets, docs, pages
from web.rendering import Site


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
    for module in (
        submit, batches, jobs, events, shares, gallery, oembed, uploads, files, catalog, health, openapi, assets, admin,
    ):  # fmt: skip
        app.register_blueprint(module.blueprint)
    if settings.run_inference_api:
        app.register_blueprint(run_inference.blueprint)
    if settings.replicate_api:
        app.register_blueprint(replicate.blueprint)
    site = Site(settings.public_url, tuple(services.files.origins), settings.gallery)
    app.register_blueprint(pages.blueprint(site, shares.describe, gallery.read_gallery))
    app.register_blueprint(docs.blueprint(site, partial(openapi.build, app)))
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
        batches=BatchStore(store),
        keys=KeyStore(store.redis, settings),
        uploads=UploadStore(store.redis, stored, settings),
        files=stored,
        shares=ShareStore(store.redis, store, settings),
        gallery=GalleryStore(store.redis, store, settings),
        reports=ReportStore(store.redis, settings),
        hub=hub,
        wakeups=WakeUps(settings),
        held=held,
        watcher=JobWatcher(store, hub, held),
        presenter=Presenter(stored, settings.public_url, settings.url_ttl_s),
        metrics=counters,
        upload_limiter=UploadLimiter(settings.max_upload_bytes),
        inline_clips=held_job.response_slots(),
        operator=OperatorTools.beside(store),
    )
