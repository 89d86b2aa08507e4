#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian 12 packages that sosim needs and that are not there yet; needs root or sudo only then.
#
#   tests/setup.sh         what building and using sosim takes
#   tests/setup.sh test    what tests/run.sh takes on top
set -euo pipefail

build_packages=(
    gcc libc6-dev cmake ninja-build pkg-config
    libunicorn-dev libcapstone-dev libcjson-dev libusb-1.0-0-dev nettle-dev libgmp-dev zlib1g-dev
    gcc-arm-none-eabi # sosim's own master boot record is guest code
    ca-certificates
)
test_packages=(
    libcriterion-dev python3 python3-jsonschema
    clang libclang-rt-14-dev clang-format-14
    qemu-system-arm gdb-multiarch dfu-util usbutils openssl libxml2-utils
    g++ make # for npm's add-on for serial ports
)

is_installed()
{
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

wanted=("${build_packages[@]}")
case ${1-} in
"") ;;
test) wanted+=("${test_packages[@]}") ;;
*)
    echo "usage: tests/setup.sh [test]" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup: this is no Debian; install what these packages hold yourself: ${wanted[*]} npm" >&2
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
# However npm came here, it will do.
command -v npm >/dev/null || missing+=(npm)

if ((${#missing[@]} == 0)); then
    echo "setup: all packages are there" >&2
    exit 0
fi

as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "setup: as root, please: apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

# The log is shown only when something goes wrong: an installation says much and means little.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt()
{
    # Services do not matter here, and no question must wait for an answer. A new machine may be installing something
    # by itself, and a mirror may be slow.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1
}

echo "setup: installing ${missing[*]}" >&2
if ! apt install --no-install-recommends "${missing[@]}"; then
    installed=
    for pause in 0 10 60; do
        sleep "$pause"
        echo "setup: once more, with fresh package lists" >&2
        if apt update && apt install --no-install-recommends "${missing[@]}"; then
            installed=yes
            break
        fi
    done
    if [[ -z $installed ]]; then
        tail -n 20 "$log" >&2
        echo "setup: failed" >&2
        exit 1
    fi
fi
echo "setup: done" >&2
