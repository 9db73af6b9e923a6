#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""fold.py [-t TOP] [-j DIR -c COMMAND] DIR: the report on a run of icount.sh.

DIR has, for each seed N, N.out (lines of load.c), N.blocks (of count.c) and
N.symbols (address, name, module). A block's instructions belong to the symbol
before its address. The AEAD core, which is not NST's, kTLS's or WireGuard's own,
is the assembly of the accelerated ciphers' modules, and of ChaCha20 also the C
that does single blocks; what is around it counts as crypto glue.
"""

import argparse
import bisect
import collections
import glob
import os
import re
import statistics
import sys

import perfdoc

# Functions of AES's modules that are C, not the core.
GLUE = re.compile(r"""gcmaes_|^gcm_|rfc4106|set_?key|skcipher|^aesni_(en|de)crypt$|
    ^(ecb|cbc|cts_cbc|ctr|xctr|xts)_(en|de)?crypt$|^aes_gcm_aad_update$""", re.X)
CORE_MODULES = ("aesni_intel", "ghash_clmulni_intel")
# ChaCha20-Poly1305, wherever a kernel has it.
CORE = re.compile(r"""^chacha_(permute|block_generic|\d?block_xor_\w+)$|
    ^hchacha_block_\w+$|^_*poly1305_(blocks?|init|emit)_(x86_64|avx)|
    ^_*poly1305_(block|init_avx)$|^poly1305_core_""", re.X)

GROUPS = (
    ("crypto glue", re.compile(
        r"^_*crypto_|scatterwalk|skcipher|gcm|ghash|aead|^sg_|simd_|"
        r"kernel_fpu|fpregs|^sha|hmac|^aes|mix_columns|^subw$|xor_|chacha|"
        r"poly1305", re.I)),
    ("copy/clear", re.compile(
        r"copy_user|_copy_(to|from)|copyin|copyout|^_*mem(cpy|move|set|cmp)|"
        r"copy_page|clear_(high)?page|rep_(movs|stos)|_csum_|csum_partial|"
        r"^copy_mc|memset_erms|memset_orig|memcpy_orig")),
    ("net", re.compile(
        r"tcp|udp|skb|^_*sk_|sock|^_*ip_|inet|netif|^_*net_|^_*dev_|loopback|"
        r"^nf_|napi|ipv4|^dst_|sendpage|^fib_|cubic|bictcp|sendto|recvfrom|"
        r"^iov_iter|import_single|backlog|^eth_|qdisc|validate_xmit|"
        r"sys_(send|recv|sendto|recvfrom)")),
    ("mm", re.compile(
        r"page|alloc|slab|kmem|free|lru|folio|memcg|mem_cgroup|vma|fault|"
        r"shmem|filemap|splice|objcg|charge|percpu|^get_partial|zone|pcp|"
        r"^check_object|___cache|pagevec|find_get|gup")),
)
ORDER = ("AEAD core", "crypto glue", "copy/clear", "nst", "tls/wg", "net", "mm",
         "sched/entry", "user", "other modules")
DATAGRAMS = ("dgram", "gso", "gro", "refuse")


class Symbols:
    """Finds the function of an address."""

    def __init__(self, path):
        rows = []
        with open(path) as f:
            for line in f:
                w = line.split()
                rows.append((int(w[0], 16), w[1],
                             w[2].strip("[]") if len(w) > 2 else ""))
        rows.sort()
        self.starts = [r[0] for r in rows]
        self.rows = rows

    def find(self, address):
        if address < 1 << 47:
            return "(user)", ""
        i = bisect.bisect_right(self.starts, address) - 1
        return self.rows[i][1:] if i >= 0 else ("?", "")


def group_of(name, module):
    if name == "(user)":
        return "user"
    if CORE.search(name):
        return "AEAD core"
    if module in CORE_MODULES:
        return "crypto glue" if GLUE.search(name) else "AEAD core"
    if module == "nst_ulp":
        return "nst"
    if module in ("tls", "wireguard"):
        return "tls/wg"
    if module in ("veth", "udp_tunnel"):
        return "net"
    if module:
        if re.search("gcm|crypt|ctr|simd|aes|ghash|sha|gf128|hash|chacha|poly",
                     module):
            return "crypto glue"
        return "other modules"
    for group, pattern in GROUPS:
        if pattern.search(name):
            return group
    return "sched/entry"


def read_parts(path, symbols):
    """A Counter of (name, module) for each measured part."""
    parts = []
    cache = {}
    with open(path) as f:
        for line in f:
            if line == "part\n":
                parts.append(collections.Counter())
                continue
            address, insns, times = line.split()
            if address not in cache:
                cache[address] = symbols.find(int(address, 16))
            parts[-1][cache[address]] += int(insns) * int(times)
    return parts


def read_out(path):
    """The measurements, slab caches, and the drivers of the algorithms."""
    loads, idle, caches, aead = [], [], [], []
    with open(path, errors="replace") as f:
        for line in f:
            w = line.split()
            if line.startswith(("aead ", "chacha ", "sha256 ")):
                aead.append((int(w[2]), w[0], w[1]))
            if line.startswith("cache "):
                caches.append(w[1:])
            if not line.startswith("load "):
                continue
            d = dict(x.split("=") for x in w[4:])
            d.update(mode=w[1], load=w[2], size=int(w[3]))
            (idle if w[2] == "idle" else loads).append(d)
    names = {kind: driver for _, kind, driver in sorted(aead)}
    return loads, idle, caches, set(names.values())


class Result:
    """All seeds of one mode under one load."""

    def __init__(self, d):
        self.ping = d["load"] == "ping"
        self.size = d["size"]
        self.calls = int(d["calls"])
        self.bytes = int(d["bytes"])
        self.totals, self.cores, self.functions = [], [], []

    def add(self, part):
        core = sum(c for f, c in part.items() if group_of(*f) == "AEAD core")
        self.totals.append(sum(part.values()))
        self.cores.append(core)
        self.functions.append(part)

    def total(self):
        return statistics.median(self.totals)

    def outside(self):
        return statistics.median(
            [t - c for t, c in zip(self.totals, self.cores)])

    def spread(self):
        return 100 * statistics.pstdev(self.totals) / self.total()

    def profile(self):
        """The functions of the seed whose total is nearest the median."""
        m = self.total()
        i = min(range(len(self.totals)), key=lambda i: abs(self.totals[i] - m))
        return self.functions[i]


def ratio(a, b):
    return f"{a / b:8.3f}" if b else "       -"


def print_table(results):
    print(f"{'load':<16}{'mode':<11}{'insn/call':>11}{'insn/byte':>10}"
          f"{'outside':>11}{'per byte':>9}{'sd %':>6}"
          f"{'/ref':>8}{'out/ref':>9}{'/plain':>8}")
    for (load, size), modes in results.items():
        for mode, r in modes.items():
            ref = modes.get("wg" if load in DATAGRAMS else "ktls")
            plain = modes.get("plain")
            print(f"{load + ' ' + str(size):<16}{mode:<11}"
                  f"{r.total() / r.calls:11.0f}{r.total() / r.bytes:10.3f}"
                  f"{r.outside() / r.calls:11.0f}"
                  f"{r.outside() / r.bytes:9.3f}{r.spread():6.2f}"
                  f"{ratio(r.total(), ref and ref.total())}"
                  f"{ratio(r.outside(), ref and ref.outside())} "
                  f"{ratio(r.total(), plain and plain.total())}")


def print_groups(results):
    print("\ninstructions per call by group")
    print(f"{'load':<16}{'mode':<11}" + "".join(f"{g:>12}" for g in ORDER[:-1]))
    for (load, size), modes in results.items():
        for mode, r in modes.items():
            groups = collections.Counter()
            for f, c in r.profile().items():
                groups[group_of(*f)] += c
            print(f"{load + ' ' + str(size):<16}{mode:<11}" +
                  "".join(f"{groups[g] / r.calls:12.0f}" for g in ORDER[:-1]))


def print_top(results, top):
    for (load, size), modes in results.items():
        for mode, r in modes.items():
            print(f"\n{load} {size} {mode}: instructions per call, share of "
                  "what is outside the AEAD core")
            rows = [(c, f) for f, c in r.profile().items()
                    if group_of(*f) != "AEAD core"]
            for c, f in sorted(rows, reverse=True)[:top]:
                name = f[0] + (f" [{f[1]}]" if f[1] else "")
                print(f"{c / r.calls:10.0f} {100 * c / r.outside():6.1f} %  "
                      f"{name:<44}{group_of(*f)}")


def print_idle(idle, caches):
    if not idle:
        return
    print("\nmemory of a connection, both ends, bytes: "
          "of TCP alone, and added by keys and a round trip")
    keys = ("base", "added", "slab", "percpu")
    by_mode = collections.defaultdict(lambda: collections.defaultdict(list))
    for d in idle:
        for k in keys:
            by_mode[d["mode"]][k].append(int(d[k]))
    print(f"{'mode':<11}" + "".join(f"{k:>9}" for k in keys))
    for mode, v in by_mode.items():
        print(f"{mode:<11}" + "".join(f"{statistics.median(v[k]):9.0f}"
                                      for k in keys))
    print("\nobjects that keys added to a connection, where there are many")
    for mode, name, size, objects in caches:
        print(f"{mode:<11}{name:<24}{size.split('=')[1]:>6} bytes "
              f"x {objects.split('=')[1]}")


def write_documents(results, args):
    """A run of each seed."""
    runs = [perfdoc.counted(load, mode, size, r.calls, total, total - core)
            for (load, size), modes in results.items()
            for mode, r in modes.items()
            for total, core in zip(r.totals, r.cores)]
    perfdoc.write(args.documents, "instructions", runs, args.command,
                  {"kernel": args.kernel or "unknown",
                   "processor": "QEMU -icount"}, "all seeds")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-t", "--top", type=int, default=0)
    parser.add_argument("-j", "--documents", help="directory for nstperf's")
    parser.add_argument("-c", "--command", default="fold.py")
    parser.add_argument("-k", "--kernel", default="")
    parser.add_argument("dir")
    args = parser.parse_args()
    results = collections.OrderedDict()
    idle, caches, aeads = [], [], set()
    outs = glob.glob(os.path.join(args.dir, "*.out"))
    for out in sorted(outs):
        loads, more_idle, more_caches, aead = read_out(out)
        parts = read_parts(out[:-3] + "blocks", Symbols(out[:-3] + "symbols"))
        if len(parts) != len(loads):
            sys.exit(f"{out}: {len(loads)} loads, {len(parts)} counted")
        idle += more_idle
        caches += more_caches
        aeads |= aead
        for d, part in zip(loads, parts):
            modes = results.setdefault((d["load"], d["size"]),
                                       collections.OrderedDict())
            modes.setdefault(d["mode"], Result(d)).add(part)
    print(f"{len(outs)} guests, drivers: {', '.join(sorted(aeads))}")
    if results:
        print("medians of all seeds; a call is one send, round trip, "
              "connection or datagram; outside: outside the AEAD core; ref: kTLS, of "
              "datagrams WireGuard")
        print_table(results)
        print_groups(results)
    if args.documents:
        write_documents(results, args)
    if args.top:
        print_top(results, args.top)
    print_idle(idle, caches)


if __name__ == "__main__":
    main()
