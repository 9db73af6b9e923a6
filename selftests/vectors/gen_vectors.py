#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Turn vectors.json into a C header: gen_vectors.py OUTPUT

The input is $NST_VECTORS, by default the vectors.json beside this script.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Header:
    """Collects byte arrays, each content once, and the tables that use them."""

    def __init__(self):
        self.arrays = {}
        self.out = []

    def bytes(self, text):
        """Name of the array that holds the bytes of a hex string, or NULL."""
        if text is None:
            return "NULL"
        data = bytes.fromhex(text)
        if data not in self.arrays:
            self.arrays[data] = f"vec_bytes_{len(self.arrays)}"
        return self.arrays[data]

    def put(self, line):
        self.out.append(line)

    def write(self, file):
        file.write("/* Made by gen_vectors.py; not to be edited. */\n")
        for data, name in self.arrays.items():
            # A trailing zero, so that no array is empty.
            values = ",".join(str(b) for b in data + b"\0")
            file.write(f"static const u8 {name}[] = {{{values}}};\n")
        file.write("\n".join(self.out) + "\n")


def length(text):
    return len(text or "") // 2


def put_record(head, rec):
    head.put("\t{")
    head.put(f"\t\t.suite = {rec['cipher_id']}, .proto = {rec['proto']},")
    head.put(f"\t\t.secret = {head.bytes(rec['box_key'])},")
    head.put(f"\t\t.s_own = {head.bytes(rec['s_own'])},")
    head.put(f"\t\t.s_peer = {head.bytes(rec['s_peer'])},")
    for key in ("context", "okm", "aad", "plaintext", "record"):
        head.put(f"\t\t.{key} = {head.bytes(rec[key])}, "
                 f".{key}_len = {length(rec[key])},")
    head.put("\t},")


def put_stream_parts(head, num, stream):
    head.put(f"static const struct vec_key vec_keys_{num}[] = {{")
    for kid, key in stream["box"].items():
        head.put(f"\t{{ .kid = {int(kid)}, .secret = {head.bytes(key)} }},")
    head.put("};")
    head.put(f"static const struct vec_step vec_steps_{num}[] = {{")
    for rec in stream["records"]:
        head.put(f"\t{{ .from_a = {int(rec['from'] == 'A')}, "
                 f".type = {rec['type']}, "
                 f".plaintext = {head.bytes(rec['plaintext'])}, "
                 f".plaintext_len = {length(rec['plaintext'])}, "
                 f".record = {head.bytes(rec['record'])}, "
                 f".record_len = {length(rec['record'])} }},")
    head.put("};")


ROLES = {"initiator": "NST_WIRE_INITIATOR", "responder": "NST_WIRE_RESPONDER",
         None: "0", "": "0", "none": "0"}


def put_stream(head, num, stream):
    head.put("\t{")
    head.put(f"\t\t.suite = {stream['cipher_id']}, "
             f".strict = {int(stream['strict'])},")
    head.put(f"\t\t.context = {head.bytes(stream['context'])}, "
             f".context_len = {length(stream['context'])},")
    head.put(f"\t\t.role_a = {ROLES[stream.get('role_A')]}, "
             f".role_b = {ROLES[stream.get('role_B')]},")
    head.put(f"\t\t.key = vec_keys_{num}, "
             f".nr_keys = {len(stream['box'])},")
    head.put(f"\t\t.step = vec_steps_{num}, "
             f".nr_steps = {len(stream['records'])},")
    head.put("\t},")


def main():
    source = os.environ.get("NST_VECTORS") or os.path.join(HERE,
                                                           "vectors.json")
    with open(source, encoding="utf-8") as file:
        vectors = json.load(file)
    head = Header()
    for num, stream in enumerate(vectors["streams"]):
        put_stream_parts(head, num, stream)
    head.put("static const struct vec_record vec_records[] = {")
    for rec in vectors["records"]:
        put_record(head, rec)
    head.put("};")
    head.put("static const struct vec_stream vec_streams[] = {")
    for num, stream in enumerate(vectors["streams"]):
        put_stream(head, num, stream)
    head.put("};")
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        head.write(file)


if __name__ == "__main__":
    main()
