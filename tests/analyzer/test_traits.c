/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Send, Sync and Frozen against Rust's own table, and the chains of reasons.
 * Stands on traits/oracle.c in text form (AGLET_TRAITS_UNIT names another one, as the extractor prints it), and cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ir/builder.h"
#include "ir/text.h"
#include "program/traits.h"

static struct unit *unit;
static struct traits *traits;

static int read_unit(void **state)
{
    (void)state;
    const char *path = getenv("AGLET_TRAITS_UNIT");
    FILE *in = fopen(path ? path : SOURCE_ROOT "/tests/analyzer/traits/oracle.txt", "r");
    if (!in)
        return -1;
    static char text[1 << 22];
    size_t n = fread(text, 1, sizeof text, in);
    fclose(in);
    char err[300] = "";
    unit = unit_parse("oracle.txt", text, n, err, sizeof err);
    if (!unit) {
        fprintf(stderr, "%s\n", err);
        return -1;
    }
    traits = traits_new(models_builtin(), NULL, NULL);
    return 0;
}

static int free_unit(void **state)
{
    (void)state;
    traits_free(traits);
    unit_free(unit);
    return 0;
}

static ir_type struct_named(const char *name)
{
    for (ir_type t = 1; t < unit->n_types; t++)
        if ((unit->types[t].kind == IR_T_STRUCT || unit->types[t].kind == IR_T_TYPEDEF) &&
            strcmp(unit_str(unit, unit->types[t].name), name) == 0)
            return t;
    fail_msg("no type '%s' in the unit", name);
    return 0;
}

static ir_field row(const char *name)
{
    const struct ir_type_rec *rows = &unit->types[struct_named("rows")];
    for (uint32_t i = 0; i < rows->fields.count; i++)
        if (strcmp(unit_str(unit, unit->fields[rows->fields.first + i].name), name) == 0)
            return rows->fields.first + i;
    fail_msg("no row '%s' in struct rows", name);
    return 0;
}

/* Rust's Sync(T) is read as Frozen of the C type where Rust's T is immutable behind &, as Sync where it is a mutable cell or
 * a type that says itself how it is shared (semantics, section 3). Unknown counts as no: that is the strict level. */
static const struct {
    const char *rust, *row;
    bool send, sync;
    enum trait counterpart;
} oracle[] = {
    {"i32", "i32", true, true, TRAIT_FROZEN},
    {"String, CString", "string", true, true, TRAIT_FROZEN},
    {"File", "file", true, true, TRAIT_FROZEN},
    {"*mut T, NonNull<T>", "raw", false, false, TRAIT_FROZEN},
    {"*const c_void", "any", false, false, TRAIT_FROZEN},
    {"&i32", "ref_int", true, true, TRAIT_FROZEN},
    {"&mut i32", "mut_int", true, true, TRAIT_FROZEN},
    {"&Cell<T>", "ref_cell", false, false, TRAIT_SYNC},
    {"&mut Cell<T>", "mut_cell", true, false, TRAIT_SYNC},
    {"Cell, RefCell, UnsafeCell<i32>", "cell", true, false, TRAIT_SYNC},
    {"Rc<T>, rc::Weak<T>", "rc", false, false, TRAIT_FROZEN},
    {"Arc<i32>", "arc", true, true, TRAIT_SYNC},
    {"Arc<i32>, by const", "arc_const", true, true, TRAIT_FROZEN},
    {"Arc<Cell<i32>>", "arc_cell", false, false, TRAIT_SYNC},
    {"Mutex<i32>", "mutex_int", true, true, TRAIT_SYNC},
    {"Mutex<Cell<i32>>", "mutex_cell", true, true, TRAIT_SYNC},
    {"Mutex<*mut i32>", "mutex_raw", false, false, TRAIT_SYNC},
    {"Mutex<Rc<_>>", "mutex_rc", false, false, TRAIT_SYNC},
    {"MutexGuard<i32>", "guard", false, true, TRAIT_FROZEN},
    {"MutexGuard<Cell<i32>>", "guard_cell", false, false, TRAIT_FROZEN},
    {"RwLock<i32>", "rwlock_int", true, true, TRAIT_SYNC},
    {"RwLock<Cell<i32>>", "rwlock_cell", true, false, TRAIT_SYNC},
    {"RwLockReadGuard<i32>", "read_guard", false, true, TRAIT_FROZEN},
    {"PoisonError<MutexGuard>", "poison_error", false, true, TRAIT_FROZEN},
    {"mpsc::Sender<i32>", "sender", true, true, TRAIT_SYNC},
    {"mpsc::Sender<Cell<i32>>", "sender_cell", true, true, TRAIT_SYNC},
    {"mpsc::Sender<Rc<i32>>", "sender_rc", false, false, TRAIT_SYNC},
    {"mpsc::Receiver<i32>", "receiver", true, false, TRAIT_SYNC},
    {"mpsc::Iter", "receiver_iter", false, false, TRAIT_SYNC},
    {"JoinHandle<Rc<i32>>", "join_handle", true, true, TRAIT_SYNC},
    {"ScopedJoinHandle<Rc<i32>>", "scoped_join_handle", false, false, TRAIT_SYNC},
    {"Thread, ThreadId", "thread", true, true, TRAIT_FROZEN},
    {"LocalKey<Rc<_>>", "local_key", true, true, TRAIT_SYNC},
    {"AtomicI32", "atomic", true, true, TRAIT_SYNC},
    {"AtomicPtr<Rc<_>>", "atomic_pointer", true, true, TRAIT_SYNC},
    {"fn(Rc<_>) -> *mut _", "function", true, true, TRAIT_SYNC},
    {"OnceLock<i32>", "once_int", true, true, TRAIT_SYNC},
    {"OnceLock<Cell<i32>>", "once_cell", true, false, TRAIT_SYNC},
    {"LazyLock<Rc<_>>", "lazy_rc", false, false, TRAIT_SYNC},
    {"Once", "once", true, true, TRAIT_SYNC},
    {"Condvar", "condvar", true, true, TRAIT_SYNC},
    {"Barrier", "barrier", true, true, TRAIT_SYNC},
    {"Box<i32>", "owned_int", true, true, TRAIT_FROZEN},
    {"Box<Cell<i32>>", "mut_cell", true, false, TRAIT_SYNC},
    {"Vec<Rc<_>>", "vec_rc", false, false, TRAIT_FROZEN},
    {"Box<dyn Fn()>", "closure", false, false, TRAIT_FROZEN},
    {"Box<dyn Fn() + Send>", "closure_send", true, false, TRAIT_FROZEN},
    {"Box<dyn Fn() + Send + Sync>", "closure_sync", true, true, TRAIT_FROZEN},
    {"Box<dyn Any>", "any", false, false, TRAIT_FROZEN},
    {"PhantomData<*const ()>", "phantom_raw", false, false, TRAIT_FROZEN},
    {"PhantomData<Cell<()>>", "phantom_cell", true, false, TRAIT_FROZEN},
    {"task::Waker", "waker", true, true, TRAIT_FROZEN},
    {"task::Context", "context", false, false, TRAIT_FROZEN},
    {"VaList, fmt::Arguments", "arguments", false, false, TRAIT_FROZEN},
    {"Stdout", "stdout_", true, true, TRAIT_SYNC},
    /* the runtime's counterparts */
    {"Mutex<()>", "own_mutex", true, true, TRAIT_SYNC},
    {"RwLock<()>", "own_rwlock", true, true, TRAIT_SYNC},
    {"Condvar", "own_cond", true, true, TRAIT_SYNC},
    {"Once", "own_once", true, true, TRAIT_SYNC},
    {"Barrier", "own_barrier", true, true, TRAIT_SYNC},
    {"(semaphore)", "own_semaphore", true, true, TRAIT_SYNC},
    {"MutexGuard<()>", "own_guard", false, true, TRAIT_FROZEN},
    {"RwLockReadGuard<()>", "own_read_guard", false, true, TRAIT_FROZEN},
    {"JoinHandle", "own_thread", true, true, TRAIT_FROZEN},
    {"JoinHandle (task)", "own_task", true, true, TRAIT_SYNC},
    {"sync::Weak<i32>", "own_weak", true, true, TRAIT_SYNC},
    {"Mutex<i32>", "own_mutex_of", true, true, TRAIT_SYNC},
    {"mpsc::Sender<i32>", "own_sender", true, true, TRAIT_SYNC},
    {"mpsc::Receiver<i32>", "own_receiver", true, false, TRAIT_SYNC},
    {"(many-consumer receiver)", "own_shared_receiver", true, true, TRAIT_SYNC},
    /* what C adds */
    {"(a list)", "list", true, false, TRAIT_SYNC},
    {"(two structs in a ring, one with an Rc)", "odd", false, false, TRAIT_FROZEN},
    {"(anonymous members)", "anonymous", true, true, TRAIT_SYNC},
    {"(bit-fields)", "bit_fields", true, false, TRAIT_SYNC},
    {"(a flexible array)", "flexible", false, false, TRAIT_FROZEN},
    {"(a member's member)", "job", false, false, TRAIT_FROZEN},
    {"(never defined)", "opaque", false, false, TRAIT_FROZEN},
    {"(a typedef with a mark)", "thread_bound", false, true, TRAIT_FROZEN},
    {"(array)", "name", true, true, TRAIT_FROZEN},
    {"(const char *)", "text", true, true, TRAIT_SYNC},
    {"(semaphore)", "semaphore", true, true, TRAIT_SYNC},
    {"(jmp_buf)", "jump", false, false, TRAIT_SYNC},
    {"(each member const or atomic)", "all_fine", true, true, TRAIT_SYNC},
};

static void answers_are_rustcs(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof oracle / sizeof *oracle; i++) {
        ir_field f = row(oracle[i].row);
        struct trait_verdict send = traits_of_field(traits, unit, f, TRAIT_SEND),
                             sync = traits_of_field(traits, unit, f, oracle[i].counterpart);
        char why[200] = "";
        if ((send.answer == ANSWER_YES) != oracle[i].send) {
            trait_reason_words(send.reason, why, sizeof why);
            print_error("%s (%s): Send is %d: %s\n", oracle[i].rust, oracle[i].row, send.answer, why);
            wrong++;
        }
        if ((sync.answer == ANSWER_YES) != oracle[i].sync) {
            trait_reason_words(sync.reason, why, sizeof why);
            print_error("%s (%s): %s is %d: %s\n", oracle[i].rust, oracle[i].row, trait_name(oracle[i].counterpart),
                        sync.answer, why);
            wrong++;
        }
        assert_true((send.answer == ANSWER_YES) == (send.reason == NULL));
    }
    assert_int_equal(wrong, 0);
    print_message("%zu rows\n", sizeof oracle / sizeof *oracle);
}

/* Unknown is not no: below the strict level nothing is said of these. */
static void what_use_decides_is_unknown(void **state)
{
    (void)state;
    static const char *const rows[] = {"raw", "any", "closure", "opaque", "mutex_raw"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(traits_of_field(traits, unit, row(rows[i]), TRAIT_SEND).answer, ANSWER_UNKNOWN);
    assert_int_equal(traits_of_field(traits, unit, row("rc"), TRAIT_SEND).answer, ANSWER_NO);
}

static void chain(const char *name, enum trait trait, const char *path, const char *words, const char *remedy)
{
    char text[300];
    struct trait_verdict v = traits_of_field(traits, unit, row(name), trait);
    assert_non_null(v.reason);
    trait_reason_path(v.reason->cause, name, text, sizeof text);
    assert_string_equal(text, path);
    trait_reason_words(v.reason, text, sizeof text);
    assert_string_equal(text, words);
    assert_string_equal(trait_reason_remedy(v.reason), remedy);
}

static void reasons_name_the_member_at_fault(void **state)
{
    (void)state;
    chain("job", TRAIT_SEND, "job.conn.back", "'jmp_buf': it names a place on one thread's stack",
          "keep it on its thread and hand over what it is made from");
    chain("odd", TRAIT_SEND, "odd.next->shared->refs", "reference count 'refs' is not atomic", "make the counter _Atomic");
    chain("list", TRAIT_SYNC, "list.next", "an owned pointer that any thread may write, with no lock",
          "guard it with AGLET_GUARDED_BY");
    chain("rwlock_cell", TRAIT_SYNC, "rwlock_cell.value",
          "'struct cell' is marked so: its value is filled in on first use, and the readers of its lock run in parallel",
          "keep it on its thread and hand over what it is made from");
    chain("bit_fields", TRAIT_SYNC, "bit_fields.a", "a plain 'unsigned int' that any thread may write, with no lock",
          "guard it with AGLET_GUARDED_BY, or make it _Atomic or const");
    chain("poison_error", TRAIT_SEND, "poison_error.guard", "a held lock must be released by the thread that took it",
          "release the lock first, and let the other thread take it");
    chain("flexible", TRAIT_SEND, "flexible->items[]->refs", "reference count 'refs' is not atomic", "make the counter _Atomic");
}

static void assertions_are_proved_or_the_member_named(void **state)
{
    (void)state;
    char path[100];
    assert_int_equal(traits_of(traits, unit, struct_named("claims_sync"), TRAIT_SYNC).answer, ANSWER_YES);
    struct trait_verdict v = traits_by_members(traits, unit, struct_named("claims_sync"), TRAIT_SYNC);
    assert_int_equal(v.answer, ANSWER_NO);
    trait_reason_path(v.reason, "struct claims_sync", path, sizeof path);
    assert_string_equal(path, "struct claims_sync.naked");
    assert_int_equal(traits_by_members(traits, unit, struct_named("claims_send"), TRAIT_SEND).answer, ANSWER_YES);
    ir_loc where;
    assert_string_equal(traits_contradiction(unit, struct_named("contradiction"), &where),
                        "AGLET_SEND and AGLET_NOT_SEND stand on one type");
    assert_null(traits_contradiction(unit, struct_named("claims_sync"), &where));
}

static void types_are_spelled_as_in_c(void **state)
{
    (void)state;
    static const struct {
        const char *row, *spelling;
    } cases[] = {{"rc", "struct rc_int *"}, {"text", "const char *"}, {"name", "char[16]"},
                 {"function", "struct rc_int *(*)(...)"}, {"owned_int", "owned_int"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        type_spelling(unit, unit->fields[row(cases[i].row)].type, text, sizeof text);
        assert_string_equal(text, cases[i].spelling);
    }
}

/* ---- bad input: sizes ---- */

static ir_type make_type(struct unit_builder *b, const struct ir_type_rec *rec)
{
    ir_type t = build_type_reserve(b);
    build_type_define(b, t, rec);
    return t;
}

static void long_chains_and_wide_structs_end(void **state)
{
    (void)state;
    enum { DEEP = 20000, WIDE = 10000 };
    struct unit_builder *b = unit_builder_new();
    ir_type t = make_type(b, &(struct ir_type_rec){.kind = IR_T_INT, .name = build_str(b, "int", 3)}), leaf = t;
    for (int i = 0; i < DEEP; i++) {
        t = make_type(b, &(struct ir_type_rec){.kind = IR_T_POINTER, .elem = t});
        ir_type s = build_type_reserve(b);
        struct ir_range f = build_fields(b, s, &(struct ir_field_rec){.name = build_str(b, "p", 1), .type = t}, 1);
        build_type_define(b, s, &(struct ir_type_rec){.kind = IR_T_STRUCT, .name = build_str(b, "s", 1), .fields = f});
        t = s;
    }
    static struct ir_field_rec wide[WIDE];
    ir_type w = build_type_reserve(b), pw = make_type(b, &(struct ir_type_rec){.kind = IR_T_POINTER, .elem = w});
    for (int i = 0; i < WIDE; i++)
        wide[i] = (struct ir_field_rec){.name = build_str(b, "f", 1), .type = i % 2 ? leaf : pw};
    struct ir_range f = build_fields(b, w, wide, WIDE);
    build_type_define(b, w, &(struct ir_type_rec){.kind = IR_T_STRUCT, .name = build_str(b, "w", 1), .fields = f});
    struct unit *u = unit_builder_finish(b);
    struct traits *big = traits_new(models_builtin(), NULL, NULL);
    assert_int_equal(traits_of(big, u, t, TRAIT_SEND).answer, ANSWER_UNKNOWN);
    assert_int_equal(traits_of(big, u, w, TRAIT_SYNC).answer, ANSWER_NO);
    assert_int_equal(traits_of(big, u, w, TRAIT_SEND).answer, ANSWER_UNKNOWN);
    traits_free(big);
    unit_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_rustcs),
        cmocka_unit_test(what_use_decides_is_unknown),
        cmocka_unit_test(reasons_name_the_member_at_fault),
        cmocka_unit_test(assertions_are_proved_or_the_member_named),
        cmocka_unit_test(types_are_spelled_as_in_c),
        cmocka_unit_test(long_chains_and_wide_structs_end),
    };
    return cmocka_run_group_tests(tests, read_unit, free_unit);
}
