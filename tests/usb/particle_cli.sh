#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs Particle's command line tool 2.10.0, as published on npm. It is installed at the first use, into sosim's
# cache. Three packages that it depends on are no longer to be had in the versions it names, so newer ones
# take their place. Debian 12's npm 9.2 cannot replace a dependency that is named by an address ("Invalid
# comparator"), hence the newer npm that it starts. Of the native add-ons, that for USB comes built; that for
# serial ports is built here.
#
#   tests/usb/particle_cli.sh ARGUMENT...
#
# $SOSIM_TTY, from `sosim usb exec --tty`, is what the tool finds when it looks for serial ports.
set -euo pipefail

cache=${SOSIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sosim}
place=$cache/particle-cli/2.10.0-serial

# Both in one newer npm, for the old one would read what the first has installed, and stop at it. The headers are
# those that came with this Node.js, as others would have to be fetched.
with_newer_npm()
{
    npm exec --yes --package=npm@10.9.2 -c '
        npm install --omit=optional --ignore-scripts --no-audit --no-fund &&
            npm_config_build_from_source=true npm rebuild @serialport/bindings' </dev/null
}

install_cli()
{
    local new=$place.new.$$
    mkdir -p "$new"
    # $new is gone when the trap runs.
    trap "rm -rf '$new'" EXIT
    cat >"$new/package.json" <<'END'
{
    "private": true,
    "dependencies": {"particle-cli": "2.10.0", "particle-usb": "1.2.1", "serialport": "8.0.8"},
    "overrides": {"request": "2.88.2", "form-data": "2.5.1", "stream-http": "2.8.3"}
}
END
    local node
    node=$(readlink -f "$(command -v node)")
    local pause installed=
    for pause in 0 10 60; do
        sleep "$pause"
        if (cd "$new" && npm_config_nodedir=${node%/bin/*} with_newer_npm >npm.log 2>&1); then
            installed=yes
            break
        fi
    done
    if [[ -z $installed ]]; then
        tail -n 20 "$new/npm.log" >&2
        echo "particle_cli: npm could not install it" >&2
        return 1
    fi
    # Another run may have been faster.
    mv -T "$new" "$place" 2>/dev/null || [[ -d $place ]]
}

# The tool asks udev for serial ports, which knows nothing of a terminal that no driver has made.
stand_in_for_udev()
{
    mkdir "$home/bin"
    cat >"$home/bin/udevadm" <<END
#!/bin/sh
printf '%s\\n' 'P: /devices/sosim/tty/ttyACM0' 'N: $SOSIM_TTY' 'E: DEVNAME=$SOSIM_TTY' 'E: ID_VENDOR_ID=2b04' \\
    'E: ID_MODEL_ID=c00d' 'E: ID_VENDOR_ENC=Particle' ''
END
    chmod +x "$home/bin/udevadm"
    PATH=$home/bin:$PATH
}

[[ -d $place ]] || install_cli
# Nothing is kept of what the tool writes to its home, and it must not look for a newer self.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
if [[ -n ${SOSIM_TTY-} ]]; then
    stand_in_for_udev
fi
HOME=$home PARTICLE_DISABLE_UPDATE=1 node "$place/node_modules/.bin/particle" "$@"
