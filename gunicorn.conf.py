"""Settings of gunicorn; its command line overrides them."""

import logging
import os

from gunicorn.glogging import Logger

from app.db.deadlines import deadlines
from app.db.extensions import db
from app.http import log_format, metrics
from app.lib import processes
from app.lib.data_dir import PRIVATE_UMASK, unusable
from app.services import maintenance
from app.share import warmup
from config import ConfigError, read_config

# Not gunicorn's own setting, which is for its socket: a proxy of another user connects to that.
os.umask(PRIVATE_UMASK)
# Read before any worker starts, so that a wrong setting stops gunicorn with one sentence.
_config = read_config()

bind = f"127.0.0.1:{_config.PORT}"
workers = _config.WEB_CONCURRENCY
worker_class = "sync"
# Seconds; a slow client may take minutes to upload a document to the disk store.
timeout = 300
graceful_timeout = 30
# The socket lives in the home folder, which users of services often do not have.
control_socket_disable = True
# The path prefix comes from BASE_URL; any client could send a SCRIPT_NAME header.
forwarder_headers = ""
logconfig_dict = log_format.configuration(_config.LOG_FORMAT)


class AccessLogger(Logger):
    """Composes lines of gunicorn's own access log only where `--access-logfile` asks for it.

    With `logconfig_dict`, gunicorn does so for each request, which takes a tenth of its time.
    """

    def access(self, resp, req, environ, request_time):
        if self.cfg.accesslog:
            super().access(resp, req, environ, request_time)


logger_class = AccessLogger
# Not part of that configuration, which would take away the handler that --access-logfile sets.
logging.getLogger("gunicorn.access").addFilter(log_format.TokenFilter())
# Looking up caller, thread and process, which no log line contains, costs as much as writing the line.
# https://docs.python.org/3/howto/logging.html#optimization
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


# Seconds that a start waits for the port, which workers of a killed master may hold for a moment.
PORT_SECONDS = 30
# Seconds that a worker answers those who were waiting when it was told to stop.
DRAIN_SECONDS = 5


def post_fork(server, worker):
    if _config.METRICS_ENABLED:
        metrics.prepare_worker(os.getpid())


def post_worker_init(worker):
    processes.end_with_parent(worker.ppid)
    with worker.wsgi.app_context():
        deadlines.enable(db.engine, _config.DATABASE_TIMEOUT)
    warmup.warm_worker(worker.wsgi)
    maintenance.start(worker.wsgi)


def on_starting(server):
    """Refuse workers that are not sync: the CPU time limit of rendering needs the main thread."""
    if server.cfg.worker_class_str != "sync":
        raise ConfigError(f"gunicorn is set to {server.cfg.worker_class_str!r} workers; use 'sync'.")
    if any(address.startswith("unix:") for address in server.cfg.bind) and not _config.TRUSTED_PROXIES:
        raise ConfigError("only a proxy can reach a unix socket; set TRUSTED_PROXIES to 1 or more.")
    if reason := unusable(_config.data_dir):
        raise ConfigError(reason)
    for address in server.cfg.address:
        if isinstance(address, tuple):
            wait_for_port(server, address)
    if _config.METRICS_ENABLED:
        metrics.prepare_folder(_config.data_dir, _config.PORT)
    warmup.warm_before_fork()


def wait_for_port(server, address):
    host, port = address
    sentence = f"port {port} of {host} is in use by another process"
    waiting = f"{sentence}; waiting for it to end (PORT sets another one)"
    is_free = processes.wait_for_port(address, PORT_SECONDS, lambda: server.log.warning(waiting))
    if not is_free:
        raise ConfigError(f"{sentence}; end that one, or set PORT.")


def worker_exit(server, worker):
    if worker.booted and not worker.aborted:
        processes.answer_waiting(worker.sockets, worker.accept, DRAIN_SECONDS)


def child_exit(server, worker):
    if _config.METRICS_ENABLED:
        metrics.forget_worker(worker.pid)
