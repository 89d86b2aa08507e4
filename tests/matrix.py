#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every published bootloader with every published system, each run to its LED.

    tests/matrix.py SOSIM            compares with scenarios/mismatched-bootloader.md
    tests/matrix.py SOSIM --update   writes that table anew

The table says what the status lamp shows of a provisioned Boron in the six seconds after power-on, and which pairs
do not meet the system's own dependencies.
"""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "..", "scenarios", "mismatched-bootloader.md")
VERSIONS = ["1.5.0", "1.5.2", "2.0.0", "2.0.1", "2.1.0", "2.2.0", "4.0.1", "4.0.2"]


def run(sosim, folder, bootloader, system):
    name = f"bootloader-{bootloader}-system-{system}"
    scenario = os.path.join(folder, name + ".json")
    result = os.path.join(folder, name + ".result.json")
    with open(scenario, "w") as file:
        json.dump({
            "name": name,
            "modules": [{"published": system}, {"published": bootloader, "kind": "bootloader"}],
            "state": {"start": "provisioned"},
            "limits": {"virtual_ms": 6000},
        }, file)
    done = subprocess.run([sosim, "run", scenario, "--json", result, "--quiet"], capture_output=True, text=True)
    if done.returncode not in (0, 4):
        sys.exit(f"{name}: exit code {done.returncode}\n{done.stderr}")
    with open(result) as file:
        data = json.load(file)
    unmet = any(finding["topic"] == "modules" for finding in data["findings"])
    return data["led"]["line"], len(data["panics"]), len(data["boots"]), unmet


def cell(outcome):
    line, panics, boots, _ = outcome
    return line + (f" ({boots} starts)" if boots > 1 else "") + (f" ({panics} panics)" if panics else "")


def mark(outcome):
    return " \\*" if outcome[3] else ""


def table(sosim):
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        pairs = [(b, s) for b in VERSIONS for s in VERSIONS]
        outcomes = dict(zip(pairs, pool.map(lambda pair: run(sosim, folder, *pair), pairs)))
    kinds = sorted({cell(o) for o in outcomes.values()},
                   key=lambda text: (-sum(cell(o) == text for o in outcomes.values()), text))
    letters = {text: chr(ord("A") + n) for n, text in enumerate(kinds)}
    lines = [
        "# Every bootloader with every system",
        "",
        "What a provisioned Boron shows six seconds after power-on, for each published bootloader (rows) with each",
        "published system-part1, its SoftDevice and tinker (columns). Made by `tests/matrix.py`, held by the tests.",
        "",
        "\\* The system asks for a newer bootloader than it has, so it starts in safe mode: the user program is kept from",
        "running. The lamp tells that (magenta) only once the cloud is reached; until then the start looks healthy.",
        "",
        "| bootloader \\ system | " + " | ".join(VERSIONS) + " |",
        "|---" * (len(VERSIONS) + 1) + "|",
    ]
    for b in VERSIONS:
        lines.append(f"| {b} | " + " | ".join(letters[cell(outcomes[b, s])] + mark(outcomes[b, s]) for s in VERSIONS) + " |")
    lines += ["", "| | what the lamp shows | pairs |", "|---|---|---|"]
    for text in kinds:
        lines.append(f"| {letters[text]} | {text} | {sum(cell(o) == text for o in outcomes.values())} |")
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) not in (2, 3) or (len(sys.argv) == 3 and sys.argv[2] != "--update"):
        sys.exit(__doc__)
    made = table(sys.argv[1])
    if len(sys.argv) == 3:
        with open(TABLE, "w") as file:
            file.write(made)
        return
    with open(TABLE) as file:
        held = file.read()
    if made != held:
        sys.exit("the table has changed:\n" + made)


main()
