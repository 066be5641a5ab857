"""Better Share: OpenCode sessions as pages on your own server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask
from msgspec.structs import asdict
from werkzeug.middleware.proxy_fix import ProxyFix

from app import (
    api,
    assets,
    cli,
    errors,
    events,
    health,
    landing,
    limits_fallback,
    limits_storage,
    logs,
    metrics,
    share,
    uploads,
)
from app.cache import Cache
from app.documents import Documents
from app.expiry import Expiry
from app.extensions import db, migrate
from app.folding import Folding
from app.mount import Mount
from app.pages import KeptPages
from app.parts import EXTENSION, Parts
from app.render import labels
from app.replay import Replay
from app.shares import Shares
from app.standing import StandingConnection
from app.storage import open_store
from app.token_prefix import TokenPrefix
from app.watch import Answered, Watch
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
    documents = Documents(store, cache, config.MAX_SESSION_BYTES, events.newest)
    folding = Folding(store, shares, documents, config.MAX_SESSION_BYTES)
    watchers = [logs.write, metrics.init_app(app)] if config.METRICS_ENABLED else [logs.write]
    replay = Replay(app.wsgi_app, shares, documents, metrics.counter(app, "cache_hits"))
    app.extensions[EXTENSION] = Parts(
        config, store, shares, documents, folding, cache, KeptPages(cache), standing, replay
    )
    app.wsgi_app = _wrapped(replay, config, watchers)  # type: ignore[assignment, method-assign]
    app.jinja_env.filters.update(labels.FILTERS)
    assets.init_app(app)
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
        return {"RATELIMIT_STORAGE_URI": limits_storage.URI}
    main = {"main": config.RATELIMIT_STORAGE_URI}
    return {"RATELIMIT_STORAGE_URI": limits_fallback.URI, "RATELIMIT_STORAGE_OPTIONS": main}
