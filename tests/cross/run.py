#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The whole runtime for another processor: builds both libraries, the preloaded checker, the tests and the samples with a
cross compiler and runs them under QEMU. Usage: run.py ROOT BUILD. Stands on aarch64.cmake beside it, ctest and matrix.py.

Left out are the programs in which nobody runs any more: the emulator's own thread always does, so what
stands on quiescence is not found there; and test_stack_checked, which starts itself anew and makes system calls
fail, as an emulated program cannot. Names and lines need libdw, which the cross toolchain does not have."""
import os, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
CC, ROOTFS = "aarch64-linux-gnu-gcc", "/usr/aarch64-linux-gnu"
QUIESCENT = {"async-double-lock", "async-holder-ended", "channel-deadlock", "deadlock-all-wait", "deadlock-block-on",
             "forgotten-sender", "forgotten-sender-joiner", "forgotten-sender-thread", "lost-wakeup"}
UNGUARDED = {"stack-overflow", "stack-overflow-a-little"}  # the emulator takes madvise(MADV_GUARD_INSTALL) and does nothing
TESTS = "^(runtime/(test_|faults|preload|needs)|internal/|stress/stress_locks|sample[.])"
# After a fork of a program with threads, one child in five or so waits for ever for a lock of the emulator's own.
FORKS = "runtime/test_task_fork"
NOT_HERE = "runtime/test_handles_checked|runtime/test_stack_checked|sample[.]forgotten_sender|" + FORKS


def skip(why):
    print("cross: skipped: " + why)
    sys.exit(77)


root, build = (os.path.abspath(p) for p in sys.argv[1:3])
qemu = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
if shutil.which(CC) is None or not os.path.exists(ROOTFS + "/include/pthread.h"):
    skip(f"there is no {CC} with its C library (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross)")
if qemu is None:
    skip("there is no qemu-aarch64 (Debian: qemu-user-static)")
env = {**os.environ, "AGLET_CC": CC, "AGLET_EMULATOR": f"{qemu} -L {ROOTFS}"}


def go(*command):
    print("cross: " + " ".join(os.path.relpath(c, root) if c.startswith(root) else c for c in command), flush=True)
    status = subprocess.run(command, env=env, stdin=subprocess.DEVNULL).returncode
    if status != 0:
        sys.exit(f"cross: {command[0]} ended with {status}")


sanitizers = [f"-DAGLET_HAVE_{name}=OFF" for name in ("thread_SANITIZER", "address_SANITIZER", "TSAN", "ASAN")]
go("cmake", "-S", root, "-B", build, "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={HERE}/aarch64.cmake", "-DAGLET_ANALYZER=OFF",
   f"-DCMOCKA_INCLUDE={HERE}/include", "-DCMOCKA_LIBRARY=c", "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror", *sanitizers)
go("cmake", "--build", build, "--parallel", str(os.cpu_count() or 2))
go("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "--timeout", "200", "-R", TESTS, "-E", NOT_HERE)
detectors = os.path.join(root, "tests", "detectors")
names = sorted({f[:-2] for f in os.listdir(detectors) if f.endswith(".c")} - QUIESCENT - UNGUARDED)
go(sys.executable, detectors + "/matrix.py", "--build", build, "--aglet-only", *names)
print(f"cross: aarch64 is well; left out: {', '.join(sorted(QUIESCENT | UNGUARDED | {FORKS}))}")
