# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Install Aglet, move the installed tree, and use it from a project that knows nothing else of it: by find_package
with gcc and with Clang and the plugin, by pkg-config, and as a subdirectory.

Stands on the built tree; usage: install.py CMAKE BUILD CONSUMER VERSION
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

cmake, build, consumer, version = sys.argv[1:5]
steps = 0


def run(*command, expect=0, **options):
    global steps
    steps += 1
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if (done.returncode == 0) != (expect == 0):
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def need(condition, sentence):
    if not condition:
        sys.exit(f"install: {sentence}")


with tempfile.TemporaryDirectory() as scratch:
    scratch = Path(scratch)
    run(cmake, "--install", build, "--prefix", scratch / "first")
    prefix = scratch / "moved"
    (scratch / "first").rename(prefix)
    libdir = Path(next(iter(glob.glob(f"{prefix}/lib*/**/pkgconfig", recursive=True)))).parent
    for config in libdir.glob("cmake/Aglet/*.cmake"):
        need(os.path.realpath(build) not in config.read_text(), f"{config.name} names the build directory")
    has_runtime = any(libdir.glob("libaglet.*"))
    found = [re.search(r"-(\d+)\.so$", name) for name in glob.glob(f"{libdir}/aglet/aglet-clang-*.so")]
    plugins = {match[1] for match in found if match}

    compilers = [("gcc", [])] + [(f"clang-{major}", ["-DCONSUMER_EXPECT_PLUGIN=ON"])
                                 for major in sorted(plugins) if shutil.which(f"clang-{major}")]
    for build_type in ("Release", "Debug") if has_runtime else ("Release",):
        for compiler, extra in compilers:
            here = scratch / f"{compiler}-{build_type}"
            run(cmake, "-S", consumer, "-B", here, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
                f"-DCMAKE_C_COMPILER={compiler}", f"-DCMAKE_BUILD_TYPE={build_type}",
                f"-DCONSUMER_VERSION={version}", *extra)
            run(cmake, "--build", here)
            said = run(here / "consumer")
            need("consumer: 2" in said, f"the consumer said {said!r}")
            if has_runtime:
                linked = run("ldd", here / "consumer")
                checked = "/aglet/checked/libaglet.so.1" in linked
                need(str(prefix) in linked and checked == (build_type == "Debug"), f"{build_type} links {linked}")
            if extra:
                said = run(cmake, "--build", here, "--target", "consumer_wrong", expect=1)
                need("[aglet-guarded-by]" in said, f"aglet_check() found nothing:\n{said}")

    here = scratch / "subdirectory"
    run(cmake, "-S", consumer, "-B", here, "-G", "Ninja", f"-DCONSUMER_SOURCE_TREE={Path(consumer).parents[2]}",
        "-DAGLET_ANALYZER=OFF", "-DAGLET_RUNTIME=OFF")
    run(cmake, "--build", here)
    need("consumer: 2" in run(here / "consumer"), "add_subdirectory: the consumer failed")

    for package in ("aglet", "aglet-checked"):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(libdir / "pkgconfig"))
        need(run("pkg-config", "--modversion", package, env=environment).strip() == version, f"{package}.pc: version")
        run("pkg-config", "--validate", package, env=environment)
        flags = run("pkg-config", "--cflags", "--libs", package, env=environment).split()
        includes = [os.path.realpath(flag[2:]) for flag in flags if flag.startswith("-I")]
        need(includes == [str(prefix / "include")], f"{package}.pc does not follow the moved tree: {flags}")
        program = scratch / f"by-{package}"
        extra = [] if has_runtime else ["-DCONSUMER_WITHOUT_RUNTIME"]
        run("gcc", "-Wall", "-Werror", *extra, Path(consumer) / "consumer.c", *flags, "-pthread", "-o", program)
        for folder in ("", libdir, libdir / "aglet/checked"):
            there = dict(os.environ, LD_LIBRARY_PATH=str(folder))
            need("consumer: 2" in run(program, env=there), "the program failed")
            if has_runtime:
                checked = "/aglet/checked/libaglet.so.1" in run("ldd", program, env=there)
                need(checked == (folder.name == "checked" if folder else package == "aglet-checked"),
                     f"by {package}.pc and with LD_LIBRARY_PATH={folder}: checked is {checked}")

print(f"{steps} steps, {len(compilers)} compilers, runtime: {'yes' if has_runtime else 'not built'}, "
      f"plugins: {' '.join(sorted(plugins)) or 'not built'}")
