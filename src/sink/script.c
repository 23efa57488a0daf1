/* script.c - a transaction as a list of steps: writing it down and reading its results. */
#include "script.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/sink/sql.h"

struct gr_script *
gr_script_new(const char *what)
{
    struct gr_script *script = gr_alloc(1, sizeof(*script));

    script->what = gr_strdup(what);
    script->gate = script->open = SIZE_MAX;
    return script;
}

static void
free_step(struct step *step)
{
    for (size_t i = 0; i < step->param_count; i++)
        gr_free(step->params[i]);
    gr_free(step->params);
    gr_free(step->sql);
    gr_free(step->message);
    gr_free(step->hint);
    gr_free(step->tuples);
    gr_buf_free(&step->data);
    gr_rows_free(&step->rows);
}

void
gr_script_free(struct gr_script *script)
{
    if (script == NULL)
        return;
    for (size_t i = 0; i < script->count; i++)
        free_step(&script->steps[i]);
    gr_free(script->steps);
    gr_free(script->what);
    gr_free(script);
}

static struct step *
add(struct gr_script *script, const char *sql)
{
    struct step *step;

    if (script->count == script->cap) {
        script->cap = script->cap == 0 ? 8 : 2 * script->cap;
        script->steps = gr_realloc(script->steps, script->cap, sizeof(*script->steps));
    }
    step = &script->steps[script->count++];
    *step = (struct step){.sql = gr_strdup(sql)};
    return step;
}

static size_t
add_sql(struct gr_script *script, enum decides decides, const char *sql, const char *const *params,
        size_t count)
{
    struct step *step = add(script, sql);

    step->decides = decides;
    step->param_count = count;
    step->params = count == 0 ? NULL : gr_alloc(count, sizeof(*step->params));
    for (size_t i = 0; i < count; i++)
        step->params[i] = params[i] == NULL ? NULL : gr_strdup(params[i]);
    return script->count - 1;
}

size_t
gr_script_sql(struct gr_script *script, const char *sql, const char *const *params, size_t count)
{
    return add_sql(script, DECIDES_NOTHING, sql, params, count);
}

size_t
gr_script_fence(struct gr_script *script, const char *sql, const char *const *params, size_t count)
{
    return add_sql(script, DECIDES_FENCE, sql, params, count);
}

size_t
gr_script_check(struct gr_script *script, const char *sql, const char *const *params, size_t count,
                const char *message, const char *hint)
{
    size_t at = add_sql(script, DECIDES_CHECK, sql, params, count);

    script->steps[at].message = gr_strdup(message);
    script->steps[at].hint = gr_strdup(hint);
    return at;
}

size_t
gr_script_gate(struct gr_script *script, const char *sql, const char *const *params, size_t count)
{
    assert(script->gate == SIZE_MAX);
    script->gate = add_sql(script, DECIDES_GATE, sql, params, count);
    return script->gate;
}

size_t
gr_script_choice(struct gr_script *script, const char *sql, const char *const *params, size_t count)
{
    assert(script->gate == SIZE_MAX);
    script->gate = add_sql(script, DECIDES_CHOICE, sql, params, count);
    return script->gate;
}

void
gr_script_copy_tuple(struct gr_script *script, size_t step, size_t bytes)
{
    enum { STEP = 128 };
    struct step *copy = &script->steps[step];

    if (copy->tuple_count % STEP == 0)
        copy->tuples = gr_realloc(copy->tuples, copy->tuple_count + STEP, sizeof(copy->tuples[0]));
    copy->tuples[copy->tuple_count++] = bytes;
}

size_t
gr_script_left_out(const struct gr_script *script)
{
    return script->left_out;
}

void
gr_script_gate_end(struct gr_script *script)
{
    assert(script->gate != SIZE_MAX);
    script->steps[script->gate].past = script->count;
    script->gate = SIZE_MAX;
}

size_t
gr_script_copy(struct gr_script *script, const char *sql, struct gr_buf *data)
{
    struct step *step = add(script, sql);

    assert(data->failed == NULL);
    step->is_copy = true;
    step->data = *data;
    *data = gr_buf_new(data->limit);
    return script->count - 1;
}

size_t
gr_script_copy_open(struct gr_script *script, const char *sql)
{
    struct gr_buf none = gr_buf_new(0);

    assert(script->open == SIZE_MAX);
    script->open = gr_script_copy(script, sql, &none);
    script->steps[script->open].is_open = true;
    return script->open;
}

/* What was handed over is let go, once that is more than what has to be moved for it. */
static void
forget_sent(struct gr_script *script, struct gr_buf *data)
{
    size_t sent;

    if (script->phase != PHASE_COPY_DATA || script->at != script->open ||
        script->copied <= COPY_HEADER_BYTES)
        return;
    sent = script->copied - COPY_HEADER_BYTES;
    if (sent < data->len - sent)
        return;
    memmove(data->data, data->data + sent, data->len - sent);
    data->len -= sent;
    script->copied = COPY_HEADER_BYTES;
}

void
gr_script_append(struct gr_script *script, struct gr_buf *data)
{
    struct gr_buf *all = &script->steps[script->open].data;

    assert(gr_script_is_open(script) && data->failed == NULL);
    forget_sent(script, all);
    gr_buf_put(all, data->data, data->len);
    gr_buf_reset(data);
}

void
gr_script_relax(struct gr_script *script)
{
    script->is_relaxed = true;
}

bool
gr_script_is_relaxed(const struct gr_script *script)
{
    return script->is_relaxed;
}

void
gr_script_copy_close(struct gr_script *script)
{
    script->steps[script->open].is_open = false;
}

void
gr_script_give_up(struct gr_script *script)
{
    script->is_given_up = true;
    script->wants_write = true; /* so that whoever waits comes back at once */
}

bool
gr_script_is_given_up(const struct gr_script *script)
{
    return script->is_given_up;
}

bool
gr_script_is_open(const struct gr_script *script)
{
    return script->open != SIZE_MAX && script->steps[script->open].is_open;
}

size_t
gr_script_unsent(const struct gr_script *script)
{
    size_t len, sent;

    if (script->open == SIZE_MAX || script->at > script->open)
        return 0;
    len = script->steps[script->open].data.len;
    sent = script->phase != PHASE_COPY_DATA || script->copied < COPY_HEADER_BYTES
               ? 0
               : script->copied - COPY_HEADER_BYTES;
    return sent < len ? len - sent : 0;
}

bool
gr_script_can_repeat(const struct gr_script *script)
{
    return script->open == SIZE_MAX;
}

void
gr_script_bind(struct gr_script *script, int64_t session)
{
    script->session = session;
}

size_t
gr_script_steps(const struct gr_script *script)
{
    return script->count;
}

/* One line; a line break becomes two spaces, so that it can be told from others. */
static void
print_sql(const char *sql, struct gr_buf *out)
{
    for (; *sql != '\0'; sql++) {
        if (*sql == '\n')
            gr_buf_puts(out, "  ");
        else
            gr_buf_putc(out, *sql);
    }
}

void
gr_script_print(const struct gr_script *script, struct gr_buf *out)
{
    static const char *const marks[] = {
        [DECIDES_NOTHING] = "",   [DECIDES_FENCE] = "fence ",   [DECIDES_CHECK] = "check ",
        [DECIDES_GATE] = "gate ", [DECIDES_CHOICE] = "choice ",
    };

    for (size_t i = 0; i < script->count; i++) {
        const struct step *step = &script->steps[i];

        gr_buf_printf(out, "%zu %s", i, marks[step->decides]);
        print_sql(step->sql, out);
        if (step->is_copy)
            gr_buf_printf(out, " <%zu bytes>", step->data.len);
        for (size_t p = 0; p < step->param_count; p++) {
            gr_buf_printf(out, " $%zu=", p + 1);
            if (step->params[p] == NULL)
                gr_buf_puts(out, "null");
            else
                gr_sql_literal(out, step->params[p]);
        }
        gr_buf_putc(out, '\n');
    }
}

int64_t
gr_script_touched(const struct gr_script *script, size_t step)
{
    assert(step < script->count);
    return script->steps[step].touched;
}

const struct gr_rows *
gr_script_rows(const struct gr_script *script, size_t step)
{
    assert(step < script->count);
    return &script->steps[step].rows;
}
