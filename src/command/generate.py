#!/usr/bin/env python3
"""Writes generated.rs, the command table, from what live servers say of their commands.

    src/command/generate.py HOST:PORT [HOST:PORT ...] > src/command/generated.rs

Ask the newest servers of each kind, with no module loaded that is not theirs; module commands are left
out. The table is the union: where two servers differ, the later one wins, flags are joined and the more
lenient arity is taken, so that no request is refused here that one of them would accept.
"""

import socket
import subprocess
import sys
import textwrap


class Server:
    """A RESP3 connection to one server."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.file = socket.create_connection((host, int(port)), timeout=10).makefile("rwb")
        self.call("HELLO", "3")
        lines = self.call("INFO", "server").splitlines()
        facts = dict(line.split(":", 1) for line in lines if ":" in line)
        valkey = facts.get("valkey_version")
        self.version = f"Valkey {valkey}" if valkey else f"Redis {facts['redis_version']}"

    def call(self, *args):
        request = b"*%d\r\n" % len(args)
        for arg in args:
            request += b"$%d\r\n%s\r\n" % (len(arg), arg.encode())
        self.file.write(request)
        self.file.flush()
        return self.reply()

    def reply(self):
        line = self.file.readline()[:-2]
        kind, rest = line[:1], line[1:].decode()
        if kind in b"+(":
            return rest
        if kind == b":":
            return int(rest)
        if kind in b"_":
            return None
        if kind in b"$=":
            text = self.file.read(int(rest) + 2)[:-2].decode()
            return text[4:] if kind == b"=" else text
        if kind in b"*~>":
            return [self.reply() for _ in range(int(rest))]
        if kind == b"%":
            return {self.reply(): self.reply() for _ in range(int(rest))}
        raise SystemExit(f"unexpected reply: {line!r}")


def read(server):
    """All commands of a server by name, each as a dict."""
    docs = server.call("COMMAND", "DOCS")
    entries = server.call("COMMAND")
    return {e[0]: command(e, docs.get(e[0], {})) for e in entries if "module" not in e[2]}


def command(entry, docs):
    name, arity, flags, first, last, step, categories, tips, specs, subcommands = entry
    sub_docs = docs.get("subcommands", {})
    return {
        "name": name,
        "arity": arity,
        "flags": set(flags),
        "categories": {c.removeprefix("@") for c in categories},
        "positions": (first, last, step),
        "tips": tips,
        "specs": specs,
        "docs": {k: docs.get(k, "") for k in ("since", "group", "complexity", "summary")},
        "subcommands": {s[0]: command(s, sub_docs.get(s[0], {})) for s in subcommands},
    }


def merge(old, new):
    """The union of two dicts of commands."""
    merged = dict(old)
    for name, command in new.items():
        merged[name] = merge_one(old[name], command) if name in old else command
    return merged


def merge_one(old, new):
    merged = dict(new)
    if old["arity"] != new["arity"]:
        merged["arity"] = -min(abs(old["arity"]), abs(new["arity"]))
    merged["flags"] = old["flags"] | new["flags"]
    merged["subcommands"] = merge(old["subcommands"], new["subcommands"])
    return merged


def text(string):
    """A string literal, with continued lines where it is too long for one."""
    lines = textwrap.wrap(" ".join(string.split()), 60, break_long_words=False, break_on_hyphens=False)
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + " \\\n".join(escaped) + '"'


def bits(kind, names):
    return " | ".join(f"{kind}::{n.upper()}" for n in sorted(names)) or "0"


def key_spec(spec):
    begin, find = spec["begin_search"], spec["find_keys"]
    begin = {
        "index": lambda s: f"Begin::Index({s['index']})",
        "keyword": lambda s: f"Begin::Keyword({text(s['keyword'])}, {s['startfrom']})",
        "unknown": lambda s: "Begin::Unknown",
    }[begin["type"]](begin["spec"])
    find = {
        "range": lambda s: "Find::Range { last: %(lastkey)d, step: %(keystep)d, limit: %(limit)d }" % s,
        "keynum": lambda s: "Find::Keynum { count_at: %(keynumidx)d, first: %(firstkey)d, step: %(keystep)d }" % s,
        "unknown": lambda s: "Find::Unknown",
    }[find["type"]](find["spec"])
    notes = f".notes({text(spec['notes'])})" if spec.get("notes") else ""
    return f"KeySpec::new({bits('KeyFlags', spec['flags'])}, {begin}, {find}){notes}"


def rust(command):
    docs = command["docs"]
    out = f"Spec::new({text(command['name'])}, {command['arity']}, {bits('Flags', command['flags'])})"
    out += f".acl({bits('Categories', command['categories'])})"
    out += ".docs(" + ", ".join(text(docs[k]) for k in ("since", "group", "complexity", "summary")) + ")"
    if any(command["positions"]):
        out += ".positions(%d, %d, %d)" % command["positions"]
    if command["specs"]:
        out += ".keys(&[" + ", ".join(map(key_spec, command["specs"])) + "])"
    if command["tips"]:
        out += ".tips(&[" + ", ".join(map(text, command["tips"])) + "])"
    if command["subcommands"]:
        out += ".subcommands(&[" + ", ".join(rust(c) for _, c in sorted(command["subcommands"].items())) + "])"
    return out


def main():
    servers = [Server(address) for address in sys.argv[1:]]
    if not servers:
        raise SystemExit(__doc__)
    commands = {}
    for server in servers:
        commands = merge(commands, read(server))
    lines = [
        "//! The command table. Generated, not to be edited: `src/command/generate.py` asked",
        f"//! {' and '.join(s.version for s in servers)}.",
        "//!",
        "//! Holds what servers say of their commands; what slotway does with them is in `handling`.",
        "//! Invariant: sorted by name, and a subcommand's name starts with its container's and `|`.",
        "",
        "use super::{Begin, Categories, Find, Flags, KeyFlags, KeySpec, Spec};",
        "",
        "/// How many commands there are, subcommands not counted.",
        f"pub const COUNT: usize = {len(commands)};",
        "",
        "pub(super) static SPECS: [Spec; COUNT] = [",
        *(rust(c) + "," for _, c in sorted(commands.items())),
        "];",
    ]
    formatted = subprocess.run(
        ["rustfmt", "--edition", "2024", "--config", "max_width=110,use_small_heuristics=Max"],
        input="\n".join(lines) + "\n", capture_output=True, text=True, check=True,
    )
    sys.stdout.write(formatted.stdout)


if __name__ == "__main__":
    main()
