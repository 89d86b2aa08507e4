#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every test there is; works from any directory. See the table at the end for what there is.
#
#   tests/run.sh             all of it
#   tests/run.sh PART...     some of it: static unit scenarios readme sanitized fuzz speed
#   tests/run.sh --update    only writes the golden timelines anew
#
# JOBS=4 sets how many run at a time, VERBOSE=1 also says what passes, FUZZ_SECONDS=3 is for each fuzz target.
set -uo pipefail
export LC_ALL=C
shopt -s nullglob
# Whatever started this may have left no standard input; then files would be opened in its place.
exec </dev/null

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
FUZZ_SECONDS=${FUZZ_SECONDS:-3}
GCC=$ROOT/build CLANG=$ROOT/build-clang-sanitized FUZZ=$ROOT/build-fuzz
SOSIM=$GCC/sosim
UPDATE=
# Those that take longest are started first, so that none is left to run alone at the end.
LONGEST_TESTS=(sweep_boron usb_host same_run sweep_faults usbip sweep mbr replay)
PARTS=${*:-static unit scenarios readme sanitized fuzz speed}
if [[ ${1-} == --update ]]; then
    UPDATE=yes PARTS=scenarios
fi

source "$ROOT/tests/machine.sh"
if addresses_are_too_random; then
    export SOSIM_ADDRESSES=fixed
    exec setarch "$(uname -m)" -R bash "${BASH_SOURCE[0]}" "$@"
fi
use_temporary_directory
source "$ROOT/tests/jobs.sh"
source "$ROOT/tests/scenarios.sh"

wanted()
{
    [[ " $PARTS " == *" $1 "* ]]
}

needs_sosim()
{
    wanted unit || wanted scenarios || wanted readme || wanted sanitized
}

# Without what has just failed nothing else makes sense.
give_up()
{
    report
    exit 1
}

configure_and_build()
{
    local dir=$1
    shift
    cmake -G Ninja -S "$ROOT" -B "$dir" "$@" && ninja -C "$dir" -j "$JOBS"
}

# Of the boards in scenarios/boards only the versions that are run there.
fetch_images_once()
{
    "$SOSIM" images fetch && "$SOSIM" images fetch 2.0.1 --board argon && "$SOSIM" images fetch 1.5.2 --board xenon
}

# The registry is far away.
fetch_images()
{
    local pause
    for pause in 0 10 60; do
        sleep "$pause"
        fetch_images_once && return
    done
    return 1
}

check_format()
{
    cd "$ROOT" && find emu peripherals boards scenarios tests -name '*.[ch]' -print0 |
        xargs -0 clang-format-14 --dry-run --Werror
}

check_shell_syntax()
{
    local file bad=0
    for file in "$ROOT"/.ci/run "$ROOT"/{scenarios,tests}/*.sh; do
        bash -n "$file" || bad=1
    done
    return "$bad"
}

# unit_tests DIR PREFIX: one check a program
unit_tests()
{
    local program programs=("${LONGEST_TESTS[@]/#/$1/tests/test_}" "$1"/tests/test_*)
    local -A started=()
    for program in "${programs[@]}"; do
        if [[ -f $program && -x $program && -z ${started[$program]-} && $program != */test_particle_cli ]]; then
            started[$program]=yes
            check "$2-${program##*/test_}" "$program" -j1
        fi
    done
}

fuzz_one()
{
    local program=$1 name=${1##*/fuzz_}
    local corpus=$WORK/corpus-$name
    mkdir -p "$corpus"
    (cd "$WORK" && "$program" -max_total_time="$FUZZ_SECONDS" -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$corpus/" "$corpus" "$ROOT/tests/fuzz/seeds/$name")
}

if ! "$ROOT/tests/setup.sh" test; then
    exit 1
fi
mend_machine
# Debian's own, for it has Debian's packages; another one may be found first.
PYTHON=$(PATH=/usr/bin:$PATH command -v python3)

# What is installed and fetched comes while the compilers work.
if wanted unit || wanted sanitized; then
    check_beside particle-cli-install "$ROOT/tests/usb/particle_cli.sh" --version
fi
if wanted static; then
    check format check_format
    check shell-syntax check_shell_syntax
fi
if needs_sosim; then
    step build-gcc configure_and_build "$GCC" -DCMAKE_C_COMPILER=gcc || give_up
    check_beside images-fetch fetch_images
fi
if wanted sanitized; then
    step build-clang-sanitized configure_and_build "$CLANG" -DCMAKE_C_COMPILER=clang -DSOSIM_SANITIZE=ON &&
        mend_sanitizers "$CLANG/sosim"
fi
if wanted fuzz; then
    step build-fuzz configure_and_build "$FUZZ" -DCMAKE_C_COMPILER=clang -DSOSIM_FUZZ=ON -DSOSIM_SANITIZE=ON &&
        mend_sanitizers "$FUZZ/sosim"
fi
finish_checks
if needs_sosim && ! has_passed images-fetch; then
    give_up
fi

if has_passed particle-cli-install; then
    # The tool waits by the wall clock, so these do.
    wanted unit && check_beside unit-particle_cli "$GCC/tests/test_particle_cli" -j1
    wanted sanitized && check_beside sanitized-particle_cli "$CLANG/tests/test_particle_cli" -j1
fi
if wanted sanitized; then
    say "at $SECONDS s: unit tests, sanitized"
    unit_tests "$CLANG" sanitized
fi
if wanted scenarios; then
    say "at $SECONDS s: scenarios"
    check_scenarios
fi
if wanted unit; then
    say "at $SECONDS s: unit tests"
    unit_tests "$GCC" unit
fi
if wanted readme; then
    check readme "$PYTHON" "$ROOT/tests/readme.py"
fi
if wanted fuzz; then
    say "at $SECONDS s: fuzz targets"
    for program in "$FUZZ"/tests/fuzz_*; do
        if [[ -f $program && -x $program ]]; then
            check "fuzz-${program##*/fuzz_}" fuzz_one "$program"
        fi
    done
fi
finish_checks
if wanted scenarios; then
    check_results
    finish_checks
fi
if wanted speed; then
    say "at $SECONDS s: speed"
    # Told and kept, for those who compare; nothing depends on it.
    "$ROOT/tests/bench.sh" --short 2>&1 | tee "$ROOT/build/bench.txt" >&2
fi

report
