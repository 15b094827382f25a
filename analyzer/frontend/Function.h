/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Lowers one function body to its event graph: a small code generator that emits events instead of instructions.
 * Stands on Unit.h for types and declarations, on ir/builder.h for blocks and events.
 *
 * Why no clang::CFG: it drops what the events need, differently on each version: the value of ?:, && and ||, of
 * statement expressions, the calls of cleanup attributes before 18, the order inside an expression. */
#ifndef AGLET_FRONTEND_FUNCTION_H
#define AGLET_FRONTEND_FUNCTION_H

#include "Unit.h"

namespace aglet {

class FunctionLowering {
  public:
    /* `definition` is null for the pseudo-function of the initialisers. */
    FunctionLowering(UnitLowering &unit, ir_func func, const clang::FunctionDecl *definition);

    void lower_body();
    void initialise_global(ir_var var, const clang::Expr *value);
    /* Close the graph: the last return, the jumps that waited for their labels. */
    void finish(clang::SourceLocation end);

  private:
    /* ---- the graph (Graph.cpp) ---- */
    using BlockId = uint32_t;
    BlockId new_block() {
        return graph_block(b);
    }
    void event(const ir_event_rec &rec);
    void go(BlockId target, clang::SourceRange where = {});
    void branch_on(ir_expr cond, BlockId yes, BlockId no, clang::SourceRange where);
    void end_block(ir_term_kind term, ir_expr cond, llvm::ArrayRef<ir_succ_rec> succs,
                   clang::SourceRange where);
    void start(BlockId block);
    void start_nowhere();
    bool open();

    ir_expr make(uint32_t op, ir_type type, uint32_t a = 0, uint32_t bb = 0, uint32_t c = 0, ir_loc loc = 0);
    const ir_expr_rec &expr_rec(ir_expr e) const {
        return unit_builder_unit(b)->exprs[e];
    }
    ir_expr constant(int64_t value, ir_type type);
    ir_expr integer(int64_t value) {
        return constant(value, unit.type(unit.ast.IntTy));
    }
    bool is_constant(ir_expr e, int64_t &value) const;
    ir_expr unknown(clang::QualType type) {
        return make(IR_E_UNKNOWN, unit.type(type));
    }
    ir_expr var_place(ir_var var, clang::SourceRange where = {});
    ir_expr load(ir_expr place, ir_loc loc = 0);
    ir_type unqualified(ir_type type) const;
    ir_expr address(ir_expr place, ir_type type);
    ir_expr deref(ir_expr pointer, ir_type type, ir_loc loc);
    void store(ir_expr place, ir_expr value, uint32_t flags, ir_loc loc);
    ir_var temp(ir_type type);
    /* The value, put into a temp now, unless nothing that happens later can change it. */
    ir_expr hold(ir_expr value);
    bool may_change(ir_expr value) const;
    bool reads_memory(ir_expr value) const;
    void mark_addressed(ir_expr place);

    /* ---- scopes (Scopes.cpp) ---- */
    /* A local whose life has begun. The chain from the newest outwards is the state that jumps compare. */
    struct Life {
        ir_var var;
        const clang::VarDecl *decl; /* null for a compound literal */
        Life *up;
        unsigned depth;
    };
    struct Jump {
        BlockId block;
        Life *from;
        const clang::LabelDecl *label;
        clang::SourceRange where;
    };
    struct Label {
        BlockId block;
        Life *life = nullptr;
        bool placed = false;
    };
    struct Target {
        BlockId on_break, on_continue;
        bool is_loop;
        Life *life;
        const clang::Stmt *statement;
    };
    struct Switch {
        std::vector<ir_succ_rec> succs;
        bool has_default = false;
        Life *life;
    };
    void begin_life(ir_var var, const clang::VarDecl *decl, clang::SourceRange where);
    void end_lives(Life *from, Life *to, clang::SourceRange where);
    void begin_lives(Life *from, Life *to, clang::SourceRange where);
    void leave_to(Life *outer, clang::SourceRange where);
    static Life *common(Life *x, Life *y);
    Label &label(const clang::LabelDecl *decl);
    BlockId jump_block(const clang::LabelDecl *decl, clang::SourceRange where);
    void jump(const clang::LabelDecl *decl, clang::SourceRange where);
    void resolve_jumps();

    /* ---- statements (Statements.cpp) ---- */
    void statement(const clang::Stmt *s);
    void statement_here(const clang::Stmt *s);
    void compound(const clang::CompoundStmt *s);
    void declaration(const clang::DeclStmt *s);
    void local(const clang::VarDecl *var);
    void if_statement(const clang::IfStmt *s);
    void while_loop(const clang::WhileStmt *s);
    void do_loop(const clang::DoStmt *s);
    void for_loop(const clang::ForStmt *s);
    void switch_statement(const clang::SwitchStmt *s);
    void switch_case(const clang::SwitchCase *s);
    void return_statement(const clang::ReturnStmt *s);
    void indirect_goto(const clang::IndirectGotoStmt *s);
    void inline_asm(const clang::GCCAsmStmt *s);
    void loop_exit(BlockId exit, Life *inner, Life *outer, BlockId after, clang::SourceRange where);
    void variable_sizes(clang::QualType type);

    /* ---- expressions (Expressions.cpp) ---- */
    ir_expr value(const clang::Expr *e);
    ir_expr value_here(const clang::Expr *e);
    ir_expr place(const clang::Expr *e);
    void effect(const clang::Expr *e, bool void_cast = false);
    ir_expr conversion(const clang::CastExpr *e);
    ir_expr unary(const clang::UnaryOperator *e);
    ir_expr binary(const clang::BinaryOperator *e);
    ir_expr increment(const clang::UnaryOperator *e, bool wanted);
    ir_expr assign(const clang::BinaryOperator *e, bool wanted);
    ir_expr compound_assign(const clang::CompoundAssignOperator *e, bool wanted);
    ir_expr conditional(const clang::AbstractConditionalOperator *e, bool wanted);
    ir_expr logical(const clang::Expr *e);
    ir_expr statement_expression(const clang::StmtExpr *e, bool wanted);
    ir_expr variable(const clang::VarDecl *var, const clang::DeclRefExpr *e);
    ir_expr load_place(ir_expr from, const clang::Expr *of);
    ir_expr convert(ir_expr v, clang::QualType to, ir_loc where);
    ir_expr fold(const clang::Expr *e, ir_expr otherwise);
    ir_expr place_of_value(ir_expr v, clang::QualType type);
    ir_expr compound_literal(const clang::CompoundLiteralExpr *e);
    ir_loc loc(const clang::Stmt *s) {
        return unit.loc(s->getSourceRange());
    }

    /* ---- conditions (Conditions.cpp) ---- */
    void branch(const clang::Expr *cond, BlockId yes, BlockId no);

    /* ---- calls, builtins, atomics (Calls.cpp, Atomics.cpp) ---- */
    ir_expr call(const clang::CallExpr *e, bool wanted, bool void_cast = false, ir_expr into = 0);
    bool builtin(const clang::CallExpr *e, unsigned id, bool wanted, ir_expr &result);
    ir_expr va(const clang::Expr *list, clang::QualType type, ir_loc where);
    bool sync_builtin(const clang::CallExpr *e, llvm::StringRef name, bool wanted, ir_expr &result);
    ir_expr atomic_expression(const clang::AtomicExpr *e, bool wanted);
    ir_expr atomic(uint32_t kind, ir_expr place, llvm::ArrayRef<ir_expr> operands, clang::QualType result,
                   bool wanted, uint32_t flags, ir_loc where);
    uint32_t order_of(const clang::Expr *order);

    /* ---- initialisers (Initialisers.cpp) ---- */
    void initialise(ir_expr place, clang::QualType type, const clang::Expr *value, bool whole = true);
    void initialise_list(ir_expr place, const clang::InitListExpr *list, bool whole);
    bool is_plain_data(const clang::InitListExpr *list);
    void note_labels(const clang::Stmt *s);

    UnitLowering &unit;
    unit_builder *const b;
    ir_func func;
    const clang::FunctionDecl *definition;
    BlockId cur = 0;
    bool in_globals = false;
    Life *life = nullptr;
    std::deque<Life> lives;
    std::vector<Target> targets;
    std::vector<Switch> switches;
    std::vector<Jump> jumps;
    llvm::DenseMap<const clang::LabelDecl *, Label> labels;
    std::vector<const clang::LabelDecl *> addressed_labels;
    struct Indirect {
        BlockId block;
        Life *from;
        ir_expr target;
        clang::SourceRange where;
    };
    std::vector<Indirect> indirects;
    llvm::DenseMap<const clang::VarDecl *, ir_var> vars;
    llvm::DenseMap<const clang::OpaqueValueExpr *, ir_expr> opaques;
};

} // namespace aglet

#endif
