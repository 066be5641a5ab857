"""docs/install.md, typed as it stands, gives a server behind nginx with PostgreSQL, Redis and S3.

Commands that change the machine itself are replaced: packages and users are there, `/etc` and `/opt` are
folders of the test, and what systemd would start from our unit is started from it here.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from tests.support.client import SESSION_ID
from tests.support.optional import CURL, NGINX, NGINX_MODULES, require
from tests.support.recorded import document_bytes
from tests.support.servers import free_ports
from tests.support.servers.nginx import HOST, MAIN
from tests.support.servers.redis import redis_server
from tests.support.walkthrough import blocks, checkout, program, run

SESSION = document_bytes("rate-limit-feature")
# What systemd does with the unit: its settings, then its command, until that is ready.
START_SERVICE = r"""
unit={root}/etc/systemd/system/better-share.service
set -a
eval "$(sed -n 's/^Environment=//p' $unit)"
. "$(sed -n 's/^EnvironmentFile=//p' $unit)"
set +a
mkdir -p {root}/run/better-share
setsid $(sed -n 's/^ExecStart=//p' $unit) > {root}/service.log 2>&1 &
echo $! >> {root}/pids
until test -S {root}/run/better-share/better-share.sock; do kill -0 $! || exit 1; sleep 0.1; done
"""
START_NGINX = r"""
setsid /usr/sbin/nginx -e {root}/error.log -c {root}/nginx.conf > {root}/nginx.log 2>&1 &
echo $! >> {root}/pids
until test -s {root}/nginx.pid; do kill -0 $! || exit 1; sleep 0.1; done
"""


@contextmanager
def machine(root: Path, postgres_url: str, https: int) -> Iterator[None]:
    """A machine that has what the first step installs; what is started on it ends with the block."""
    require(NGINX)
    require(CURL)
    for name in ("apt-get", "useradd"):
        program(root, name, "")
    server = urlsplit(postgres_url)
    reach = f"PGHOST={server.hostname} PGPORT={server.port} PGUSER={server.username} PGDATABASE=postgres"
    program(root, "runuser", f'test "$1 $2 $3" = "-u postgres --"; shift 3; export {reach}; exec "$@"')
    program(root, "nginx", f'exec /usr/sbin/nginx -e {root}/error.log -c {root}/nginx.conf "$@"')
    cases = (
        f'daemon-reload) ;; "enable --now better-share") {START_SERVICE} ;; "reload nginx") {START_NGINX} ;;'
    )
    program(root, "systemctl", f'case "$*" in {cases} *) exit 1 ;; esac'.replace("{root}", str(root)))
    connect = f"--noproxy '*' --connect-to {HOST}:443:127.0.0.1:{https}"
    program(root, "curl", f'exec /usr/bin/curl {connect} "$@"')
    for folder in ("etc/nginx/conf.d", "etc/systemd/system", "etc/ssl", "opt"):
        (root / folder).mkdir(parents=True)
    user = "user root;" if os.geteuid() == 0 else ""
    main = MAIN.format(user=user, folder=root, modules=NGINX_MODULES)
    (root / "nginx.conf").write_text(main.replace(f"{root}/conf.d", f"{root}/etc/nginx/conf.d"))
    try:
        yield
    finally:
        for pid in (root / "pids").read_text().split():
            os.killpg(int(pid), signal.SIGTERM)


def at(root: Path, text: str) -> str:
    """The text with the places of the machine below `root`."""
    return re.sub(r"(?<![\w/])/(etc/(?!letsencrypt)|opt/|run/|var/)", rf"{root}/\1", text)


def test_from_git_clone_to_a_share(tmp_path: Path, postgres_url: str, s3_settings: dict[str, str]) -> None:
    root = tmp_path
    http, https = free_ports(2)
    source = checkout(root) / "deploy"
    for path in (source / "nginx.conf", source / "better-share.service"):
        text = re.sub(r"listen \[::\].*", "", at(root, path.read_text()))
        text = text.replace("listen 80", f"listen 127.0.0.1:{http}")
        path.write_text(text.replace("listen 443", f"listen 127.0.0.1:{https}"))
    for folder in ("var/log/nginx", "var/cache", "var/lib/better-share"):
        (root / folder).mkdir(parents=True)

    packages, settings, service, nginx = (at(root, block) for block in blocks("install.md"))
    with redis_server(root) as redis, machine(root, postgres_url, https):
        run(packages, root, REPOSITORY="here")
        run(settings, root)
        env = root / "etc/better-share.env"
        assert env.stat().st_mode & 0o777 == 0o600
        yours = {
            "redis://127.0.0.1": redis,
            "@127.0.0.1/": f"@127.0.0.1:{urlsplit(postgres_url).port}/",
            "https://ACCOUNT_ID.r2.cloudflarestorage.com": s3_settings["S3_ENDPOINT"],
            "SECRET_ACCESS_KEY\n": f"{s3_settings['S3_SECRET_ACCESS_KEY']}\n",
            "=ACCESS_KEY_ID": f"={s3_settings['S3_ACCESS_KEY_ID']}",
        }
        text = env.read_text()
        for placeholder, value in yours.items():
            assert placeholder in text
            text = text.replace(placeholder, value)
        env.write_text(text)
        run(service, root)
        assert run(nginx, root).strip().endswith('"status":"ok","storage":"ok"}')

        reader = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            https,
            ca_certs=str(root / "etc/ssl/better-share/fullchain.pem"),
            server_hostname=HOST,
            assert_hostname=HOST,
        )
        wanted = {"shareId": "installed", "sessionId": SESSION_ID, "size": len(SESSION)}
        created = reader.request("POST", "/api/share/presign", json=wanted, headers={"Host": HOST})
        answer = created.json()
        assert created.status == 201, answer
        assert answer["url"] == f"https://{HOST}/share/installed"
        uploaded = urllib3.request("PUT", answer["presignedUrl"], body=SESSION, headers=answer["headers"])
        assert uploaded.status == 200
        page = reader.request("GET", "/share/installed", headers={"Host": HOST})
        assert b"Add per-client rate limiting to the order API" in page.data
