#!/bin/sh
# Brings the database up to date, then serves; what follows the script's name goes to gunicorn.
set -eu
cd "$(dirname "$0")/.."
flask --app wsgi db upgrade
exec gunicorn "$@" wsgi:app
