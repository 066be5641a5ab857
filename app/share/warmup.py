"""Does before the first request what it would otherwise have to wait for."""

from __future__ import annotations

import gc

from flask import Flask

from app.http import static_files
from app.render.renderer import TEMPLATES, warm_templates
from app.render.text.highlight import warm_lexers
from app.render.themes.themes import default_stylesheet
from app.services.container import services
from app.share.views.themes import DARK, LIGHT


def warm_before_fork() -> None:
    """Creates what workers share that are forked afterwards: lexers, the templates of blocks, the palette."""
    warm_lexers()
    warm_templates()
    default_stylesheet(LIGHT, DARK)


def warm_worker(app: Flask) -> None:
    """Creates what each worker has of its own: the templates of pages, static files, the store's client."""
    for name in app.jinja_env.list_templates():
        if name not in TEMPLATES:
            app.jinja_env.get_template(name)
    static_files.warm_up(app)
    with app.app_context():
        services().store.warm_up()
    # What exists by now stays for good, so the garbage collector need not look at it.
    gc.collect()
    gc.freeze()
