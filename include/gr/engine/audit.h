/*
 * gr/engine/audit.h - what an audit decides: how each stream is checked, and what its end is worth.
 * Pure.
 */
#ifndef GR_ENGINE_AUDIT_H
#define GR_ENGINE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gr_audit_method {
    GR_AUDIT_UNDECIDED,
    GR_AUDIT_LIST,     /* all rows are read: finds what is missing, gone or different          */
    GR_AUDIT_IDS,      /* rows are asked for by id, a window after the other                   */
    GR_AUDIT_NEITHER,  /* the list is too long, and nothing can be asked by id                 */
    GR_AUDIT_NO_CLAIM, /* no run has ever been complete: there is nothing to prove             */
    GR_AUDIT_METHOD_COUNT
};
const char *gr_audit_method_name(enum gr_audit_method method);

/* A stream, before its method is chosen. */
struct gr_audit_case {
    int64_t list_requests;
    bool can_ask;
    enum gr_audit_method method; /* of those that are undecided it is set */
};

/* Pages that the list of so many rows takes, at most. */
int64_t gr_audit_list_requests(int64_t rows, int64_t page_limit, int64_t passes);

/* Lists come first, the shortest first, as many as the allowance has room for: they find more. */
void gr_audit_choose(struct gr_audit_case *cases, size_t count, int64_t allowance);

/* Asking for `questions` things costs more than reading a list of `pages` a second time. */
bool gr_audit_rereads(int64_t questions, int64_t pages);

/* 0 means proven, and nothing else does. */
int gr_audit_exit_code(bool has_failed, bool has_found, bool is_proven);

#endif
