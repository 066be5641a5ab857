#!/usr/bin/env bash
# Shares a session with the command line that the server hands out. Its environment is in action.yml.
set -euo pipefail

server=${BETTER_SHARE_BASE_URL%/}
package=$(mktemp -d)
trap 'rm -r "$package"' EXIT
curl --fail --silent --show-error "$server/plugin.tgz" | tar --extract --gzip --directory "$package"

# OpenCode keeps its sessions in SQLite, which Node.js reads since 22.13. Runners have several versions.
reads_sqlite() {
  "$1" --eval 'process.exit(require("node:module").isBuiltin("node:sqlite") ? 0 : 1)' 2>/dev/null
}
runtime=node
for candidate in node "${RUNNER_TOOL_CACHE:-}"/node/*/*/bin/node bun; do
  if reads_sqlite "$candidate"; then
    runtime=$candidate
    break
  fi
done

link=$("$runtime" "$package/package/dist/cli.js" share "${SESSION:---latest}")
badge="[![OpenCode session]($server/static/badge.svg)]($link)"

printf '%s\n' "$link" "$badge"
printf 'link=%s\nbadge=%s\n' "$link" "$badge" >>"${GITHUB_OUTPUT:-/dev/null}"
printf '%s\n' "$badge" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
