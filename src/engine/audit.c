/* audit.c - how each stream is checked, and what the end of an audit is worth. */
#include "gr/engine/audit.h"

#include "gr/base/error.h"

/* clang-format off */
static const char *const method_names[GR_AUDIT_METHOD_COUNT] = {
    [GR_AUDIT_UNDECIDED] = "undecided",
    [GR_AUDIT_LIST] = "list",
    [GR_AUDIT_IDS] = "ids",
    [GR_AUDIT_NEITHER] = "unchecked",
    [GR_AUDIT_NO_CLAIM] = "no claim",
};
/* clang-format on */

const char *
gr_audit_method_name(enum gr_audit_method method)
{
    return method < GR_AUDIT_METHOD_COUNT ? method_names[method] : "?";
}

int64_t
gr_audit_list_requests(int64_t rows, int64_t page_limit, int64_t passes)
{
    int64_t limit = page_limit > 0 ? page_limit : 1;

    /* Each pass can end with a page that is not full. */
    return (rows + limit - 1) / limit + passes;
}

/* The undecided one with the shortest list, or NULL. */
static struct gr_audit_case *
shortest(struct gr_audit_case *cases, size_t count)
{
    struct gr_audit_case *found = NULL;

    for (size_t i = 0; i < count; i++)
        if (cases[i].method == GR_AUDIT_UNDECIDED &&
            (found == NULL || cases[i].list_requests < found->list_requests))
            found = &cases[i];
    return found;
}

void
gr_audit_choose(struct gr_audit_case *cases, size_t count, int64_t allowance)
{
    struct gr_audit_case *next;

    while ((next = shortest(cases, count)) != NULL) {
        if (next->list_requests <= allowance) {
            next->method = GR_AUDIT_LIST;
            allowance -= next->list_requests;
        } else {
            next->method = next->can_ask ? GR_AUDIT_IDS : GR_AUDIT_NEITHER;
        }
    }
}

bool
gr_audit_rereads(int64_t questions, int64_t pages)
{
    return questions > pages;
}

int
gr_audit_exit_code(bool has_failed, bool has_found, bool is_proven)
{
    if (has_failed || has_found)
        return 1;
    return is_proven ? 0 : gr_fault_facts(GR_FAULT_CANCELLED)->exit_code;
}
