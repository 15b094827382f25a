# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Real C programs that nobody annotated, with a compile_commands.json each: fetched from npm, configured, never built.

Stands on npm for the sources and CMake for two of the four databases. Nothing fetched is kept in the repository; the
versions are pinned, because docs/realworld.md speaks of single lines.

usage: databases.py [--dir DIR] [--check] [PROGRAM...]     --check parses every file with every Clang found
"""
import argparse
import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path


def clangs():
    """The installed Clangs from 14 on, oldest first."""
    found = [shutil.which(f"clang-{major}") for major in range(14, 30)]
    return [path for path in found if path]


def run(command, **options):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **options)
    if done.returncode:
        sys.exit(f"databases: {shlex.join(map(str, command))} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def by_cmake(source, build, only, *options):
    """Configure with CMake and keep the entries below `only`, which is the library without tests and examples."""
    run(["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
         f"-DCMAKE_C_COMPILER={clangs()[-1]}", "-DCMAKE_BUILD_TYPE=Release", *options])
    entries = json.loads((build / "compile_commands.json").read_text())
    below = str(source / only) + os.sep
    return [entry for entry in entries if entry["file"].startswith(below) and entry["file"].endswith(".c")]


def by_hand(build, files, *options):
    """One entry a file, for sources that come with no build of their own or with a plain Makefile."""
    return [{"directory": str(build), "file": str(file),
             "arguments": [clangs()[-1], "-O2", "-pthread", *options, "-c", str(file), "-o", file.stem + ".o"]}
            for file in files]


def librdkafka(package, build):
    entries = by_cmake(package / "deps/librdkafka", build, "src", "-DRDKAFKA_BUILD_EXAMPLES=OFF",
                    "-DRDKAFKA_BUILD_TESTS=OFF", "-DWITH_SSL=OFF", "-DWITH_CURL=OFF", "-DWITH_SASL=OFF",
                    "-DWITH_ZSTD=OFF", "-DENABLE_LZ4_EXT=OFF", "-DWITH_ZLIB=ON", "-DWITH_PLUGINS=ON")
    # Its CMake writes `#define X 0` where rdkafka_conf.c asks `#ifdef X`, and so would want libcurl.
    config = build / "generated/config.h"
    config.write_text(config.read_text().replace("#define WITH_OAUTHBEARER_OIDC 0\n", ""))
    return entries


def nanomsg(package, build):
    return by_cmake(package / "deps/nanomsg", build, "src", "-DNN_ENABLE_DOC=OFF", "-DNN_TESTS=OFF", "-DNN_TOOLS=OFF")


def lmdb(package, build):
    source = package / "dependencies/lmdb/libraries/liblmdb"
    programs = sorted(source.glob("mdb_*.c")) + [source / f"mtest{n}.c" for n in ("", 2, 3, 4, 5)]
    library = [source / name for name in ("mdb.c", "midl.c", "module.c", "chacha8.c")]
    return by_hand(build, library + programs + [package / "dependencies/lz4/lib/lz4.c"], f"-I{source}")


def zstd(package, build):
    source = package / "deps/zstd/lib"
    return by_hand(build, sorted(source.rglob("*.c")), "-DZSTD_MULTITHREAD", "-DZSTD_DISABLE_ASM", "-DXXH_NAMESPACE=ZSTD_",
                   f"-I{source}")


# name: npm package, version, how its database is made, and the number of files it must come to.
PROGRAMS = {
    "librdkafka": ("node-rdkafka", "3.6.1", librdkafka, 82),
    "nanomsg": ("nanomsg", "4.2.1", nanomsg, 96),
    "lmdb": ("lmdb", "3.5.6", lmdb, 15),
    "zstd": ("zstd-napi", "0.0.13", zstd, 26),
}


def fetch(package, version, where):
    """Requires npm. Returns the unpacked package's folder; what is already there is not fetched again."""
    folder = where / f"{package}-{version}"
    if not (folder / "package").is_dir():
        if not shutil.which("npm"):
            sys.exit("databases: npm is needed to fetch the sources: apt-get install npm")
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=folder).split()[-1]
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
        archive.unlink()
    return folder / "package"


def make(name, where):
    """Returns the folder that holds this program's compile_commands.json."""
    package, version, entries_of, expected = PROGRAMS[name]
    build = where / name
    build.mkdir(parents=True, exist_ok=True)
    entries = entries_of(fetch(package, version, where), build)
    if len(entries) != expected:
        sys.exit(f"databases: {name} {version} gave {len(entries)} files, expected {expected}")
    (build / "compile_commands.json").write_text(json.dumps(entries, indent=1))
    return build


def copy(name, where, root):
    """A private copy of a program and its database, in root/source and root/build, for whoever changes its files."""
    package, version = PROGRAMS[name][:2]
    original, source = make(name, where), where / f"{package}-{version}"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(source, root / "source")
    shutil.copytree(original, root / "build")
    text = (original / "compile_commands.json").read_text()
    text = text.replace(str(source), str(root / "source")).replace(str(original), str(root / "build"))
    (root / "build/compile_commands.json").write_text(text)


def arguments_of(entry):
    return entry.get("arguments") or shlex.split(entry["command"])


def lines_of(entries):
    return sum(Path(entry["file"]).read_bytes().count(b"\n") for entry in entries)


def check(name, build, clang):
    """Does every file of the database parse? Prints the count; returns whether all do."""
    entries = json.loads((build / "compile_commands.json").read_text())

    def parses(entry):
        command = [clang, *arguments_of(entry)[1:], "-fsyntax-only", "-w"]
        done = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True)
        return done.returncode == 0 or print(entry["file"], done.stderr[:1000], sep="\n")

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        good = sum(bool(result) for result in pool.map(parses, entries))
    print(f"{name:12} {Path(clang).name:10} {good} of {len(entries)} files parse, {lines_of(entries):,} lines", flush=True)
    return good == len(entries)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, default=Path("build/realworld"))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    options = parser.parse_args()
    where = options.dir.resolve()
    good = True
    for name in options.programs or PROGRAMS:
        build = make(name, where)
        print(f"{name:12} {build / 'compile_commands.json'}")
        for clang in clangs() if options.check else []:
            good &= check(name, build, clang)
    sys.exit(not good)


if __name__ == "__main__":
    main()
