#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The YNL description and the header that programs include say the same: each
enum of the header has, in order and by number, the names of the description.
TAP, one result for each list."""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HEADER = TOP / "include/uapi/linux/nst_netlink.h"
SPEC = TOP / "Documentation/netlink/specs/nst.yaml"


def header_enums(text):
    """{enum tag: {name: value}}, without the counting members at the end"""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    enums = {}
    for tag, body in re.findall(r"enum (\w+) \{(.*?)\};", text, re.S):
        value, members = 0, {}
        for member in (m.strip() for m in body.split(",")):
            if not member or "MAX" in member:
                continue
            name, _, number = (p.strip() for p in member.partition("="))
            value = int(number) if number else value
            members[name] = value
            value += 1
        enums[tag] = members
    return enums


class Node:
    """Just enough of YAML for the shape that YNL files have: sections, items
    that begin with a line "-", and "name:" and "value:" of each."""

    def __init__(self, text):
        self.lines = [line for line in text.split("\n")
                      if line.strip() and not line.lstrip().startswith("#")]

    def names(self, section, indent):
        """[(name, value or None)] of the items at @indent in @section"""
        names, inside, item = [], False, False
        for line in self.lines:
            depth = len(line) - len(line.lstrip())
            word = line.strip()
            if depth == 0:
                inside = word == section + ":"
                continue
            if not inside or depth > indent + 2:
                continue
            if depth == indent and word == "-":
                names.append([None, None])
                item = True
            elif depth == indent + 2 and item:
                key, _, value = word.partition(": ")
                if key == "name":
                    names[-1][0] = value
                elif key == "value":
                    names[-1][1] = int(value)
            elif depth < indent:
                item = False
        return [tuple(n) for n in names]

    def parts(self, section, indent):
        """{name: Node} of the items at @indent in @section"""
        parts, inside, item, body = {}, False, None, {}
        for line in self.lines:
            depth = len(line) - len(line.lstrip())
            if depth == 0:
                inside = line.strip() == section + ":"
            elif inside and depth == indent and line.strip() == "-":
                item = None
            elif inside and item is None and line.strip().startswith("name: "):
                item = line.strip()[len("name: "):]
                body[item] = []
            elif inside and item is not None:
                body[item].append(line[indent + 2:])
        for name, lines in body.items():
            parts[name] = Node("\n".join(lines))
        return parts


def numbered(names, prefix, first):
    value, result = first, {}
    for name, explicit in names:
        value = explicit if explicit is not None else value
        result[prefix + name.upper().replace("-", "_")] = value
        value += 1
    return result


def main():
    enums = header_enums(HEADER.read_text())
    spec = Node(SPEC.read_text())
    wanted = {"nst_cmd": numbered(spec.names("operations", 4), "NST_CMD_", 1)}
    for name, part in spec.parts("definitions", 2).items():
        if part.names("entries", 2):
            wanted["nst_" + name] = numbered(
                part.names("entries", 2), f"NST_{name.upper()}_", 0)
    for name, part in spec.parts("attribute-sets", 2).items():
        wanted["nst_a_" + name] = numbered(
            part.names("attributes", 2), f"NST_A_{name.upper()}_", 1)

    failed = 0
    tags = sorted(set(enums) | set(wanted))
    for number, tag in enumerate(tags, 1):
        same = enums.get(tag) == wanted.get(tag) and enums.get(tag)
        if not same:
            failed = 1
            print(f"# header: {enums.get(tag)}")
            print(f"# spec:   {wanted.get(tag)}")
        print(f"{'ok' if same else 'not ok'} {number} ynl_spec__{tag}")
    print(f"1..{len(tags)}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
