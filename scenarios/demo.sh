#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From a bare Debian 12 to a replayed field failure: set-up, build, the published firmware; then how a healthy device
# comes to it, and the failure by itself.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
origin=scenarios/field/f1-origin.json
scenario=scenarios/field/f1.json
cd "$root"

tests/setup.sh
echo "demo: building (build/)" >&2
if ! log=$(cmake -G Ninja -B build 2>&1 && ninja -C build sosim 2>&1); then
    printf '%s\n' "$log" >&2
    exit 1
fi
build/sosim images fetch 2.0.1

# show SCENARIO: the story, what was expected of it, and the first panic; all of the report is a command away.
show()
{
    local report result=0
    report=$(build/sosim run "$1") || result=1
    cat <<END

The lamp:   $(head -n 1 <<<"$report")
$(sed -n '/^Verdict: /,/^$/ { s/^Verdict: /Verdict:    /; /^$/d; p }' <<<"$report")
The panic: $(sed -n '/^Panics$/,/^$/ { /^Panics$/d; p }' <<<"$report" | head -n 1)

END
    return "$result"
}

code=0
echo "demo: a healthy device whose program cuts a file, and takes an update ($origin)" >&2
show "$origin" || code=1
echo "demo: the field case by itself, on a file system that is broken from the start ($scenario)" >&2
show "$scenario" || code=1
cat <<END
Where to look next:
  build/sosim run $origin                            all of the report
  build/sosim run $origin --trace                    and each reset and flash operation as it comes
  build/sosim run $origin --modules-version 4.0.1    the same on another Device OS
  build/sosim run $scenario --vcd lamps.vcd                  the lamps as a waveform, for GTKWave
  build/sosim run $scenario --json f1.json                   for programs; emu/report/result.schema.json describes it
  README.md                                                               how to write a scenario of your own
END
exit "$code"
