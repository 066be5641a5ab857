#!/bin/sh
# Calls flask as the service of deploy/better-share.service would: with its settings and as its user.
set -eu
umask 077
cd "$(dirname "$0")/.."
export DATA_DIR=/var/lib/better-share
settings=$(.venv/bin/python deploy/environment.py /etc/better-share.env)
eval "$settings"
# By its place: the PATH of cron does not lead there.
exec /usr/sbin/runuser -u better-share -- .venv/bin/flask "$@"
