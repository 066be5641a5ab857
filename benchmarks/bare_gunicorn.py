"""How gunicorn runs the yardstick: as it runs the service, without what only the service has to prepare."""

import gc
import os

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = int(os.environ["WEB_CONCURRENCY"])
worker_class = "sync"
control_socket_disable = True


def post_worker_init(worker):
    gc.collect()
    gc.freeze()
