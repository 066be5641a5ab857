#!/bin/sh
# Calls "flask shares" as the service of deploy/better-share.service would: with its settings and as its user.
set -eu
cd "$(dirname "$0")/.."
set -a
DATA_DIR=/var/lib/better-share
. /etc/better-share.env
# By its place: the PATH of cron does not lead there.
exec /usr/sbin/runuser -u better-share -- .venv/bin/flask shares "$@"
