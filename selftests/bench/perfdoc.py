# SPDX-License-Identifier: GPL-2.0
"""Figures of this folder as documents of nstperf (see Documentation/nstperf.md).

One of streams and one of datagrams, as what they are compared with is not the same.
What a figure is, is in the member "measured": instructions, or seconds that a
processor had. What is no load of nstperf's has its name of load.c.
"""

import datetime
import json
import os
import platform
import subprocess

MODES = {"ktls": "ktls-aes-128-gcm", "ktls-nopad": "ktls-aes-128-gcm-nopad",
         "nst": "nst-aes-gcm", "nst-chacha": "nst-chacha20-poly1305",
         "wg": "wireguard"}
DATAGRAMS = ("dgram", "gso", "gro", "refuse")


def now():
    return datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")


def commit():
    """Of the tree that was measured; with a plus, if it was changed since."""
    here = os.path.dirname(os.path.abspath(__file__))
    git = ["git", "-C", here]
    name = subprocess.run(git + ["rev-parse", "--short", "HEAD"],
                          capture_output=True, text=True, check=False)
    changed = subprocess.run(git + ["diff", "--quiet", "HEAD"], check=False)
    if name.returncode:
        return "unknown"
    return name.stdout.strip() + ("+" if changed.returncode else "")


def run(load, mode, size, **figures):
    return {"scenario": load, "mode": MODES.get(mode, mode),
            "size": max(int(size), 1), "streams": 1, "status": "ok", **figures}


def counted(load, mode, size, calls, instructions, outside):
    return run(load, mode, size, ops=int(calls),
               instructions=int(instructions), instructions_outside=int(outside))


def timed(load, mode, size, calls, nbytes, seconds):
    return run(load, mode, size, seconds=seconds, bytes=int(nbytes),
               ops=int(calls), bytes_per_s=nbytes / seconds,
               ops_per_s=calls / seconds)


def document(measured, runs, source, machine, chosen):
    return {"format": "nstperf", "format_version": 1, "measured": measured,
            "source": source, "started": now(), "ended": now(),
            "complete": True, "why": "", "planned": len(runs),
            "settings": {"warmup_s": 0, "repeat": 1, "streams": 1,
                         "chosen": chosen},
            "client": machine, "server": machine, "same_host": True,
            "runs": runs}


def write(directory, measured, runs, command, machine, chosen):
    """NAME of measured: streams-NAME.json and datagrams-NAME.json."""
    name = {"instructions": "instructions", "cpu-time": "throughput"}[measured]
    machine = {"host": platform.node(), **machine}
    source = {"command": command, "commit": commit()}
    os.makedirs(directory, exist_ok=True)
    for what in ("streams", "datagrams"):
        part = [r for r in runs
                if (r["scenario"] in DATAGRAMS) == (what == "datagrams")]
        if not part:
            continue
        path = os.path.join(directory, f"{what}-{name}.json")
        with open(path + ".new", "w") as f:
            json.dump(document(measured, part, source, machine, chosen), f,
                      indent=1)
            f.write("\n")
        os.replace(path + ".new", path)
