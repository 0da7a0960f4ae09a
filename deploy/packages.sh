# shellcheck shell=bash
# SPDX-License-Identifier: MPL-2.0
# packages: installs what is missing of the packages that deploy/packages lists. Sourced by deploy/quickstart and
# tests/run. Without a missing package nothing is touched and no network is needed.

packages_file="$(dirname "${BASH_SOURCE[0]}")/packages"

# die SENTENCE: says why the calling script cannot go on, and ends it.
die() {
    echo "${0##*/}: $1" >&2
    exit 1
}

# packages_listed SECTION...: the names in these sections, one a line.
packages_listed() {
    local wanted=" $* " section='' line
    while read -r line; do
        case "$line" in
        '' | '#'*) ;;
        '['*']') section="${line//[\[\]]/}" ;;
        *) [[ "$wanted" != *" $section "* ]] || echo "$line" ;;
        esac
    done <"$packages_file"
}

# packages_missing SECTION...: the listed names that are not installed, one a line.
packages_missing() {
    local name
    packages_listed "$@" | while read -r name; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# packages_install SECTION...: installs what is missing, as root or through sudo, or ends the script with one sentence.
packages_install() {
    command -v dpkg-query >/dev/null ||
        die "this is not a Debian system; install what deploy/packages lists, then build with cmake --preset release."
    local missing sudo=()
    mapfile -t missing < <(packages_missing "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    [ "$(. /etc/os-release && echo "${ID:-}${VERSION_ID:-}")" = debian12 ] ||
        die "this is not Debian 12, and these packages are not installed: ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        sudo=(sudo)
        [ -t 0 ] || sudo=(sudo -n)
        "${sudo[@]}" -v 2>/dev/null ||
            die "neither root nor sudo; ask root to run: apt-get install --no-install-recommends ${missing[*]}"
    fi
    echo "installing: ${missing[*]}"
    local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
    { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } </dev/null ||
        die "apt-get could not install these packages: ${missing[*]}"
}
