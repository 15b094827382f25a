# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The object file of an annotated source equals that of the same source with the annotations blanked out, section by
section; with the plugin loaded it equals it too, but for one more section, .aglet, that never reaches memory.

Stands on the ELF format; usage: identical.py INCLUDE PLUGIN_DIR SOURCE...
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHF_ALLOC, SHF_EXCLUDE = 2, 3, 4, 2, 0x80000000


def sections(path):
    """Name -> (flags, content) of every section that says something about the program; relocations by symbol name."""
    data = Path(path).read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"identical: {path} is no 64-bit little-endian ELF object")
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    heads = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]

    def body(head):
        return b"" if head[1] == 8 else data[head[4]:head[4] + head[5]]

    def text(table, at):
        return table[at:table.index(b"\0", at)].decode()

    strings = body(heads[names])
    name_of = [text(strings, head[0]) for head in heads]
    symbols = []
    for head in heads:
        if head[1] == SHT_SYMTAB:
            table = body(heads[head[6]])
            for name, info, _, index, value, _ in struct.iter_unpack("<IBBHQQ", body(head)):
                named = text(table, name) or (name_of[index] if 0 < index < count else "")
                symbols.append((named, info, value))
    result = {}
    for name, head in zip(name_of, heads):
        kind, flags = head[1], head[2]
        if kind in (0, SHT_SYMTAB, SHT_STRTAB) or name == ".llvm_addrsig":
            continue
        content = body(head) if kind != 8 else head[5]
        if kind == SHT_RELA:
            content = [(at, symbols[info >> 32][0], info & 0xFFFFFFFF, add)
                       for at, info, add in struct.iter_unpack("<QQq", content)]
        result[name] = (flags, content)
    result[" symbols"] = (0, sorted(name for name, info, _ in symbols if info >> 4))
    return result


def difference(bare, other, allowed=()):
    """Names of the sections that differ, or are in one object only."""
    return sorted(name for name in bare.keys() | other.keys()
                  if bare.get(name) != other.get(name) and name not in allowed)


def blank(source):
    """The source with each use of a macro of ours replaced by as many spaces: lines and columns stay."""
    out, at = [], 0
    for match in re.finditer(r"\bAGLET_[A-Z_]+\b", source):
        if match.start() < at:
            continue
        end = match.end()
        if source[end:end + 1] == "(":
            depth, end = 1, end + 1
            while depth:
                depth += {"(": 1, ")": -1}.get(source[end], 0)
                end += 1
        if match[0] == "AGLET_TOKEN":
            end += 1
        out += [source[at:match.start()], re.sub(r"[^\n]", " ", source[match.start():end])]
        at = end
    return "".join(out) + source[at:]


def main():
    include, plugins, sources = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    compilers = ["gcc"] + [f"clang-{n}" for n in range(14, 30)]
    compilers = [name for name in compilers if shutil.which(name)]
    compared = with_plugin = would_differ = 0
    failures = []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)

        def compile_(compiler, source, level, *flags):
            out = scratch / "out.o"
            done = subprocess.run([compiler, f"-I{include}", level, *flags, "-c", "x.c", "-o", out], cwd=source,
                                  capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"identical: {compiler} {' '.join(flags)}: {done.stderr}")
            return sections(out)

        for source in sources:
            text = Path(source).read_text()
            for form, content in (("annotated", text), ("bare", blank(text))):
                (scratch / form).mkdir(exist_ok=True)
                (scratch / form / "x.c").write_text(content)
            for compiler in compilers:
                plugin = plugins / f"aglet-{compiler}.so"
                for level in ("-O0", "-O2"):
                    flags = ["-w", "-g"]
                    bare = compile_(compiler, scratch / "bare", level, *flags)
                    compared += 1
                    differing = difference(program(bare), program(compile_(compiler, scratch / "annotated", level, *flags)))
                    if differing:
                        failures.append(f"{source}: {compiler} {level}: {differing}")
                    if compiler == "gcc":
                        continue
                    seen = compile_(compiler, scratch / "annotated", level, "-D__AGLET__", *flags)
                    would_differ += bool(difference(program(bare), program(seen)))
                    if plugin.exists():
                        with_plugin += 1
                        for which in ("annotated", "bare"):
                            loaded = compile_(compiler, scratch / which, level, f"-fplugin={plugin}", *flags)
                            differing = difference(program(bare), program(loaded), allowed=(".aglet",))
                            if differing or (".aglet" in loaded and loaded[".aglet"][0] & SHF_ALLOC):
                                failures.append(f"{source}: {compiler} {level} with the plugin, {which}: {differing}")
    print(f"{compared} objects compared, {with_plugin} with the plugin, {would_differ} would differ with the attributes in")
    for failure in failures:
        print("FAILED", failure)
    if not with_plugin:
        print(f"no plugin in {plugins}: that half is skipped")
    sys.exit(bool(failures) or not compared or not would_differ)


def program(all_sections):
    """Without debug information, which tells where things were written and is no code or data."""
    return {name: content for name, content in all_sections.items() if ".debug" not in name and name != ".comment"}


if __name__ == "__main__":
    main()
