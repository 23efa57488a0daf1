/* locks.c - one run at a time on a replication, and one writer on a table. */
#include "locks.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "gr/sink/state.h"

enum { DEAD_HOLDER_MS = 15000, DEAD_HOLDER_PAUSE_MS = 50 };

struct entry {
    char *name;
    const char *stream;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

void
gr_objects_of(const struct gr_plan *plan, struct gr_objects *out)
{
    struct entry *entries = gr_alloc(plan->count, sizeof(*entries));

    for (size_t i = 0; i < plan->count; i++) {
        struct gr_buf name = gr_buf_new(0);

        gr_buf_printf(&name, "%s.%s", plan->streams[i].table_schema, plan->streams[i].table_name);
        entries[i] = (struct entry){.name = gr_buf_take(&name), .stream = plan->streams[i].name};
    }
    qsort(entries, plan->count, sizeof(*entries), by_name);
    *out = (struct gr_objects){.names = gr_alloc(plan->count, sizeof(*out->names)),
                               .streams = gr_alloc(plan->count, sizeof(*out->streams)),
                               .count = plan->count};
    for (size_t i = 0; i < plan->count; i++) {
        out->names[i] = entries[i].name;
        out->streams[i] = entries[i].stream;
    }
    gr_free(entries);
}

void
gr_objects_free(struct gr_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++)
        gr_free_var(&objects->names[i]);
    gr_free_var(&objects->names);
    gr_free_var(&objects->streams);
    *objects = (struct gr_objects){0};
}

/* Name of lock `i`: the replication's is number 0. */
static void
lock_name(const struct gr_plan *plan, const struct gr_objects *objects, size_t i,
          struct gr_buf *name)
{
    char identity[17];

    gr_buf_reset(name);
    if (i == 0) {
        gr_state_identity(plan, identity);
        gr_buf_printf(name, "gorgias-replicate replication %s", identity);
    } else {
        gr_buf_printf(name, "gorgias-replicate object %s", objects->names[i - 1]);
    }
}

int64_t
gr_locks_replication_key(const struct gr_plan *plan)
{
    struct gr_buf name GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    lock_name(plan, NULL, 0, &name);
    return gr_pg_lock_key(gr_buf_text(&name));
}

void
gr_locks_drop(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
              size_t count)
{
    struct gr_buf name GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    for (size_t i = 0; i < count && i <= objects->count; i++) {
        char key[24];
        const char *params[] = {key};
        struct gr_rows rows = {0};
        struct gr_error err;

        lock_name(plan, objects, i, &name);
        (void)snprintf(key, sizeof(key), "%" PRId64, gr_pg_lock_key(gr_buf_text(&name)));
        /* A session that is gone has given them back already. */
        if (gr_pg_query(pg, "select pg_advisory_unlock($1::bigint)", params, 1, &rows, &err))
            gr_rows_free(&rows);
    }
}

/* What runs and streams tell of the run that holds lock `i`: run_id, host, pid, since, file. */
static bool
find_holder(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
            size_t i, struct gr_rows *out, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf schema GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char identity[17];
    const char *params[] = {identity};

    gr_state_identity(plan, identity);
    gr_sql_ident(&schema, plan->state_schema);
    gr_buf_puts(&sql, "select r.run_id, r.host, r.pid, to_char(r.started_at,"
                      " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), r.file from ");
    if (i == 0) {
        gr_buf_printf(&sql, "%s.runs as r where r.replication = $1", gr_buf_text(&schema));
    } else {
        gr_buf_printf(&sql,
                      "%s.runs as r join %s.streams as s on s.fence = r.run_id"
                      " where s.object = $1",
                      gr_buf_text(&schema), gr_buf_text(&schema));
        params[0] = objects->names[i - 1];
    }
    gr_buf_puts(&sql, " and r.status = 'running' order by r.run_id desc limit 1");
    return gr_pg_query(pg, gr_buf_text(&sql), params, 1, out, err);
}

/* A run of this machine whose process is gone, or one that is not (or no longer) in the list: its
   lock goes as soon as its server process has noticed, and who starts again after a kill should not
   be turned away. A run that has just begun will be in the list in a moment. */
static bool
is_dead(const struct gr_rows *holder)
{
    char host[256] = "";
    int64_t pid = holder->count > 0 ? gr_rows_int(holder, 0, 2) : 0;

    (void)gethostname(host, sizeof(host) - 1);
    if (holder->count == 0)
        return true;
    return pid > 0 && strcmp(gr_rows_text(holder, 0, 1), host) == 0 && kill((pid_t)pid, 0) != 0 &&
           errno == ESRCH;
}

static bool
fail_locked(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
            size_t i, bool *is_dead_out, struct gr_error *err)
{
    const char *what = i == 0 ? "this replication" : objects->names[i - 1];
    struct gr_rows rows = {0};

    if (!find_holder(pg, plan, objects, i, &rows, err))
        return false;
    *is_dead_out = is_dead(&rows);
    if (rows.count == 0)
        (void)gr_fail(err, GR_FAULT_LOCKED, "another run is at work on %s", what);
    else
        (void)gr_fail(err, GR_FAULT_LOCKED, "run %s is at work on %s: host %s, pid %s, since %s",
                      gr_rows_text(&rows, 0, 0), what, gr_rows_text(&rows, 0, 1),
                      gr_rows_text(&rows, 0, 2), gr_rows_text(&rows, 0, 3));
    gr_rows_free(&rows);
    return gr_hint(err, "Wait until it has ended; its lock ends with its connection, so a dead run "
                        "holds nothing for long.");
}

/* All of them or none. */
static bool
try_all(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
        bool *is_dead_out, struct gr_error *err)
{
    struct gr_buf name GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    *is_dead_out = false;
    for (size_t i = 0; i <= objects->count; i++) {
        bool has_got = false;
        bool is_known;

        lock_name(plan, objects, i, &name);
        is_known = gr_pg_try_lock(pg, gr_buf_text(&name), &has_got, err);
        if (has_got)
            continue;
        if (is_known)
            (void)fail_locked(pg, plan, objects, i, is_dead_out, err);
        gr_locks_drop(pg, plan, objects, i);
        return false;
    }
    return true;
}

bool
gr_locks_take(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
              struct gr_error *err)
{
    int64_t give_up_ms = gr_clock_ms() + DEAD_HOLDER_MS;
    struct gr_error refusal;
    bool holder_is_dead;

    while (!try_all(pg, plan, objects, &holder_is_dead, &refusal)) {
        if (!holder_is_dead || gr_clock_ms() >= give_up_ms) {
            *err = refusal;
            return false;
        }
        gr_clock_sleep(DEAD_HOLDER_PAUSE_MS);
    }
    return true;
}
