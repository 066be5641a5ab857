#!/bin/sh
# Installs the system packages that tests drive (tests/apt.txt), where that is possible and wanted.
#
# On Debian and Ubuntu as root: without asking where nobody can be asked (CI, a container), otherwise after a
# question on the terminal; APT=yes or APT=no answers it. Starts no service. What cannot be installed is no
# error here: the tests that need it are skipped, or fail in CI.
set -eu
cd "$(dirname "$0")"

[ -f /etc/debian_version ] && command -v apt-get >/dev/null || exit 0
packages=$(grep -v '^#' apt.txt)
missing=
for package in $packages; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "Some tests will be skipped. To run them: sudo apt-get install$missing"
    exit 0
fi
if [ -z "${APT:-}" ] && [ -t 0 ]; then
    printf 'Some tests need packages that are not installed:%s\nInstall them? [Y/n] ' "$missing"
    read -r APT
fi
case "${APT:-yes}" in
[Nn]*) exit 0 ;;
esac

# Debian's packages start their services unless this file forbids it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # one package a word
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null ||
    echo "Some packages could not be installed; their tests will be skipped."
