"""Better Share: OpenCode sessions as pages on your own server."""

from __future__ import annotations

from flask import Flask
from msgspec.structs import asdict
from werkzeug.middleware.proxy_fix import ProxyFix

from app import api, assets, errors, events, health, landing, limits_storage, share, uploads
from app.cache import Cache
from app.documents import Documents
from app.extensions import db, limiter, migrate
from app.folding import Folding
from app.pages import KeptPages
from app.parts import EXTENSION, Parts
from app.render import labels
from app.shares import Shares
from app.storage import open_store
from config import Config, read_config

MAX_REQUEST_BYTES = 64 * 1024


def create_app(config: Config | None = None) -> Flask:
    """The WSGI app, configured from the environment unless `config` is given."""
    config = config or read_config()
    app = Flask(__name__)
    app.config.from_mapping(asdict(config))
    app.config.from_mapping(
        SQLALCHEMY_DATABASE_URI=config.DATABASE_URL,
        # A database server may have been restarted since a connection was last used; a file has not.
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": not config.DATABASE_URL.startswith("sqlite")},
        RATELIMIT_STORAGE_URI=config.RATELIMIT_STORAGE_URI or limits_storage.URI,
        # Uploads to the disk store have their own, larger cap.
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
    )
    if config.TRUSTED_PROXIES:
        hops = config.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    db.init_app(app)
    migrate.init_app(app, db)
    limiter.init_app(app)

    store = open_store(config)
    cache = Cache(config.data_dir / "cache", config.CACHE_MAX_BYTES)
    shares = Shares(store)
    documents = Documents(store, cache, config.MAX_SESSION_BYTES, events.newest)
    folding = Folding(store, shares, documents, config.MAX_SESSION_BYTES)
    app.extensions[EXTENSION] = Parts(config, store, shares, documents, folding, cache, KeptPages(cache))
    app.jinja_env.filters.update(labels.FILTERS)
    assets.init_app(app)
    errors.init_app(app)
    app.register_blueprint(api.bp)
    app.register_blueprint(uploads.bp)
    app.register_blueprint(health.bp)
    app.register_blueprint(landing.bp)
    app.register_blueprint(share.bp)
    return app
