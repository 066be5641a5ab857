"""A real nginx with the configuration that people install."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.optional import NGINX, NGINX_MODULES, require
from tests.support.paths import ROOT
from tests.support.servers import answers, free_ports, running

HOST = "share.example.com"
OURS = (ROOT / "deploy/nginx.conf").read_text()
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
include {modules}/*.conf;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/conf.d/*.conf;
}}
"""
# As somebody may have it who has never heard of us.
OTHER_SERVER = """
server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/fullchain.pem;
    ssl_certificate_key {folder}/privkey.pem;
    merge_slashes off;
    location ~ [.]json$ {{
        return 404;
    }}
    {locations}
}}
"""


@contextmanager
def nginx(folder: Path, changes: Mapping[str, str], *locations: str) -> Iterator[str]:
    """The https address of a server with our configuration.

    `changes` are what an operator would edit in it; `locations` goes into the folder that it includes. Logs
    are `access.log` and `error.log` in `folder`.
    """
    http, https = free_ports(2)
    edits = {
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{https} ssl http2;",
        "https://$host$request_uri": f"https://$host:{https}$request_uri",
        "/etc/ssl/better-share": str(folder),
        "/etc/nginx/better-share/": f"{folder}/locations/",
        "/var/log/nginx": str(folder),
        "/var/cache/nginx-better-share": f"{folder}/cache",
        **changes,
    }
    (folder / "locations").mkdir()
    for number, text in enumerate(locations):
        text = text.replace("/var/log/nginx", str(folder))
        (folder / "locations" / f"{number}.conf").write_text(text)
    brotli = (ROOT / "deploy/nginx-brotli.conf").read_text()
    with _serving(folder, https, _edited(OURS, edits), brotli):
        yield f"https://127.0.0.1:{https}"


@contextmanager
def nginx_of_others(folder: Path, changes: Mapping[str, str], locations: str) -> Iterator[str]:
    """The https address of a server that has `locations`, and of ours only what stands before our servers.

    `changes` and logs are as above.
    """
    [port] = free_ports(1)
    edits = {"/var/cache/nginx-better-share": f"{folder}/cache", **changes}
    shared, _, _ = OURS.partition("\nserver {")
    locations = locations.replace("/var/log/nginx", str(folder))
    server = OTHER_SERVER.format(port=port, folder=folder, locations=locations)
    with _serving(folder, port, _edited(shared, edits), server):
        yield f"https://127.0.0.1:{port}"


def renew_certificate(folder: Path) -> None:
    """Puts another certificate in place of the one of the nginx in `folder`, which reads it again."""
    _write_certificate(folder)
    os.kill(int((folder / "nginx.pid").read_text()), signal.SIGHUP)


@contextmanager
def _serving(folder: Path, port: int, *parts: str) -> Iterator[None]:
    """nginx with these parts of a configuration, once it answers at `port`."""
    require(NGINX)
    _write_certificate(folder)
    (folder / "conf.d").mkdir()
    for number, text in enumerate(parts):
        (folder / "conf.d" / f"{number}.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(user=user, folder=folder, modules=NGINX_MODULES))
    command = ["/usr/sbin/nginx", "-e", folder / "error.log", "-c", main]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr, checked.stderr
    with running(command, folder / "nginx.log", lambda: answers(port)):
        yield


def _edited(text: str, edits: Mapping[str, str]) -> str:
    for old, new in edits.items():
        assert old in text, f"{old} is not in the configuration"
        text = text.replace(old, new)
    return text


def _write_certificate(folder: Path) -> None:
    """Of its own authority, as `fullchain.pem` and `privkey.pem`."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    names = ["-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"]
    subprocess.run(["openssl", "req", "-x509", *key, *files, *names], check=True, capture_output=True)
