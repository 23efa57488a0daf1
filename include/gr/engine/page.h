/*
 * gr/engine/page.h - the body of a response becomes rows and the facts that a walk wants.
 *
 * A page is taken whole or not at all: if anything in it is not what the API promises, nothing is
 * appended to the rows.
 *
 * Errors  GR_FAULT_PAYLOAD: not JSON, no list, `data` is null, no meta, not what was asked for
 * Owns    next_cursor belongs to the page; gr_page_free
 * Source  docs/api.md section 3
 */
#ifndef GR_ENGINE_PAGE_H
#define GR_ENGINE_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/codec/row.h"
#include "gr/sink/commit.h"
#include "gr/walk/walk.h"

struct gr_page {
    struct gr_page_facts facts; /* all but the clocks               */
    int64_t wanted;             /* rows appended                    */
    int64_t refused;            /* objects that are no row          */
    int64_t strangers;          /* rows of another parent           */
    char *next_cursor;          /* owned; facts.next_cursor is this */
    struct gr_tuple *tuples;    /* owned; of all rows appended      */
};
void gr_page_free(struct gr_page *page);

/* What is done with the rows of a page. */
struct gr_page_sink {
    struct gr_row_layout *layout;
    const struct gr_walk *walk; /* says which rows are wanted; NULL: all       */
    struct gr_buf *rows;        /* tuples are appended                         */
    struct gr_rejects *rejects;
    struct gr_tape *tape; /* for the body, or NULL; not used by `between` */
    const char *asked;    /* path and query; an answer to another request is no page      */
    int64_t parent;       /* rows belong to this one; 0: to any                           */
    void (*between)(void *context); /* called now and then between rows, or NULL: a page takes
                                       longer to read than a socket's buffer lasts        */
    /* Called before the rows of a list are read, or NULL, where a tape tells what it ends with: the
       next page's cursor (borrowed) and the last row's `cursor_field`, GR_TIME_NONE for none. The
       page may yet be refused. */
    void (*foresee)(void *context, const char *next_cursor, int64_t last_us);
    const char *cursor_field;
    void *context; /* of both calls                                      */
};

/*
 * A list's page. A bare array counts as the only page of its list: so it may not come where a
 * further page was asked for, nor with just as many rows as were asked for, for then more may
 * follow.
 */
bool gr_page_list(const char *body, size_t len, const struct gr_page_sink *sink,
                  struct gr_page *page, struct gr_error *err);

/* A single object. */
bool gr_page_object(const char *body, size_t len, const struct gr_page_sink *sink,
                    struct gr_page *page, struct gr_error *err);

/* True if the body is an object with the number `key` in its member `field`. */
bool gr_page_is_object(const char *body, size_t len, const char *field, int64_t key,
                       struct gr_error *err);

#endif
