#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the README's shell blocks in their order, and compares what they print.

A block fenced as sh is run with bash from the top folder and must succeed, unless a line '<!-- not run: why -->'
stands before it. If a block fenced as text follows, its lines must come in the output in that order; others may
come between. Numbers may differ: they change with the machine and with every finer model of time.
"""
import os
import re
import shlex
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def blocks(lines):
    """(kind, text, line number, whether to run it) of each block that begins at the left margin."""
    found, inside, run = [], None, True
    for number, line in enumerate(lines, 1):
        fence = re.match(r"```(\w*)$", line)
        if inside is not None and fence:
            found.append((kind, "\n".join(inside), start, run))
            inside, run = None, True
        elif fence:
            kind, inside, start = fence[1], [], number
        elif inside is not None:
            inside.append(line)
        elif line.startswith("<!-- not run:"):
            run = False
    return found


def shape(line):
    return re.sub(r"0x[0-9a-f]+|[0-9]+(\.[0-9]+)?", "#", " ".join(line.split()))


def first_missing(expected, output):
    output = iter([shape(line) for line in output.splitlines()])
    for line in expected.splitlines():
        if line.strip() and shape(line) not in output:
            return line
    return None


def cache():
    """Where the images are; the README names the usual place."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("SOSIM_CACHE") or os.path.join(home, "sosim")


def main():
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        found = blocks(file.read().splitlines())
    passed = failed = 0
    for i, (kind, text, start, run) in enumerate(found):
        if kind != "sh" or not run:
            continue
        text = text.replace("~/.cache/sosim", shlex.quote(cache()))
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=TOP, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        follows = found[i + 1] if i + 1 < len(found) else ("", "", 0, False)
        missing = first_missing(follows[1], done.stdout) if follows[0] == "text" else None
        if done.returncode == 0 and missing is None:
            passed += 1
            continue
        failed += 1
        print(f"README.md:{start}: exit code {done.returncode}" +
              (f"; not in the output: {missing}" if missing else ""))
        print("\n".join("    " + line for line in done.stdout.splitlines()[-30:]))
    print(f"tested {passed} {failed}")
    return 1 if failed or not passed else 0


sys.exit(main())
