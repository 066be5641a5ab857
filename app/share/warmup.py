"""Does before the first request what it would otherwise have to wait for."""

from __future__ import annotations

import gc
from contextlib import suppress

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.http import static_files
from app.lib.build_id import build_id
from app.render.renderer import TEMPLATES, warm_templates
from app.render.text.highlight import warm_lexers
from app.render.themes.themes import default_stylesheet
from app.services.container import services
from app.services.shares.errors import ShareNotFound
from app.share.views.themes import DARK, LIGHT

ANY_SHARE_ID = "A" * 8


def warm_before_fork() -> None:
    """Creates what workers share that are forked afterwards: lexers, the templates of blocks, the palette."""
    build_id()
    warm_lexers()
    warm_templates()
    default_stylesheet(LIGHT, DARK)


def warm_worker(app: Flask) -> None:
    """Creates what each worker has of its own: templates of pages, static files, connections, the store."""
    for name in app.jinja_env.list_templates():
        if name not in TEMPLATES:
            app.jinja_env.get_template(name)
    static_files.warm_up(app)
    with app.app_context():
        services().store.warm_up()
        # Connects, and prepares the query of every page; without a database, cached pages are served.
        with suppress(ShareNotFound, SQLAlchemyError):
            services().live_shares.get(ANY_SHARE_ID)
    # What exists by now stays for good, so the garbage collector need not look at it.
    gc.collect()
    gc.freeze()
