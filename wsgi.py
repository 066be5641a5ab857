"""The WSGI entry point: `gunicorn wsgi:app`."""

import os

from app import create_app
from app.lib.data_dir import PRIVATE_UMASK

os.umask(PRIVATE_UMASK)
app = create_app()
