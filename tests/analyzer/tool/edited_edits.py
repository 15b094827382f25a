# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The edits of test_edited.py: (what, [(file, text that stands there once, text instead)]), each of them one that compiles."""

LOCKED = "    pthread_mutex_lock(&b->mu);\n"
UNLOCKED = "    pthread_mutex_unlock(&b->mu);\n"
SWEEP = """void sweep_all(struct shelf *s, int depth) {
    if (!s || depth < 0)
        return;
    shelf_lock(s);
    s->n = 0;
    s->first = NULL;
    if (s->ops && s->ops->sweep)
        s->ops->sweep(s->next, depth - 1);
    shelf_unlock(s);
}
"""
SWEEP_ONE = """static void sweep_one(struct shelf *s, int depth) {
    if (!s)
        return;
    shelf_lock(s);
    s->n = depth;
    shelf_unlock(s);
}
"""
OWNED = """void shelf_lock(struct shelf *s) {
    if (s->owner == pthread_self()) {
        s->depth++;
        return;
    }
    pthread_mutex_lock(&s->mu);
    s->owner = pthread_self();
    s->depth = 1;
}
"""
GIVEN = """void shelf_unlock(struct shelf *s) {
    if (--s->depth)
        return;
    s->owner = 0;
    pthread_mutex_unlock(&s->mu);
}
"""
PLAIN_LOCK = "void shelf_lock(struct shelf *s) {\n    pthread_mutex_lock(&s->mu);\n}\n"
PLAIN_UNLOCK = "void shelf_unlock(struct shelf *s) {\n    pthread_mutex_unlock(&s->mu);\n}\n"
ADD = "static void add(struct till *t, long money) {\n    t->money += money;\n}\n"

EDITS = [
    # wrappers: what others take their locks by
    ("a lock wrapper that locks nothing", [("locks.c", "    pthread_mutex_lock(&s->mu);\n", "    (void)s;\n")]),
    ("an unlock wrapper that unlocks nothing", [("locks.c", "    pthread_mutex_unlock(&s->mu);\n", "    (void)s;\n")]),
    ("a wrapper that locks twice", [("locks.c", "    pthread_mutex_lock(&s->mu);\n", "    pthread_mutex_lock(&s->mu);\n    pthread_mutex_lock(&s->mu);\n")]),
    ("a flag that decides the other way", [("locks.c", "    if (wanted)\n        pthread_mutex_lock(mu);", "    if (!wanted)\n        pthread_mutex_lock(mu);")]),
    ("an unlock without its flag", [("locks.c", "    if (wanted)\n        pthread_mutex_unlock(mu);", "    pthread_mutex_unlock(mu);")]),
    ("a try that is false with the lock held", [("locks.c", "    note(s);\n    return true;", "    note(s);\n    return s->open;")]),
    ("a try that always locks", [("locks.c", "    if (pthread_mutex_trylock(&s->mu) != 0)\n        return false;", "    pthread_mutex_lock(&s->mu);")]),
    ("a wrapper that asks who the owner is", [("locks.c", PLAIN_LOCK, OWNED)]),
    ("wrappers that make the lock recursive", [("locks.c", PLAIN_LOCK, OWNED), ("locks.c", PLAIN_UNLOCK, GIVEN)]),
    ("wrappers that make the lock recursive in two files", [("locks.c", PLAIN_LOCK, OWNED), ("locks.c", PLAIN_UNLOCK, ""), ("walk.c", '#include "shop.h"\n', '#include "shop.h"\n\n' + GIVEN)]),
    ("two locks in the other order", [("locks.c", "    shelf_lock(a);\n    if (a != b)\n        shelf_lock(b);", "    if (a != b)\n        shelf_lock(b);\n    shelf_lock(a);")]),
    ("one of two locks left", [("locks.c", "    if (a != b)\n        shelf_unlock(b);\n", "")]),
    ("a wrapper that calls a function of another file", [("locks.c", "    note(s);\n    return true;", "    note(s);\n    till_pay(&till, 1);\n    return true;")]),
    ("a wrapper made of another wrapper", [("locks.c", "void shelf_lock(struct shelf *s) {\n    pthread_mutex_lock(&s->mu);", "void shelf_lock(struct shelf *s) {\n    lock_if(&s->mu, true);")]),
    ("a static function of two files' name renamed in one", [("locks.c", "static void note(struct shelf *s) {", "static void missed(struct shelf *s) {"), ("locks.c", "    note(s);", "    missed(s);")]),
    # shelves
    ("an unlock removed before a return", [("shelf.c", "        shelf_unlock(s);\n        return -1;", "        return -1;")]),
    ("a goto past the unlock", [("shelf.c", "    note(s, true);\nout:\n    shelf_unlock(s);", "    note(s, true);\n    shelf_unlock(s);\nout:")]),
    ("a member touched before the lock", [("shelf.c", "    long n;\n    shelf_lock(s);", "    long n;\n    s->n++;\n    shelf_lock(s);")]),
    ("a member read under its lock after all", [("shelf.c", "    return s->n;\n}", "    shelf_lock(s);\n    long n = s->n;\n    shelf_unlock(s);\n    return n;\n}")]),
    ("a move that ends one section early", [("shelf.c", "    unlock_both(from, to);", "    shelf_unlock(from);")]),
    ("a call of a blocking function under a lock", [("shelf.c", "    note(s, true);", "    note(s, true);\n    work_stop();")]),
    ("a guarded member written with no lock", [("shelf.c", "    s->limit = 10;\n    shelf_unlock(s);", "    shelf_unlock(s);\n    s->limit = 10;")]),
    ("a static function that locks now", [("shelf.c", "    i->next = s->first;\n    s->first = i;\n    s->n++;", "    shelf_lock(s);\n    i->next = s->first;\n    s->first = i;\n    s->n++;\n    shelf_unlock(s);")]),
    ("a static function made external", [("shelf.c", "static void put_locked(", "void put_locked(")]),
    ("a static function annotated", [("shelf.c", "static void put_locked(struct shelf *s, struct item *i) {", "static void put_locked(struct shelf *s, struct item *i) AGLET_REQUIRES(s->mu);\nstatic void put_locked(struct shelf *s, struct item *i) {")]),
    ("a static function moved behind its caller", [("shelf.c", "static void put_locked(struct shelf *s, struct item *i) {\n    i->next = s->first;\n    s->first = i;\n    s->n++;\n}\n", "static void put_locked(struct shelf *s, struct item *i);\n"), ("shelf.c", "long shelf_peek(", "static void put_locked(struct shelf *s, struct item *i) {\n    i->next = s->first;\n    s->first = i;\n    s->n++;\n}\n\nlong shelf_peek(")]),
    ("a function that nobody calls removed", [("shelf.c", "long shelf_peek(struct shelf *s) {\n    return s->n;\n}\n", "")]),
    ("a recursion cut", [("shelf.c", "(s->next ? walk_even(s->next, depth - 1) : 0)", "(s->next ? 1 : 0)")]),
    ("a recursion under the lock", [("shelf.c", "    n = s->n + s->hits;\n    shelf_unlock(s);\n    return n + (s->next ? walk_even(s->next, depth - 1) : 0);", "    n = s->n + s->hits + (s->next ? walk_even(s->next, depth - 1) : 0);\n    shelf_unlock(s);\n    return n;")]),
    # recursion over three files
    ("a flag that is true", [("walk.c", "    lock_if(&s->mu, strict);", "    lock_if(&s->mu, true);")]),
    ("a flag that two calls disagree on", [("walk.c", "    unlock_if(&s->mu, strict);", "    unlock_if(&s->mu, false);")]),
    ("one more way round", [("walk.c", "    return step(s, depth) + shelf_hits(s);", "    sweep_all(s, depth);\n    return step(s, depth) + shelf_hits(s);")]),
    ("a call of the recursion with a lock held", [("walk.c", "    s->misses++;\n    shelf_unlock(s);\n    return step(s, depth)", "    s->misses++;\n    long n = step(s, depth);\n    shelf_unlock(s);\n    return n")]),
    ("a function emptied", [("walk.c", SWEEP, "void sweep_all(struct shelf *s, int depth) {\n}\n")]),
    ("a function of a table that locks no more", [("walk.c", "    shelf_lock(s);\n    s->n = 0;", "    s->n = 0;"), ("walk.c", "depth - 1);\n    shelf_unlock(s);\n}", "depth - 1);\n}")]),
    ("a function moved to another file", [("walk.c", SWEEP, ""), ("box.c", "void box_close(", SWEEP + "\nvoid box_close(")]),
    # the box
    ("a wait without its loop", [("box.c", "    while (is_empty(b) && !b->closed)", "    if (is_empty(b) && !b->closed)")]),
    ("a wait without its lock", [("box.c", "    struct item *i;\n" + LOCKED, "    struct item *i;\n")]),
    ("a condition inverted", [("box.c", "    if (b->waiting)", "    if (!b->waiting)")]),
    ("a signal outside the section", [("box.c", "    if (b->waiting)\n        pthread_cond_signal(&b->some);\n" + UNLOCKED, UNLOCKED + "    if (b->waiting)\n        pthread_cond_signal(&b->some);\n")]),
    ("a write behind the hand-off", [("box.c", "    b->head = i;\n    if (b->waiting)", "    b->head = i;\n    pthread_mutex_unlock(&b->mu);\n    i->price++;\n    pthread_mutex_lock(&b->mu);\n    if (b->waiting)")]),
    ("a flag set with no lock", [("box.c", LOCKED + "    b->closed = true;", "    b->closed = true;\n" + LOCKED)]),
    ("a lock not given back", [("box.c", "        b->head = i->next;\n" + UNLOCKED, "        b->head = i->next;\n")]),
    ("a file of the same code with lines between", [("box.c", "void box_put(", "/* one */\n\n\n\nvoid box_put(")]),
    # the till
    ("an order of two locks the other way round", [("till.c", "    pthread_mutex_lock(&t->mu);\n    shelf_lock(&shelves[0]);", "    shelf_lock(&shelves[0]);\n    pthread_mutex_lock(&t->mu);")]),
    ("that order in another file too", [("shelf.c", "    note(s, true);", "    note(s, true);\n    till_pay(&till, 1);")]),
    ("a callback called with no lock", [("till.c", "    tell(t);\n    pthread_mutex_unlock(&t->mu);", "    pthread_mutex_unlock(&t->mu);\n    tell(t);")]),
    ("a callback that nobody sets", [("till.c", "    t->told = told;\n", "    (void)told;\n")]),
    ("a written name under a shared lock", [("till.c", "        pthread_rwlock_wrlock(&t->names);", "        pthread_rwlock_rdlock(&t->names);"), ("till.c", "    n = t->customers;", "    n = t->customers++;")]),
    ("a shared lock not given back", [("till.c", "    pthread_rwlock_unlock(&t->names);\n", "")]),
    ("two locks of one name", [("till.c", "        pthread_rwlock_rdlock(&t->names);", "        pthread_mutex_lock(&t->mu);")]),
    ("money paid with no lock", [("till.c", "    pthread_mutex_lock(&t->mu);\n    add(t, money);", "    add(t, money);\n    pthread_mutex_lock(&t->mu);")]),
    ("a static function inlined by hand", [("till.c", ADD, ""), ("till.c", "    add(t, money);", "    t->money += money;")]),
    ("a local that is not used", [("till.c", "    long money;\n", "    long money;\n    int unused = 0;\n    (void)unused;\n")]),
    # tables
    ("an entry of a table changed", [("ops.c", "plain = {shelf_put, shelf_take, sweep_one}", "plain = {shelf_put, take_none, sweep_all}")]),
    ("an entry taken out of a table", [("ops.c", "checked = {put_checked, take_none, sweep_all}", "checked = {put_checked, take_none, NULL}")]),
    ("a call through a table under a lock", [("ops.c", "    ops->sweep(s, 3);", "    shelf_lock(s);\n    ops->sweep(s, 3);\n    shelf_unlock(s);")]),
    ("a table's function that leaks its lock", [("ops.c", "    s->misses++;\n    shelf_unlock(s);\n    return NULL;", "    s->misses++;\n    return NULL;")]),
    ("a table's function that stands elsewhere", [("ops.c", SWEEP_ONE, ""), ("ops.c", "static long put_checked(", SWEEP_ONE + "\nstatic long put_checked(")]),
    ("a table that can be written", [("ops.c", "static const struct ops plain", "static struct ops plain"), ("ops.c", "    return kind ? &checked : &plain;", "    if (kind > 2)\n        plain.sweep = sweep_all;\n    return kind ? &checked : &plain;")]),
    ("freed and then used", [("ops.c", "        free(i);\n    i = ops->take(s);", "        free(i);\n    box_put(&orders, i);\n    i = ops->take(s);")]),
    # rows
    ("another lock of the array", [("rows.c", "    totals[row] += *at;\n    pthread_mutex_unlock(&rows[row]);", "    totals[row] += *at;\n    pthread_mutex_unlock(&rows[0]);")]),
    ("one lock of the array left", [("rows.c", "    for (int i = 7; i >= 0; i--)", "    for (int i = 7; i > 0; i--)")]),
    ("a scope's lock taken again", [("rows.c", "        return -1;\n    row_add(row", "        return rows_all();\n    row_add(row")]),
    ("a scope's lock gone", [("rows.c", "    HOLD(&all);\n", "")]),
    ("a constant changed", [("rows.c", "    for (int i = 0; i < 8; i++)", "    for (int i = 0; i < 4; i++)")]),
    ("a global mutex added and used", [("rows.c", "static long totals[8];", "static long totals[8];\nstatic pthread_mutex_t more = PTHREAD_MUTEX_INITIALIZER;"), ("rows.c", "    totals[0]++;", "    pthread_mutex_lock(&more);\n    totals[0]++;\n    pthread_mutex_unlock(&more);")]),
    ("a global that is guarded", [("rows.c", "static long totals[8];", "static long totals[8] AGLET_GUARDED_BY(all);")]),
    ("a constant global added before the others", [("rows.c", "pthread_mutex_t rows[8];", "const int n_rows = 8;\npthread_mutex_t rows[8];")]),
    # threads
    ("a leak mended", [("work.c", "    if (state.running)\n        return -1;", "    if (state.running) {\n        pthread_mutex_unlock(&state.mu);\n        return -1;\n    }")]),
    ("a join removed", [("work.c", "        pthread_join(workers[i], NULL);", "        (void)i;")]),
    ("one more thread", [("work.c", "    box_close(&orders);\n", "    pthread_t t;\n    pthread_create(&t, NULL, work, &orders);\n    box_close(&orders);\n")]),
    ("a thread's object on the stack", [("work.c", "    box_close(&orders);\n", "    pthread_t own;\n    struct box mine = {0};\n    pthread_create(&own, NULL, work, &mine);\n    box_close(&orders);\n")]),
    ("a thread's own lock held at its work", [("work.c", "        run_ops(&shelves[i->price & 3], i);", "        pthread_mutex_lock(&state.mu);\n        run_ops(&shelves[i->price & 3], i);\n        pthread_mutex_unlock(&state.mu);")]),
    ("a callback that locks what is held", [("work.c", "    sweep_all(context, 2);", "    sweep_all(context, 2);\n    till_pay(t, 1);")]),
    ("an item used after it was given away", [("work.c", "        box_put(&orders, i);", "        box_put(&orders, i);\n        i->price++;")]),
    ("an item freed after it was given away", [("work.c", "        box_put(&orders, i);", "        box_put(&orders, i);\n        free(i);")]),
    ("a struct with no tag that has one more member", [("work.c", "    int running;\n    long done;", "    char first;\n    int running;\n    long done;")]),
    ("one more struct with no tag, before it", [("work.c", "static pthread_t workers[2];", "static struct {\n    pthread_mutex_t mu;\n    int running;\n} other = {PTHREAD_MUTEX_INITIALIZER, 0};\nstatic pthread_t workers[2];"), ("work.c", "    box_close(&orders);\n", "    pthread_mutex_lock(&other.mu);\n    other.running = 1;\n    box_close(&orders);\n")]),
    # what one file makes of functions, members and globals of another, which is as it was
    ("a case that no caller asked for before", [("work.c", "till_touch(&till, 1);", "till_touch(&till, 2);")]),
    ("a timeout that blocks", [("work.c", "    till.timeout = 0;", "    till.timeout = -1;")]),
    ("a lock made recursive where it is made", [("work.c", "    pthread_mutex_init(&till.again, NULL);", "    pthread_mutexattr_t attr;\n    pthread_mutexattr_init(&attr);\n    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);\n    pthread_mutex_init(&till.again, &attr);")]),
    ("a flag that is set after all", [("work.c", "    if (work_start(&orders) != 0)", "    strict = work_start(&orders);\n    if (strict != 0)")]),
    ("a flag that is constant", [("locks.c", "int strict;", "int strict = 1;")]),
    ("a global guarded where it is defined", [("rows.c", "long served;", "long served AGLET_GUARDED_BY(served_mu);")]),
    ("a member that decides a lock elsewhere", [("ops.c", "    ops->sweep(s, 3);", "    if (s->open)\n        shelf_lock(s);\n    ops->sweep(s->next, 3);\n    if (s->open)\n        shelf_unlock(s);")]),
    ("a callback that waits", [("walk.c", "    s->n = 0;\n    s->first = NULL;", "    s->n = 0;\n    box_take(&orders);\n    s->first = NULL;")]),
    # the header: every file is parsed again
    ("a member first", [("shop.h", "struct shelf {\n    pthread_mutex_t mu;", "struct shelf {\n    int kind;\n    pthread_mutex_t mu;")]),
    ("a member last", [("shop.h", "    pthread_t owner;\n    int depth;", "    pthread_t owner;\n    int depth;\n    long opened;")]),
    ("a member's type", [("shop.h", "    int customers;", "    long customers;")]),
    ("a mutex made recursive by its model", [("shop.h", "    pthread_mutex_t mu;\n    pthread_cond_t some;", "    pthread_mutex_t mu, mu2;\n    pthread_cond_t some;")]),
    ("a member guarded", [("shop.h", "    long money;", "    long money AGLET_GUARDED_BY(mu);")]),
    ("a member no longer guarded", [("shop.h", "    long limit AGLET_GUARDED_BY(mu);", "    long limit;")]),
    ("members of the struct with no name", [("shop.h", "        long hits;\n        long misses;", "        long misses;\n        long hits;")]),
    ("an inline function of the header that leaks", [("shop.h", "    long hits = s->hits;\n    shelf_unlock(s);", "    long hits = s->hits;")]),
    ("an inline function of the header that locks", [("shop.h", "    t->customers++;", "    pthread_rwlock_wrlock(&t->names);\n    t->customers++;\n    pthread_rwlock_unlock(&t->names);")]),
    ("a declaration that promises a lock", [("shop.h", "void till_pay(struct till *t, long money);", "void till_pay(struct till *t, long money) AGLET_EXCLUDES(t->mu);")]),
    ("a declaration that says Send", [("shop.h", "struct item {\n    struct item *next;", "struct AGLET_SEND item {\n    struct item *next;")]),
    ("a comment in the header", [("shop.h", "struct box {", "/* Between threads. */\nstruct box {")]),
    ("two files at once", [("box.c", "    b->waiting--;\n", ""), ("till.c", "    tell(t);\n", "")]),
]
