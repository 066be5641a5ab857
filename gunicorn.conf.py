"""How gunicorn runs the app; anything here may be overridden on its command line."""

import logging

from app.http import log_format, metrics
from app.services import maintenance
from app.share import warmup
from config import ConfigError, read_config

# Read before any worker starts, so that a wrong setting ends the start with one sentence.
_config = read_config()

bind = f"127.0.0.1:{_config.PORT}"
workers = _config.WEB_CONCURRENCY
worker_class = "sync"
# A slow client may take minutes to upload a document to the disk store.
timeout = 300
graceful_timeout = 30
# Services often run as users who have no home folder to keep the socket in.
control_socket_disable = True
# The app says under which path it is; a header could be anybody's.
forwarder_headers = ""
logconfig_dict = log_format.configuration(_config.LOG_FORMAT)
# No line names code, threads or processes; looking them up costs as much as writing the line.
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def post_worker_init(worker):
    warmup.warm_worker(worker.wsgi)
    maintenance.start(worker.wsgi)


def on_starting(server):
    """Refuses other workers than sync ones: the CPU time limit of rendering needs the main thread."""
    if server.cfg.worker_class_str != "sync":
        raise ConfigError(f"gunicorn is set to {server.cfg.worker_class_str!r} workers; use 'sync'.")
    if any(address.startswith("unix:") for address in server.cfg.bind) and not _config.TRUSTED_PROXIES:
        raise ConfigError("only a proxy can reach a unix socket; set TRUSTED_PROXIES to 1 or more.")
    if _config.METRICS_ENABLED:
        metrics.prepare_folder(_config.data_dir, _config.PORT)
    warmup.warm_before_fork()


def child_exit(server, worker):
    if _config.METRICS_ENABLED:
        metrics.forget_worker(worker.pid)
