#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""best.py DIR [DOCUMENTS COMMAND]: the report on a run of uml.sh.

DIR has a file N.out for each boot. For each load and mode: the best round by
the clock; the best by the CPU time that User Mode Linux had, of all and of each
boot, and how that compares with the reference (kTLS, of datagrams WireGuard) and
with plain TCP or UDP. The CPU time counts: it does not pass while other work of
the machine runs. That of each boot goes into nstperf's documents in DOCUMENTS.
"""

import collections
import glob
import os
import sys

import perfdoc

DATAGRAMS = ("dgram", "gso", "gro", "refuse")


def speed(words, unit):
    """MiB/s, round trips a second, or thousands of datagrams a second, of the
    clock or of CPU time."""
    d = dict(x.split("=") for x in words[4:])
    if words[2] == "ping":
        return int(d["calls"]) / float(d[unit])
    if words[2] in DATAGRAMS:
        return int(d["calls"]) / float(d[unit]) / 1000
    return int(d["bytes"]) / float(d[unit]) / (1 << 20)


class Boot:
    """The best of each (load, size, mode) in one guest."""

    def __init__(self, path):
        self.clock, self.cpu = {}, collections.OrderedDict()
        self.rounds = collections.Counter()
        self.best = {}
        self.aeads = {}
        self.core = 0
        with open(path, errors="replace") as f:
            for line in f:
                self.take(line.split())

    def take(self, w):
        if w and w[0] in ("aead", "chacha"):
            self.aeads[w[0]] = max(self.aeads.get(w[0], (0, "")),
                                   (int(w[2]), w[1]))
        if w and w[0] == "core":
            self.core = int(w[1])
        if not w or w[0] != "load":
            return
        key = (w[2], int(w[3]), w[1])
        self.clock[key] = max(self.clock.get(key, 0), speed(w, "seconds"))
        if speed(w, "cpu") > self.cpu.get(key, 0):
            self.cpu[key] = speed(w, "cpu")
            self.best[key] = dict(x.split("=") for x in w[4:])
        self.rounds[key] += 1


def write_documents(boots, directory, command):
    """The best round of each boot, by processor time."""
    runs = [perfdoc.timed(load, mode, size, int(d["calls"]), int(d["bytes"]),
                          float(d["cpu"]))
            for boot in boots for (load, size, mode), d in boot.best.items()]
    rounds = min(min(b.rounds.values()) for b in boots)
    perfdoc.write(directory, "cpu-time", runs, command,
                  {"kernel": "User Mode Linux 6.1"},
                  f"the best of {rounds} rounds of each boot")


def main():
    if len(sys.argv) not in (2, 4):
        sys.exit(__doc__)
    boots = [Boot(p) for p in
             sorted(glob.glob(os.path.join(sys.argv[1], "*.out")))]
    print(f"{len(boots)} boots, best of "
          f"{min(min(b.rounds.values()) for b in boots)} rounds each, AEADs: "
          f"{', '.join({a[1] for b in boots for a in b.aeads.values()})}; "
          "MiB a second, ping: round trips a second, dgram, gso, gro: thousands "
          "of datagrams a second; ref: kTLS, of datagrams WireGuard")
    print(f"the AEAD core alone seals and opens "
          f"{max(b.core for b in boots)} MiB a second")
    print(f"{'load':<17}{'mode':<11}{'clock':>9}{'CPU':>9}{'/ref':>8}"
          f"{'/plain':>8}   CPU, each boot")
    for key in boots[0].cpu:
        load, size, mode = key
        ref = "wg" if load in DATAGRAMS else "ktls"
        top = {m: max(b.cpu.get((load, size, m), 0) for b in boots)
               for m in ("plain", ref, mode)}
        print(f"{load + ' ' + str(size):<17}{mode:<11}"
              f"{max(b.clock[key] for b in boots):9.1f}{top[mode]:9.1f}" +
              "".join(f"{top[mode] / top[m]:8.3f}" if top[m] else "       -"
                      for m in (ref, "plain")) + "   " +
              " ".join(f"{b.cpu[key]:.1f}" for b in boots))
    if len(sys.argv) == 4:
        write_documents(boots, sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
