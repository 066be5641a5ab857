"""Better Share: OpenCode sessions as pages on your own server."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Flask
from msgspec.structs import asdict
from werkzeug.middleware.proxy_fix import ProxyFix

from app import account, api, cli, errors, share
from app.api import health, uploads
from app.db.connection import AutocommitConnection
from app.db.deadlines import CONNECT_ARGS
from app.db.extensions import db, migrate
from app.http import log_format, redirects, security_headers, static_files
from app.http.client_address import ClientAddress
from app.http.metrics import BusyGauge, Metrics, are_possible, count_for, counter, master_of_workers
from app.http.proxy_sign_in import ProxySignIn
from app.http.request_log import RequestLog
from app.http.response_cache import ResponseCache
from app.http.token_prefix import TokenPrefix
from app.http.url_prefix import UrlPrefix
from app.lib.disk_reserve import DiskReserve
from app.lib.slots import Slots
from app.redaction.own_formats import own_rules
from app.redaction.rules import RULES
from app.redaction.scanner import SCANNER, Scanner
from app.render import filters
from app.services import rate_limits
from app.services.access.audiences import Audiences
from app.services.container import EXTENSION, Services
from app.services.documents.cache import DocumentCache
from app.services.documents.checkpoint import Checkpointer
from app.services.documents.commits import Commits
from app.services.documents.freshness import Freshness
from app.services.documents.service import Documents
from app.services.documents.sources import UploadedDocument
from app.services.documents.synced_document import SyncedDocument
from app.services.heavy_requests import HeavyRequests
from app.services.members.directory import Members
from app.services.members.identity import EVERYBODY, People
from app.services.members.openid import OpenIdProvider
from app.services.members.sessions import session_in
from app.services.members.signing_key import Signing
from app.services.members.tokens import PersonalTokens
from app.services.server_metrics import ServerCollector
from app.services.shares.descriptions import Descriptions
from app.services.shares.expiry import Expiry
from app.services.shares.live_shares import LiveShares
from app.services.shares.object_cleanup import ObjectCleanup
from app.services.shares.owned import OwnedShares
from app.services.shares.recent import RecentShares
from app.services.shares.service import Shares
from app.services.shares.share_ids import SHARE_ID
from app.services.views import ViewCounter
from app.share.views import landing, plugin
from app.storage import open_store
from config import Config, ConfigError, read_config

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

MAX_REQUEST_BYTES = 64 * 1024


def create_app(config: Config | None = None) -> Flask:
    """The WSGI app, configured from the environment unless `config` is given."""
    config = config or read_config()
    app = Flask(__name__)
    app.config.from_mapping(asdict(config))
    app.config.from_mapping(
        # Ours signs links. Flask's would sign cookies, which it then looks for in every request.
        SECRET_KEY=None,
        SQLALCHEMY_DATABASE_URI=config.DATABASE_URL,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
        # Uploads to the disk store and syncs have a larger cap of their own.
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        **rate_limits.settings(config),
    )
    db.init_app(app)
    migrate.init_app(app, db)
    rate_limits.limiter.init_app(app)
    static_files.init_app(app)
    security_headers.init_app(app)
    redirects.init_app(app)
    errors.init_app(app)

    app.jinja_env.filters.update(filters.FILTERS)
    app.register_blueprint(api.bp)
    app.register_blueprint(uploads.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(landing.bp)
    app.register_blueprint(plugin.bp)
    app.register_blueprint(share.bp)
    if config.has_sign_in:
        app.register_blueprint(account.bp)
    app.cli.add_command(cli.shares)
    app.cli.add_command(cli.members)
    app.cli.add_command(cli.tokens)
    app.cli.add_command(cli.redact)
    app.cli.add_command(cli.config)
    app.cli.add_command(cli.version)

    app.extensions[EXTENSION] = services = build_services(app, config)
    app.wsgi_app = wrap_wsgi_app(app, config, services)  # type: ignore[assignment, method-assign]
    return app


def build_services(app: Flask, config: Config) -> Services:
    """The collaborators of the views, each built from those before it."""
    max_bytes = config.MAX_SESSION_BYTES
    with app.app_context():
        engine = db.engine
    connection = AutocommitConnection(engine)
    counters = AutocommitConnection(engine, is_durable=False)
    store = open_store(config)
    object_cleanup = ObjectCleanup(store)
    recent = RecentShares(config.data_dir / "cache")
    reserve = DiskReserve(config.data_dir / "reserve")
    expiry = Expiry(config.share_max_age)
    audiences = Audiences(config.SHARE_AUDIENCE, config.audiences)
    live_shares = LiveShares(connection, expiry, audiences, recent)
    shares = Shares(object_cleanup, reserve, store, expiry, connection)
    freshness = Freshness()
    on_damage = partial(count_for, app, "cache_damages")
    cache = DocumentCache(config.data_dir / "cache", config.CACHE_MAX_BYTES, max_bytes, on_damage)
    synced = SyncedDocument(store, cache, max_bytes)
    # One worker never waits for the store.
    slots = Slots(config.data_dir / "slots", max(1, config.WEB_CONCURRENCY - 1))
    descriptions = Descriptions(connection)
    uploaded = UploadedDocument(store, freshness, max_bytes)
    documents = Documents(uploaded, synced, cache, freshness, slots, descriptions)
    checkpointer = Checkpointer(live_shares, synced, descriptions, max_bytes)
    commits = Commits(store, slots, uploaded, synced, checkpointer, descriptions, object_cleanup)
    # Whom a proxy names it has let in.
    allowed = People(config.OIDC_ALLOW if config.OIDC_ISSUER else EVERYBODY)
    members = Members(connection, People(config.ADMINS), allowed)
    signing = Signing(connection)
    heavy_requests = HeavyRequests(config.data_dir / "heavy-requests", config.WEB_CONCURRENCY)
    return Services(
        config,
        connection,
        counters,
        store,
        shares,
        live_shares,
        OwnedShares(expiry, audiences, signing),
        audiences,
        descriptions,
        freshness,
        cache,
        synced,
        documents,
        checkpointer,
        commits,
        object_cleanup,
        recent,
        reserve,
        _scanner(config),
        heavy_requests,
        members,
        PersonalTokens(connection, members),
        signing,
        _provider(config),
        ViewCounter(engine, is_on=config.SHARE_VIEWS and config.has_sign_in, session_of=session_in),
        caches=[documents],
    )


def _provider(config: Config) -> OpenIdProvider | None:
    if not config.OIDC_ISSUER:
        return None
    redirect_uri = f"{config.BASE_URL}/account/callback"
    return OpenIdProvider(config.OIDC_ISSUER, config.OIDC_CLIENT_ID, config.OIDC_CLIENT_SECRET, redirect_uri)


def _scanner(config: Config) -> Scanner:
    """Finds secrets by the operator's own formats too. Raises ConfigError if their file cannot be read."""
    if not config.SHARE_REDACT_FORMATS:
        return SCANNER
    try:
        own = own_rules(msgspec.json.decode(Path(config.SHARE_REDACT_FORMATS).read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigError(f"SHARE_REDACT_FORMATS is {config.SHARE_REDACT_FORMATS!r}: {error}") from None
    return Scanner([*own, *RULES])


def wrap_wsgi_app(app: Flask, config: Config, services: Services) -> WSGIApplication:
    """The app inside its WSGI middleware; what comes last sees a request first."""
    metrics = None
    if config.METRICS_ENABLED and are_possible():
        metrics = Metrics(app, ServerCollector(config, services.cache, master_of_workers()))
    observers = [log_format.log_request, *([metrics.observe] if metrics else [])]

    wsgi_app: WSGIApplication = app.wsgi_app
    count_hit = counter(app, "cache_hits")

    def on_hit(environ: WSGIEnvironment, share_id: str) -> None:
        count_hit()
        services.views.add(environ, share_id)

    response_cache = ResponseCache(
        wsgi_app,
        path=re.compile(f"/share/({SHARE_ID})"),
        route="/share/<share_id>",
        is_current=services.is_current,
        on_hit=on_hit,
    )
    services.caches.append(response_cache)
    wsgi_app = response_cache
    if metrics:
        wsgi_app = BusyGauge(wsgi_app, metrics)
    wsgi_app = TokenPrefix(wsgi_app)
    wsgi_app = RequestLog(wsgi_app, observers, trusts_proxies=bool(config.TRUSTED_PROXIES))
    if prefix := config.base_path:
        wsgi_app = UrlPrefix(wsgi_app, prefix)
    if hops := config.TRUSTED_PROXIES:
        wsgi_app = ProxyFix(ClientAddress(wsgi_app), x_for=hops, x_proto=hops, x_host=hops)
    if header := config.AUTH_PROXY_HEADER:
        networks, with_unix_socket = config.sign_in_proxies
        groups_header = config.AUTH_PROXY_GROUPS_HEADER
        wsgi_app = ProxySignIn(wsgi_app, header, groups_header, networks, with_unix_socket)
    return wsgi_app


def _engine_options(config: Config) -> dict[str, Any]:
    # Tracebacks end up in the log, and values of statements must not.
    options = {"hide_parameters": True}
    if config.DATABASE_URL.startswith("sqlite"):
        return options
    # A pooled connection may belong to a server that was restarted since, or has vanished without a word.
    return {**options, "pool_pre_ping": True, "connect_args": CONNECT_ARGS}
