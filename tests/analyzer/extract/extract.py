#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The extractor on commands as databases hold them: extract.py CASE EXTRACTOR CLANG. Each case is one function below."""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

case, extractor, clang = sys.argv[1:4]
scratch = tempfile.TemporaryDirectory(prefix='aglet-extract-')
work = pathlib.Path(scratch.name)
(work / 'good.c').write_text('#include "value.h"\nint f(void) { return VALUE; }\n')
(work / 'value.h').write_text('#ifndef VALUE\n#define VALUE 1\n#endif\n')


def extract(*command, options=('--text',)):
    return subprocess.run([extractor, *options, '--', *map(str, command)], capture_output=True, text=True, timeout=60, cwd=work)


def need(condition, what, run):
    if not condition:
        sys.exit(f'{case}: {what} (exit status {run.returncode})\n{run.stdout[-2000:]}{run.stderr[-2000:]}')


def one_sentence(run, status, words):
    need(run.returncode == status, f'the status is not {status}', run)
    need(len(run.stderr.strip().splitlines()) == 1 and re.search(words, run.stderr), 'not the sentence', run)


def gcc_only_flags():
    run = extract('gcc', '-fno-such-flag', '-fipa-pta', '-fconserve-stack', '-mno-such', '-Wp,-MD,x.d', '-Werror=restrict', '-MMD', '-MF', 'x.d',
                  '-fplugin=nowhere.so', '-specs=none', '-O2', '-c', 'good.c', '-o', 'x.o')
    need(run.returncode == 0 and 'func f()' in run.stdout and run.stderr == '', 'it was not lowered in silence', run)
    need(not list(work.glob('x.*')), 'it wrote output of the compiler', run)


def definitions_matter():
    need('return 7' in extract('cc', '-DVALUE=7', '-c', 'good.c').stdout, '-D is lost', extract('cc', '-DVALUE=7', '-c', 'good.c'))
    (work / 'sub').mkdir()
    (work / 'sub' / 'value.h').write_text('#define VALUE 9\n')
    (work / 'angled.c').write_text('#include <value.h>\nint f(void) { return VALUE; }\n')
    run = extract('cc', '-isystem', 'sub', '-c', 'angled.c')
    need('return 9' in run.stdout, '-isystem is lost', run)


def what_gcc_takes():
    (work / 'old.c').write_text('f() { g(); return h(1); }\nchar *s = 3;\n')
    run = extract('gcc', '-c', 'old.c')
    need(run.returncode == 0 and run.stderr == '', 'a gcc dialect is refused', run)


def cc1_rows():
    run = subprocess.run([clang, '-###', '-c', '-g', '-O1', '-DVALUE=5', 'good.c'], capture_output=True, text=True, cwd=work)
    row = shlex.split(run.stderr.strip().splitlines()[-1])
    need('-cc1' in row, 'the driver gave no row', run)
    run = extract(*row)
    need(run.returncode == 0 and 'return 5' in run.stdout, 'the row was not understood', run)
    need(not (work / 'good.o').exists(), 'it compiled', run)


def does_not_parse():
    (work / 'bad.c').write_text('int f(int a) { return a + ; }\nint g(void) { return 2; }\n')
    run = extract('cc', '-c', 'bad.c')
    need(run.returncode == 1 and 'bad.c:1:27: error: expected expression' in run.stderr, 'not said as Clang says it', run)
    need('func g()' in run.stdout, 'what did parse is lost', run)
    (work / 'lost.c').write_text('#include "nowhere.h"\nint f(void) { return 2; }\n')
    run = extract('cc', '-c', 'lost.c')
    need(run.returncode == 1 and "'nowhere.h' file not found" in run.stderr and run.stdout == '', 'half a file was lowered', run)


def not_c():
    (work / 'other.cc').write_text('int x;\n')
    (work / 'asm.S').write_text('nop\n')
    for command in (['c++', '-c', 'other.cc'], ['cc', '-x', 'c++', '-c', 'good.c'], ['cc', '-c', 'asm.S'], ['g++', '-c', 'other.cc']):
        run = extract(*command)
        need(run.returncode == 3 and run.stdout == '', f'{command} is taken for C', run)


def no_work():
    one_sentence(extract('cc', '-c', 'missing.c'), 2, r"there is no file 'missing\.c'")
    one_sentence(extract('cc', 'a.o', '-o', 'a'), 2, 'compiles no source')
    one_sentence(extract('cc', '-c', 'good.c', options=('--out', 'no/where')), 4, r"cannot write 'no/where'")
    one_sentence(extract('cc', '-c', 'good.c', options=()), 2, 'give one of --text and --out')
    one_sentence(extract('cc', '-c', 'good.c', options=('--loud',)), 2, "unknown option '--loud'")
    one_sentence(extract(), 2, 'usage')


def dependencies():
    (work / 'probe.c').write_text('#if __has_include("absent.h")\n#endif\n#include "value.h"\nint x = VALUE;\n')
    run = extract('cc', '-Ifirst', '-c', 'probe.c', options=('--out', 'u', '--deps', 'd'))
    need(run.returncode == 0, 'it failed', run)
    lines = (work / 'd').read_text().splitlines()
    read = [os.path.normpath(line.split(' ', 5)[-1]) for line in lines if line.startswith('read ')]
    miss = [os.path.normpath(line[5:]) for line in lines if line.startswith('miss ')]
    need(lines[0] == 'aglet-deps 1' and lines[-1] == 'end', f'no list: {lines}', run)
    need(read[0] == str(work / 'probe.c') and str(work / 'value.h') in read, f'the files read are {read}', run)
    need(str(work / 'absent.h') in miss, f'the probe that failed is not in {miss}', run)
    need(any('libclang' in line for line in read), 'Clang itself is not in the list', run)


def twice_the_same():
    runs = [extract('cc', '-c', 'good.c', options=('--out', name)) for name in ('a', 'b')]
    need((work / 'a').read_bytes() == (work / 'b').read_bytes(), 'two runs differ', runs[0])


def preprocessed():
    subprocess.run([clang, '-E', 'good.c', '-o', 'good.i'], check=True, cwd=work)
    run = extract('cc', '-c', 'good.i')
    need(run.returncode == 0 and re.search(r'^file "good\.c"', run.stdout, re.M), 'places are not those of the line markers', run)


globals()[case]()
print(f'{case}: as it should be')
