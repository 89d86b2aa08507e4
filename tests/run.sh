#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every test there is; works from any directory. See the table at the end for what there is.
#
#   tests/run.sh             all of it
#   tests/run.sh PART...     some of it: static unit scenarios readme sanitized fuzz speed
#   tests/run.sh --update    only writes the golden timelines anew
#
# JOBS=4 sets how many run at a time, VERBOSE=1 also says what passes, FUZZ_SECONDS=5 is for each fuzz target.
set -uo pipefail
export LC_ALL=C
shopt -s nullglob

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
FUZZ_SECONDS=${FUZZ_SECONDS:-5}
GCC=$ROOT/build CLANG=$ROOT/build-clang-sanitized FUZZ=$ROOT/build-fuzz
SOSIM=$GCC/sosim
UPDATE=
PARTS=${*:-static unit scenarios readme sanitized fuzz speed}
if [[ ${1-} == --update ]]; then
    UPDATE=yes PARTS=scenarios
fi

source "$ROOT/tests/jobs.sh"
source "$ROOT/tests/scenarios.sh"

wanted()
{
    [[ " $PARTS " == *" $1 "* ]]
}

configure_and_build()
{
    local dir=$1
    shift
    cmake -G Ninja -S "$ROOT" -B "$dir" "$@" && ninja -C "$dir" -j "$JOBS"
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
    local program
    for program in "$1"/tests/test_*; do
        if [[ -f $program && -x $program ]]; then
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
SECONDS=0

if wanted static; then
    check format check_format
    check shell-syntax check_shell_syntax
fi

if wanted unit || wanted scenarios || wanted readme || wanted sanitized; then
    # Without a build nothing else makes sense.
    if ! step build-gcc configure_and_build "$GCC" -DCMAKE_C_COMPILER=gcc; then
        report
        exit 1
    fi
    check images-fetch "$SOSIM" images fetch
fi
if wanted unit || wanted sanitized; then
    check particle-cli-install "$ROOT/tests/usb/particle_cli.sh" --version
fi
if wanted sanitized; then
    step build-clang-sanitized configure_and_build "$CLANG" -DCMAKE_C_COMPILER=clang -DSOSIM_SANITIZE=ON
fi
if wanted fuzz; then
    step build-fuzz configure_and_build "$FUZZ" -DCMAKE_C_COMPILER=clang -DSOSIM_FUZZ=ON -DSOSIM_SANITIZE=ON
fi
finish_checks

if wanted readme; then
    check readme "$ROOT/tests/readme.py"
fi
if wanted scenarios; then
    say "scenarios ..."
    check_scenarios
fi
if wanted sanitized; then
    say "unit tests, sanitized ..."
    unit_tests "$CLANG" sanitized
fi
if wanted unit; then
    say "unit tests ..."
    unit_tests "$GCC" unit
fi
if wanted fuzz; then
    say "fuzz targets ..."
    for program in "$FUZZ"/tests/fuzz_*; do
        if [[ -f $program && -x $program ]]; then
            check "fuzz-${program##*/fuzz_}" fuzz_one "$program"
        fi
    done
fi
finish_checks
if wanted speed; then
    say "speed ..."
    # Told and kept, for those who compare; nothing depends on it.
    "$ROOT/tests/bench.sh" --short 2>&1 | tee "$ROOT/build/bench.txt" >&2
fi

report
