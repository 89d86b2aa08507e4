#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast is it? Prints virtual seconds per second with and without the tricks of speed, and how the CPU alone
# compares with the bare engine and with QEMU. All in one go on one machine, so that the ratios mean something;
# the numbers by themselves do not. No test depends on it.
set -euo pipefail
export LC_ALL=C

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build
SOSIM=$BUILD/sosim
WORK=$(mktemp -d "${TMPDIR:-/tmp}/sosim-bench.XXXXXX")
trap 'rm -rf "$WORK"' EXIT

prepare()
{
    cmake -G Ninja -S "$ROOT" -B "$BUILD" -DCMAKE_C_COMPILER=gcc
    ninja -C "$BUILD" sosim bench_engine test_firmware
    "$SOSIM" images fetch 2.0.1 2.1.0
}

# "VIRTUAL WALL TRACE" of a run, in seconds; of a short one the best of five
measure()
{
    local best= numbers
    for round in 1 2 3 4 5; do
        if ! "$SOSIM" run "$1" --json "$WORK/result.json" "${@:2}" >"$WORK/text"; then
            cat "$WORK/text" >&2
            return 1
        fi
        numbers=$(python3 -c 'import json, sys
result = json.load(open(sys.argv[1]))
print(result["virtual_ms"] / 1000, result["wall_ms"] / 1000, result["trace_hash"])' "$WORK/result.json")
        best=$(printf '%s\n' "$numbers" ${best:+"$best"} | sort -k 2 -g | head -n 1)
        if awk '{ exit !($2 > 1) }' <<<"$best"; then
            break
        fi
    done
    printf '%s\n' "$best"
}

firmware_row()
{
    local scenario=$1 name numbers virtual wall trace first_trace= row=
    local -a options=("" --no-spin-skip --no-inline-stores --slow)
    name=$(sed -n 's/.*"name": "\(.*\)".*/\1/p' "$scenario")
    for option in "${options[@]}"; do
        numbers=$(measure "$scenario" ${option:+"$option"})
        read -r virtual wall trace <<<"$numbers"
        if [[ $trace != "${first_trace:=$trace}" ]]; then
            echo "bench: $name: $option has another trace: $trace, not $first_trace" >&2
            exit 1
        fi
        row+=$(awk -v v="$virtual" -v w="$wall" 'BEGIN { print v / w, "" }')
    done
    awk -v name="$name" -v row="$row" 'BEGIN {
        split(row, speed, " ")
        printf "%-22s", name
        for (i = 1; i <= 4; i++) printf " %9.2f (%5.1fx)", speed[i], speed[i] / speed[4]
        print ""
    }'
}

# Seconds that a command takes.
time_of()
{
    local from=$EPOCHREALTIME
    "$@" >"$WORK/text" 2>&1 || true
    awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'
}

on_engine()
{
    "$BUILD/tests/bench_engine" "$BUILD/tests/firmware/work.bin" "$@" | sed -n 's/^seconds //p'
}

on_sosim()
{
    measure "$WORK/work.json" "$@" | cut -d ' ' -f 2
}

on_qemu()
{
    time_of qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$BUILD/tests/firmware/work.elf" "$@"
}

cpu_row()
{
    awk -v name="$1" -v seconds="$2" -v bare="$3" \
        'BEGIN { printf "%-34s %8.3f s %8.2fx\n", name, seconds, bare / seconds }'
}

if ! prepare >"$WORK/log" 2>&1; then
    cat "$WORK/log" >&2
    exit 1
fi

echo "Virtual seconds per second, from power-on (x: against --slow)"
printf '%-22s %18s %18s %18s %18s\n' "" "all tricks" --no-spin-skip --no-inline-stores --slow
for scenario in "$ROOT"/tests/bench/*.json; do
    firmware_row "$scenario"
done

# The program is over when it notes its result.
end=$(arm-none-eabi-nm "$BUILD/tests/firmware/work.elf" | awk '$3 == "note" { print "0x" $1 }')
cat >"$WORK/work.json" <<END
{"name": "work", "modules": [{"file": "$BUILD/tests/firmware/work.elf"}], "state": {"start": "blank"},
 "until": {"pc": "$end"}, "limits": {"wall_s": 3600}}
END
bare=$(on_engine)
echo
echo "Arithmetic, loads and stores without devices (tests/firmware/work.c; x: against the bare engine)"
cpu_row "engine, no hooks" "$bare" "$bare"
cpu_row "engine, no hooks, inline stores" "$(on_engine inline-stores)" "$bare"
cpu_row "sosim --slow" "$(on_sosim --slow)" "$bare"
cpu_row "sosim" "$(on_sosim)" "$bare"
cpu_row "QEMU, with its start" "$(on_qemu)" "$bare"
cpu_row "QEMU -icount, with its start" "$(on_qemu -icount 0)" "$bare"
