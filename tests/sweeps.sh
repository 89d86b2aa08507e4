#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sweeps every update of the Boron on every published version where it applies, and prints what they came to as a
# table. Goes on where it was stopped: what is finished is not done again, what was cut short goes on.
#
#   tests/sweeps.sh                  everything: some eight hours of one core
#   tests/sweeps.sh NAME...          only those whose name has one of these in it: softdevice, @2.0.1
#   tests/sweeps.sh --quick NAME...  only telling points of each
#   tests/sweeps.sh --table          runs nothing, prints the table of what is there
#
# SWEEPS=DIR keeps results (default build/sweeps), JOBS=2 sets the processes, SOSIM the program.
set -uo pipefail
export LC_ALL=C

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SOSIM=${SOSIM:-$ROOT/build/sosim}
SWEEPS=${SWEEPS:-$ROOT/build/sweeps}
JOBS=${JOBS:-$(nproc)}
VERSIONS=(1.5.0 1.5.2 2.0.0 2.0.1 2.1.0 2.2.0 4.0.1 4.0.2)
QUICK=
TABLE=
PATTERNS=()
for argument; do
    case $argument in
    --quick) QUICK=yes ;;
    --table) TABLE=yes ;;
    -*) echo "usage: tests/sweeps.sh [--quick | --table] [NAME...]" >&2; exit 2 ;;
    *) PATTERNS+=("$argument") ;;
    esac
done

# Lines of "scenario version". An update from a version to itself changes nothing and is left out.
cases()
{
    local name from to
    for name in first-boot dct-write softdevice user-module; do
        for from in "${VERSIONS[@]}"; do
            echo "$name $from"
        done
    done
    for from in "${VERSIONS[@]}"; do
        # 4.x takes a factory program only if it is linked for 0xb4000; none is published, so it is one of ours.
        [[ $from == 4.* ]] && echo "factory-reset-256k $from" || echo "factory-reset $from"
    done
    for name in bootloader system-part1; do
        for from in "${VERSIONS[@]}"; do
            # 1.5.x does not update its bootloader by way of the MBR.
            [[ $name == bootloader && $from == 1.* ]] && continue
            for to in "${VERSIONS[@]}"; do
                [[ $to > $from ]] && echo "$name $from..$to"
            done
        done
    done
    for from in 1.5.0 1.5.2; do
        for to in "${VERSIONS[@]}"; do
            [[ $to > $from ]] && echo "bootloader-direct $from..$to"
        done
    done
}

is_wanted()
{
    local pattern
    ((${#PATTERNS[@]} == 0)) && return 0
    for pattern in "${PATTERNS[@]}"; do
        [[ $1 == *"$pattern"* ]] && return 0
    done
    return 1
}

table()
{
    python3 - "$SWEEPS" <<'PYTHON'
import glob, json, os, re, sys

def row(path):
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    ended = ", ".join(
        f"{item['count']} {item['words'].replace('SOS', 'SOS %d' % item.get('code', 0))}"
        for item in result["classes"])
    how = "quick" if path.endswith(".quick.json") else "whole"
    rate = result["points_per_second"]
    return [result["scenario"], how, result["operations"], len(result["points"]), result["starts_run"],
            f"{result['seconds']:.0f}", f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}", ended]

print("| sweep | | operations | points | starts run | seconds | points/s | ended |")
print("|---|---|---|---|---|---|---|---|")
for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.json")),
                   key=lambda path: [int(part) if part.isdigit() else part
                                     for part in re.split(r"(\d+)", os.path.basename(path))]):
    print("| " + " | ".join(str(cell) for cell in row(path)) + " |")
PYTHON
}

mkdir -p "$SWEEPS" || exit 2
while [[ -z $TABLE ]] && read -r name version; do
    is_wanted "$name@$version" || continue
    out=$SWEEPS/$name@$version${QUICK:+.quick}
    [[ -e $out.json ]] && continue
    echo "$name@$version${QUICK:+, quick}" >&2
    "$SOSIM" sweep "$ROOT/scenarios/sweep/$name.json" --modules-version "$version" ${QUICK:+--quick} \
        --jobs "$JOBS" --resume "$out.txt" --json "$out.part" </dev/null >"$out.out" &&
        mv "$out.part" "$out.json" || echo "failed: $name@$version, see $out.out" >&2
done < <(cases)
table
