# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""C programs of Debian 12's archive that Aglet was not made with: fetched with apt, configured, and compiled under bear.

Stands on apt-get source (its own lists, so that no source of this machine is touched), dpkg-source, bear, and what each program is
compiled with. Nothing fetched is kept in the repository; the versions are pinned, because docs/realworld.md speaks of single lines,
and where the archive gives another one, that is said.

usage: debian.py [--dir DIR] [PROGRAM...]
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from databases import run

# name: source package, version, packages it is compiled with, how, and the number of C files that the lint comes to.
PROGRAMS = {
    "memcached": ("memcached", "1.6.18-1+deb12u1", "libevent-dev", "./configure", "make", 61),
    "redis": ("redis", "5:7.0.15-1~deb12u7", "pkg-config", "true", "make MALLOC=libc", 136),
    "mosquitto": ("mosquitto", "2.0.11-1.2+deb12u2", "libssl-dev libcjson-dev", "true", "make WITH_DOCS=no", 150),
    "knot": ("knot", "3.2.6-1", "libtool autoconf liburcu-dev libgnutls28-dev liblmdb-dev libedit-dev",
             "autoreconf -if && ./configure --disable-documentation --disable-quic --disable-xdp --with-libidn=no", "make -k", 235),
    "multipath-tools": ("multipath-tools", "0.9.4-3+deb12u2", "liburcu-dev libdevmapper-dev libaio-dev libjson-c-dev libudev-dev "
                        "libreadline-dev libmount-dev libsystemd-dev", "true", "make -k CC=gcc WARNFLAGS=-w", 102),
    "libuv": ("libuv1", "1.44.2-1+deb12u1", "cmake", "cmake -S . -B b -DBUILD_TESTING=OFF", "make -C b", 74),
    "x264": ("x264", "2:0.164.3095+gitbaee400-3", "pkg-config",
             "./configure --disable-asm --disable-lavf --disable-swscale --disable-ffms --disable-gpac", "make", 83),
    "haproxy": ("haproxy", "2.6.12-1+deb12u3", "libcrypt-dev", "true", "make TARGET=linux-glibc USE_THREAD=1", 141),
    "unbound": ("unbound", "1.17.1-2+deb12u4", "libssl-dev libexpat1-dev bison flex", "./configure", "make", 92),
    "rsyslog": ("rsyslog", "8.2302.0-1+deb12u1", "libestr-dev libfastjson-dev zlib1g-dev libcurl4-openssl-dev",
                "./configure --disable-generate-man-pages --disable-libgcrypt --disable-uuid --disable-default-tests "
                "--enable-omstdout --enable-imptcp --enable-imfile", "make", 90),
    "libmicrohttpd": ("libmicrohttpd", "0.9.75-6", "libtool", "./configure --disable-https --disable-doc --disable-curl", "make", 42),
    "icecast2": ("icecast2", "2.4.4-4", "libxml2-dev libxslt1-dev libogg-dev libvorbis-dev libtheora-dev libspeex-dev libcurl4-openssl-dev "
                 "libssl-dev", "./configure", "make", 40),
    "stunnel4": ("stunnel4", "3:5.68-2+deb12u1", "libssl-dev", "./configure", "make", 21),
    "xz": ("xz-utils", "5.4.1-1+deb12u2", "automake libtool autopoint", "./configure --disable-nls", "make", 106),
    "libusb": ("libusb-1.0", "2:1.0.26-1", "libudev-dev automake libtool", "./configure", "make", 10),
    "alsa-lib": ("alsa-lib", "1.2.8-1", "libtool automake", "libtoolize -cf; autoreconf -fi; ./configure --disable-python", "make", 113),
    "libwebsockets": ("libwebsockets", "4.1.6-3", "cmake libssl-dev",
                      "cmake -S . -B b -DLWS_WITHOUT_TESTAPPS=ON -DLWS_MAX_SMP=8 -DLWS_WITH_THREADPOOL=1 -DCMAKE_C_FLAGS=-w", "make -C b", 138),
    "fio": ("fio", "3.33-3", "libaio-dev zlib1g-dev", "./configure", "make", 127),
    "squashfs-tools": ("squashfs-tools", "1:4.5.1-1", "zlib1g-dev liblzma-dev liblzo2-dev liblz4-dev libzstd-dev libattr1-dev", "true",
                       "make -C squashfs-tools XZ_SUPPORT=1 LZO_SUPPORT=1 LZ4_SUPPORT=1 ZSTD_SUPPORT=1", 33),
    "tgt": ("tgt", "1:1.0.85-1+deb12u1", "libaio-dev", "true", "make -k", 38),
}
TOOLS = {"bear": "bear", "dpkg-source": "dpkg-dev", "make": "make", "gcc": "gcc"}


def missing(name):
    """The packages to install before the program can be made."""
    wanted = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    for package in PROGRAMS[name][2].split():
        state = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True)
        if state.stdout != "installed":
            wanted.append(package)
    return wanted


def apt(where, *words):
    """apt-get with lists and a cache of its own, which only know where sources are."""
    own = where / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (own / part).mkdir(parents=True, exist_ok=True)
    (own / "sources.list").write_text("".join(f"deb-src http://deb.debian.org/{archive} main\n" for archive in (
        "debian bookworm", "debian-security bookworm-security")))
    options = {"Dir::Etc::sourcelist": own / "sources.list", "Dir::Etc::sourceparts": "-", "Dir::State::lists": own / "lists",
               "Dir::Cache": own / "cache", "APT::Sandbox::User": "root"}
    return run(["apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items()), *words], cwd=where)


def fetch(name, where):
    """Returns the folder of the program's sources, patched as Debian does; what is already there is not fetched again."""
    package, version = PROGRAMS[name][:2]
    folder = where / f"{name}-source"
    if folder.is_dir():
        return folder
    where.mkdir(parents=True, exist_ok=True)
    if not (where / "apt/lists").is_dir() or not any((where / "apt/lists").glob("*Sources*")):
        apt(where, "update")
    apt(where, "source", "--download-only", f"{package}={version}")
    wanted = f"{package}_{version.split(':')[-1]}.dsc"
    dsc = max(where.glob(f"{package}_*.dsc"), key=lambda path: (path.name == wanted, path.stat().st_mtime))
    if dsc.name != wanted:
        print(f"debian: the archive has {dsc.name}, not {wanted}: lines in docs/realworld.md may be others", file=sys.stderr)
    run(["dpkg-source", "--no-check", "-x", dsc, folder], cwd=where)
    return folder


def make(name, where):
    """Returns the folder that holds this program's compile_commands.json."""
    absent = missing(name)
    if absent:
        sys.exit(f"debian: {name} is compiled with packages that are not installed: apt-get install {' '.join(absent)}")
    folder = fetch(name, where)
    if not (folder / "compile_commands.json").exists():
        configure, compile_all = PROGRAMS[name][3:5]
        run(["sh", "-c", configure], cwd=folder)
        subprocess.run(["sh", "-c", f"bear -- {compile_all} -j{os.cpu_count()}"], cwd=folder, stdin=subprocess.DEVNULL,
                       capture_output=True, check=False)  # a manual page that cannot be made is no matter
    if not (folder / "compile_commands.json").exists() or not json.loads((folder / "compile_commands.json").read_text()):
        sys.exit(f"debian: {name} was not compiled: run `bear -- {PROGRAMS[name][4]}` in {folder} to see why")
    return folder


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, default=Path("build/realworld/debian"))
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    options = parser.parse_args()
    for name in options.programs or PROGRAMS:
        print(make(name, options.dir.resolve()), flush=True)


if __name__ == "__main__":
    main()
