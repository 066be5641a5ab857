#!/bin/sh
# Calls "flask shares" as flask.sh does.
exec "$(dirname "$0")/flask.sh" shares "$@"
