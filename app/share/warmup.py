"""Does before the first request what that would have to wait for."""

from __future__ import annotations

import gc

from flask import Flask

from app.render.renderer import TEMPLATES, warm_templates
from app.render.text.highlight import warm_lexers
from app.services.container import parts


def warm_all_workers() -> None:
    """What workers share that are forked afterwards."""
    warm_lexers()
    warm_templates()


def warm_worker(app: Flask) -> None:
    """What each worker has of its own: the templates of pages, and the clients of the store."""
    for name in app.jinja_env.list_templates():
        if name not in TEMPLATES:
            app.jinja_env.get_template(name)
    with app.app_context():
        parts().store.prepare()
    # What is there by now stays for good: nobody need look through it for garbage.
    gc.collect()
    gc.freeze()
