#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs Particle's command line tool 2.10.0, as published on npm. It is installed at the first use, into sosim's
# cache. Three packages that it depends on are no longer to be had in the versions it names, so newer ones
# take their place; native add-ons are left out, as what is used here calls dfu-util. Debian 12's npm 9.2 cannot
# replace a dependency that is named by an address ("Invalid comparator"), hence the newer npm that it starts.
#
#   tests/usb/particle_cli.sh ARGUMENT...
set -euo pipefail

cache=${SOSIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sosim}
place=$cache/particle-cli/2.10.0

install_cli()
{
    local new=$place.new.$$
    mkdir -p "$new"
    # $new is gone when the trap runs.
    trap "rm -rf '$new'" EXIT
    cat >"$new/package.json" <<'END'
{
    "private": true,
    "dependencies": {"particle-cli": "2.10.0"},
    "overrides": {"request": "2.88.2", "form-data": "2.5.1", "stream-http": "2.8.3"}
}
END
    (cd "$new" && npm exec --yes --package=npm@10.9.2 -- \
        npm install --omit=optional --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || {
        tail -n 20 "$new/npm.log" >&2
        echo "particle_cli: npm could not install it" >&2
        return 1
    }
    # Another run may have been faster.
    mv -T "$new" "$place" 2>/dev/null || [[ -d $place ]]
}

[[ -d $place ]] || install_cli
# Nothing is kept of what the tool writes to its home, and it must not look for a newer self.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
HOME=$home PARTICLE_DISABLE_UPDATE=1 node "$place/node_modules/.bin/particle" "$@"
