/*
 * gr/engine/run.h - runs a plan: all its streams side by side, under one budget, over one
 * connection to the warehouse.
 *
 * The loop is the only place that waits. It steps every stream that can go on, hands out requests
 * by the rate limiter, and lets PostgreSQL work on one script at a time while pages arrive.
 *
 * Errors  as the streams and connections have them; a failed stream does not stop another
 * Owns    a report owns its streams; texts in it live until gr_run_report_free
 */
#ifndef GR_ENGINE_RUN_H
#define GR_ENGINE_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/engine/audit.h"
#include "gr/sink/audit.h"
#include "gr/spec/plan.h"

enum gr_status {
    GR_STATUS_WAITING, /* for another stream                                  */
    GR_STATUS_RUNNING,
    GR_STATUS_SUCCEEDED,
    GR_STATUS_FAILED,
    GR_STATUS_STOPPED, /* in good order, by a signal or --max-duration        */
    GR_STATUS_COUNT
};
const char *gr_status_name(enum gr_status status);

/* What an audit says of a stream. */
struct gr_stream_audit {
    enum gr_audit_method method;
    bool is_over;                  /* everything was checked                              */
    int64_t list_requests;         /* that its list takes                                 */
    struct gr_audit_totals totals; /* owned; filled at the end                        */
};

/* One stream, while it runs and after. */
struct gr_stream_report {
    const char *name;
    const char *mode;
    const char *object; /* schema.table                                        */
    const char *note;   /* "" or what the operator should know                 */
    enum gr_status status;
    const char *activity; /* static: what it does or waits for right now         */
    int64_t started_ms;   /* monotonic; 0: not yet                               */
    int64_t ended_ms;
    int64_t rows_read, inserted, updated, unchanged, deleted, rejected;
    int64_t requests, retries, pages, bytes;
    int64_t queue;                /* entries still to ask; -1: has no queue              */
    int64_t bookmark_us;          /* GR_TIME_NONE: none                                  */
    int64_t as_of_us;             /* up to when the table is known to hold everything    */
    struct gr_error error;        /* GR_OK unless failed                                 */
    struct gr_stream_audit audit; /* of a plan that is one                            */
};

struct gr_run_report {
    int64_t run_id;
    struct gr_stream_report *streams; /* owned */
    size_t count;
    int64_t started_ms, now_ms;
    int64_t requests, throttled;
    double budget_level; /* share of our part of the account's bucket in use, 0..1 */
    int64_t budget_requests, budget_per_ms;
    int exit_code;
    struct gr_error error; /* what ended the run, GR_OK if nothing did */
};

struct gr_run_options {
    int64_t max_duration_ms;           /* 0: none                                        */
    int64_t max_requests;              /* 0: any number                                  */
    const volatile sig_atomic_t *stop; /* not 0: stop in good order                      */
    /* Called several times a second and after each change of a stream's status; may be NULL. */
    void (*progress)(void *context, const struct gr_run_report *report);
    void *context;
};

/* Runs; *report is filled also when false is returned. */
bool gr_run(const struct gr_plan *plan, const struct gr_run_options *options,
            struct gr_run_report *report, struct gr_error *err);
void gr_run_report_free(struct gr_run_report *report);

/* The table of phases as a page of Markdown. */
void gr_phases_reference(struct gr_buf *out);

#endif
