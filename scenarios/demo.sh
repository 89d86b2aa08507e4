#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From a bare Debian 12 to a replayed field failure: set-up, build, the published firmware, one scenario.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scenario=scenarios/field/f1.json
cd "$root"

tests/setup.sh
echo "demo: building (build/)" >&2
if ! log=$(cmake -G Ninja -B build 2>&1 && ninja -C build sosim 2>&1); then
    printf '%s\n' "$log" >&2
    exit 1
fi
build/sosim images fetch 2.0.1

echo "demo: the field case, on the real Device OS 2.0.1 ($scenario)" >&2
code=0
report=$(build/sosim run "$scenario") || code=$?

# The story, the verdict, and the first panic; all of the report is a command away.
first_panic=$(sed -n '/^Panics$/,/^$/ { /^Panics$/d; p }' <<<"$report" | head -n 1)
cat <<END

The lamp:   $(head -n 1 <<<"$report")
$(sed -n 's/^Verdict: /Verdict:    /p; /NOT MET/p' <<<"$report")
The panic: $first_panic

Where to look next:
  build/sosim run $scenario                    all of the report
  build/sosim run $scenario --trace            and each reset and flash operation as it comes
  build/sosim run $scenario --vcd lamps.vcd    the lamps as a waveform, for GTKWave
  build/sosim run $scenario --json f1.json     for programs; emu/report/result.schema.json describes it
  README.md                                                 how to write a scenario for your own field failure
END
exit "$code"
