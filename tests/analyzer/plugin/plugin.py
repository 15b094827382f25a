#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The plugin's manners: plugin.py CASE CLANG PLUGIN ROOT [OTHER_CLANG]. Each case is one function below; it ends by saying what it saw."""
import pathlib
import re
import subprocess
import sys
import tempfile

case, clang, plugin, root = sys.argv[1:5]
here = pathlib.Path(__file__).resolve().parent
scratch = tempfile.TemporaryDirectory(prefix='aglet-plugin-')
work = pathlib.Path(scratch.name)
FINDING = '[aglet-lock-leak]'


def compile_with(*args, compiler=clang, source=here / 'subject.c', use_plugin=True):
    command = [compiler, '-std=gnu11', f'-I{root}/annotations/include', str(source)]
    if use_plugin:
        command += [f'-fplugin={plugin}']
    return subprocess.run(command + list(args), capture_output=True, text=True, timeout=60, cwd=work)


def need(condition, what, run=None):
    if not condition:
        sys.exit(f'{case}: {what}\n{run.stderr if run else ""}')


def says_findings():
    run = compile_with('-fsyntax-only')
    need(run.returncode == 0 and 'warning: ' in run.stderr and FINDING in run.stderr, 'no warning', run)
    need(re.search(r'subject\.c:17:9: warning:', run.stderr), 'the warning stands elsewhere', run)


def warnings_as_errors():
    run = compile_with('-fsyntax-only', '-Werror')
    need(run.returncode != 0 and 'error: ' in run.stderr and FINDING in run.stderr, 'no error', run)


def no_warnings():
    run = compile_with('-c', '-w', '-o', 'o.o')
    need(run.returncode == 0 and run.stderr == '', 'not silent', run)


def off():
    run = compile_with('-c', '-fplugin-arg-aglet-off', '-o', 'off.o')
    need(run.returncode == 0 and run.stderr == '', 'not silent', run)
    bare = compile_with('-c', '-o', 'bare.o', use_plugin=False)
    need(bare.returncode == 0, 'the bare compilation failed', bare)
    need((work / 'off.o').read_bytes() == (work / 'bare.o').read_bytes(), 'the object differs from the bare one')


def chooses_rules():
    run = compile_with('-fsyntax-only', '-fplugin-arg-aglet-rules=double-lock')
    need(run.returncode == 0 and run.stderr == '', 'another rule was heard', run)
    run = compile_with('-fsyntax-only', '-fplugin-arg-aglet-rules=double-lock,lock-leak')
    need(FINDING in run.stderr, 'the rule was not heard', run)
    run = compile_with('-fsyntax-only', '-fplugin-arg-aglet-rules=no-such')
    need(run.returncode != 0 and "there is no rule 'no-such'" in run.stderr, 'an unknown rule was taken', run)


def unknown_argument():
    run = compile_with('-fsyntax-only', '-fplugin-arg-aglet-loud')
    need(run.returncode != 0 and "there is no plugin argument 'loud'" in run.stderr, 'taken', run)


def configuration():
    (work / 'good.yml').write_text('level: 2\n')
    run = compile_with('-fsyntax-only', '-fplugin-arg-aglet-config=good.yml')
    need(FINDING in run.stderr, 'nothing is said under a configuration', run)
    (work / 'bad.yml').write_text('levle: 2\n')
    run = compile_with('-fsyntax-only', '-fplugin-arg-aglet-config=bad.yml')
    need(run.returncode != 0 and re.search(r'bad\.yml:1:1: ', run.stderr), 'a malformed configuration was taken', run)


def ignores():
    text = (here / 'subject.c').read_text().replace('return -1;', 'return -1; // aglet-ignore(lock-leak): the caller unlocks')
    source = work / 'ignored.c'
    source.write_text(text)
    run = compile_with('-fsyntax-only', source=source)
    need(run.returncode == 0 and run.stderr == '', 'the comment was not heard', run)


def section(obj):
    run = subprocess.run(['readelf', '-SW', str(work / obj)], capture_output=True, text=True, timeout=60)
    return re.search(r'\.aglet +PROGBITS +\S+ \S+ (\S+) \S+ +E ', run.stdout)


def embeds():
    compile_with('-c', '-o', 'o.o')
    need(section('o.o'), 'no section .aglet of kind exclude')
    compile_with('-c', '-O2', '-g', '-save-temps=obj', '-o', 'saved.o')
    need(section('saved.o'), 'no section after -save-temps')
    compile_with('-S', '-o', 's.s')
    need('.section\t.aglet' in (work / 's.s').read_text() or '.section .aglet' in (work / 's.s').read_text(), 'not in the assembly')
    compile_with('-S', '-emit-llvm', '-o', 's.ll')
    need('module asm' not in (work / 's.ll').read_text(), 'the text form of LLVM carries it')
    compile_with('-c', '-fplugin-arg-aglet-no-embed', '-o', 'none.o')
    need(not section('none.o'), 'embedded though told not to')
    main = work / 'main.c'
    main.write_text('int main(void) { return 0; }\n')
    run = compile_with('o.o', '-o', 'program', source=main)
    need(run.returncode == 0 and not section('program'), 'the linker kept the section', run)


def errors_first():
    source = work / 'broken.c'
    source.write_text('#include <pthread.h>\npthread_mutex_t m;\nint f(void) { pthread_mutex_lock(&m); return no; }\n')
    run = compile_with('-fsyntax-only', source=source)
    need(run.returncode != 0 and '[aglet-' not in run.stderr, 'findings on a file that does not parse', run)


def leaves_cxx_alone():
    source = work / 'other.cpp'
    source.write_text('#ifdef __AGLET__\n#error defined\n#endif\nstruct s { ~s(); };\n')
    run = subprocess.run([clang, f'-fplugin={plugin}', '-c', str(source), '-o', str(work / 'cxx.o')], capture_output=True,
                         text=True, timeout=60)
    need(run.returncode == 0 and run.stderr == '', 'C++ was not left alone', run)


def wrong_clang():
    run = compile_with('-fsyntax-only', compiler=sys.argv[5])
    need(run.returncode != 0 and len(run.stderr.strip().splitlines()) == 1, 'not one sentence', run)
    need(re.search(r'this plugin is for Clang \d+ and was loaded by Clang \d+; use aglet-clang-\d+\.so', run.stderr), 'another one', run)


globals()[case]()
print(f'{case}: as it should be')
