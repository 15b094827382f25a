# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The planter on a small file: which bugs it plants, and that each keeps the file's lines. Stands on plant.py alone."""
import sys
import tempfile
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import plant
import plant_order
import source

CODE = '''
#define LOCK(b) my_lock(b) /* not a call */
struct box { int mu, io, n; };
int get(struct box *b, struct box *c) {
    int n;
    my_lock(&b->mu);   // my_unlock(&b->mu);
    n = b->n;
    if (n < 0) {
        my_unlock(&b->mu);
        return -1;
    }
    b->n = "my_lock(x);"[0];
    my_unlock(&b->mu);
    return n;
}
void wait(struct box *b) {
    my_lock(&b->mu);
    while (!b->n)
        my_cond_wait(&b->io, &b->mu);
    b->n = 0;
    my_unlock(&b->mu);
}
static void unused(struct box *b) { my_lock(&b->mu); b->n++; my_unlock(&b->mu); }
static void helper(struct box *b) { get(b, b); }
static struct ops { void (*f)(struct box *); } table = { helper };
void api(void) { use(&table); }
'''


class Program:
    pass


class Planting(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name, "box.c")
        path.write_text(CODE)
        Path(self.folder.name, "box.h").write_text("void api(void); /* unused */ int wait(struct box *b);\n")
        self.source = source.Source(path)
        self.pairs = plant.lock_pairs([self.source])
        self.program = Program()
        self.program.guarded_fields = plant.guarded_fields([self.source], self.pairs)
        self.program.lock_arguments = defaultdict(list)

    def tearDown(self):
        self.folder.cleanup()

    def planted(self, kind, name):
        function = next(f for f in self.source.functions if f.name == name)
        made = list(plant.KINDS[kind](self.source, function, self.pairs, self.program))
        for _, what, text in made:
            self.assertEqual(text.count("\n"), CODE.count("\n"), what)
            self.assertNotEqual(text, CODE, what)
        return made

    def test_functions_and_pairs_are_found(self):
        self.assertEqual([f.name for f in self.source.functions], ["get", "wait", "unused", "helper", "api"])
        self.assertEqual(self.pairs, {"my_lock": "my_unlock"})

    def test_comments_and_strings_are_no_code(self):
        self.assertEqual(len(self.planted("lock removed", "get")), 1)
        self.assertEqual(len(self.planted("unlock removed", "get")), 2)

    def test_the_planted_text_is_the_bug(self):
        self.assertRegex(self.planted("early return", "get")[0][2], r"my_lock\(&b->mu\); \{ .* return 0; \}   // my_unlock")
        self.assertRegex(self.planted("early return", "wait")[0][2], r"my_lock\(&b->mu\); \{ .* return; \}\n")
        self.assertIn("if    (!b->n)", self.planted("wait without loop", "wait")[0][2])
        self.assertIn("my_lock(&c->mu);", self.planted("other instance", "get")[0][2])

    def test_an_access_is_moved_only_if_its_field_is_guarded(self):
        self.assertEqual(self.program.guarded_fields, {"n"})
        moved = [what for _, what, _ in self.planted("access moved out", "wait")]
        self.assertEqual(moved, ["after the unlock: b->n = 0;"])

    def test_a_swap_needs_the_same_order_elsewhere(self):
        path = Path(self.folder.name, "two.c")
        one = "void one(struct box *b) {\n    my_lock(&b->mu);\n    pthread_mutex_lock(&b->io);\n    b->n++;\n" \
              "    pthread_mutex_unlock(&b->io);\n    my_unlock(&b->mu);\n}\n"
        for code, swaps in ((one, 0), (one + one.replace("one", "two"), 1)):
            path.write_text(code + "void u(void) { pthread_mutex_unlock(&m); pthread_mutex_lock(&m); }\n")
            program = Program()
            program.sources, program.reached = [source.Source(path)], {"one", "two"}
            pairs = plant.lock_pairs(program.sources)
            function = program.sources[0].functions[0]
            made = list(plant_order.KINDS["acquisitions swapped"](program.sources[0], function, pairs, program))
            self.assertEqual(len(made), swaps)
            for _, _, text in made:
                self.assertRegex(text, r"{\n    pthread_mutex_lock\(&b->io\);\n    my_lock\(&b->mu\);")

    def test_a_wait_goes_into_what_the_section_calls(self):
        path = Path(self.folder.name, "calls.c")
        path.write_text("static void in(void) { x++; }\nvoid f(void) {\n    my_lock(&m);\n    in();\n    my_unlock(&m);\n}\n")
        program = Program()
        program.sources = [source.Source(path)]
        for kind, planted in (("blocking under a lock", "sleep"), ("yield under a lock", "aglet_yield")):
            made = [text for _, _, text in plant_order.KINDS[kind](program.sources[0], program.sources[0].functions[1],
                                                                   {"my_lock": "my_unlock"}, program)]
            self.assertEqual(len(made), 2)
            self.assertRegex(made[0], r"in\(void\) \{.*" + planted + r".* x\+\+")

    def test_what_the_api_reaches_goes_through_tables(self):
        reached = source.reached([self.source], [Path(self.folder.name, "box.h")])
        self.assertLessEqual({"api", "helper", "get", "wait"}, reached)
        self.assertNotIn("unused", reached)


if __name__ == "__main__":
    unittest.main()
