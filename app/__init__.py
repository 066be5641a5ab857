"""Better Share: OpenCode sessions as pages on your own server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask
from msgspec.structs import asdict
from werkzeug.middleware.proxy_fix import ProxyFix

from app import api, cli, errors, share
from app.api import health, rate_limit_fallback, rate_limit_storage, uploads
from app.db.connection import StandingConnection
from app.db.extensions import db, migrate
from app.http import log_format, metrics, static_files
from app.http.request_log import Answered, Watch
from app.http.response_cache import Replay
from app.http.token_prefix import TokenPrefix
from app.http.url_prefix import Mount
from app.render import filters
from app.services.container import EXTENSION, Parts
from app.services.documents import event_log
from app.services.documents.cache import Cache
from app.services.documents.checkpoint import Folding
from app.services.documents.pages import KeptPages
from app.services.documents.service import Documents
from app.services.shares.expiry import Expiry
from app.services.shares.service import Shares
from app.share.views import landing
from app.storage import open_store
from config import Config, read_config

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MAX_REQUEST_BYTES = 64 * 1024
# How long PostgreSQL may take to accept a connection, and its network to take what is sent to it.
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5


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
        **_limits_storage(config),
        # Uploads to the disk store have their own, larger cap.
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
    )
    db.init_app(app)
    migrate.init_app(app, db)
    api.init_limiter(app)

    store = open_store(config)
    cache = Cache(config.data_dir / "cache", config.CACHE_MAX_BYTES)
    with app.app_context():
        standing = StandingConnection(db.engine)
    shares = Shares(store, Expiry(config.share_max_age), standing)
    documents = Documents(store, cache, config.MAX_SESSION_BYTES, event_log.newest)
    folding = Folding(store, shares, documents, config.MAX_SESSION_BYTES)
    watchers = [log_format.write, metrics.init_app(app)] if config.METRICS_ENABLED else [log_format.write]
    replay = Replay(app.wsgi_app, shares, documents, metrics.counter(app, "cache_hits"))
    app.extensions[EXTENSION] = Parts(
        config, store, shares, documents, folding, cache, KeptPages(cache), standing, replay
    )
    app.wsgi_app = _wrapped(replay, config, watchers)  # type: ignore[assignment, method-assign]
    app.jinja_env.filters.update(filters.FILTERS)
    static_files.init_app(app)
    errors.init_app(app)
    app.register_blueprint(api.bp)
    app.register_blueprint(uploads.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(landing.bp)
    app.register_blueprint(share.bp)
    app.cli.add_command(cli.shares)
    return app


def _wrapped(
    app: WSGIApplication, config: Config, watchers: Sequence[Callable[[Answered], None]]
) -> WSGIApplication:
    """The app as a server calls it: the last one here sees a request first."""
    app = TokenPrefix(app)
    app = Watch(app, watchers, bool(config.TRUSTED_PROXIES))
    if prefix := urlsplit(config.BASE_URL).path:
        app = Mount(app, prefix)
    if hops := config.TRUSTED_PROXIES:
        app = ProxyFix(app, x_for=hops, x_proto=hops, x_host=hops)
    return app


def _engine_options(config: Config) -> dict[str, Any]:
    if config.DATABASE_URL.startswith("sqlite"):
        return {}
    # The server may have been restarted since a connection was last used, or be gone without a word.
    patience = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": ANSWER_SECONDS * 1000}
    return {"pool_pre_ping": True, "connect_args": patience}


def _limits_storage(config: Config) -> dict[str, Any]:
    if not config.RATELIMIT_STORAGE_URI:
        return {"RATELIMIT_STORAGE_URI": rate_limit_storage.URI}
    main = {"main": config.RATELIMIT_STORAGE_URI}
    return {"RATELIMIT_STORAGE_URI": rate_limit_fallback.URI, "RATELIMIT_STORAGE_OPTIONS": main}
