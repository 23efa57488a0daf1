/* log.c - one line per event to stderr, without the secrets. */
#include "gr/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/base/utf8.h"

/* The only global state of the program: where lines go is a property of the process. */
static struct gr_log_setup config = {.level = GR_LOG_INFO};
static char **secrets; /* the longest first: one may be a part of another */
static size_t secret_count;

enum { SECRET_BYTES_MIN = 4 };

static const struct {
    const char *name;
    const char *colour;
    const char *mark;
} levels[GR_LOG_LEVELS] = {
    [GR_LOG_ERROR] = {"error", "\033[31m", "<3>"},
    [GR_LOG_WARN] = {"warn", "\033[33m", "<4>"},
    [GR_LOG_INFO] = {"info", "\033[32m", "<6>"},
    [GR_LOG_DEBUG] = {"debug", "\033[2m", "<7>"},
};

static void
put_json_character(struct gr_buf *line, unsigned char c)
{
    if (c == '"' || c == '\\')
        gr_buf_printf(line, "\\%c", c);
    else if (c < ' ' || c == 0x7f)
        gr_buf_printf(line, "\\u%04x", c);
    else
        gr_buf_putc(line, (char)c);
}

static void
put_url_character(struct gr_buf *line, unsigned char c)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    if (strchr(plain, c) != NULL)
        gr_buf_putc(line, (char)c);
    else
        gr_buf_printf(line, "%%%02X", (unsigned)c);
}

void
gr_log_setup(struct gr_log_setup setup)
{
    config = setup;
}

bool
gr_log_level_parse(const char *word, enum gr_log_level *level_out)
{
    for (int i = 0; i < GR_LOG_LEVELS; i++) {
        if (strcmp(word, levels[i].name) == 0) {
            *level_out = (enum gr_log_level)i;
            return true;
        }
    }
    return false;
}

bool
gr_log_wants(enum gr_log_level level)
{
    return level <= config.level;
}

const char *
gr_log_mark(enum gr_log_level level)
{
    return config.in_journal ? levels[level].mark : "";
}

static void
keep_secret(const char *secret)
{
    size_t at;

    for (size_t i = 0; i < secret_count; i++)
        if (strcmp(secrets[i], secret) == 0)
            return;
    secrets = gr_realloc(secrets, secret_count + 1, sizeof(secrets[0]));
    for (at = secret_count; at > 0 && strlen(secrets[at - 1]) < strlen(secret); at--)
        secrets[at] = secrets[at - 1];
    secrets[at] = gr_strdup(secret);
    secret_count++;
}

/* What `put` makes of each byte of the secret is as secret. */
static void
keep_form(const char *secret, void (*put)(struct gr_buf *form, unsigned char c))
{
    GR_CLEANUP(gr_buf_free) struct gr_buf form = gr_buf_new(0);

    for (const char *c = secret; *c != '\0'; c++)
        put(&form, (unsigned char)*c);
    keep_secret(gr_buf_text(&form));
}

void
gr_log_secret(const char *secret)
{
    if (secret == NULL || strlen(secret) < SECRET_BYTES_MIN)
        return;
    keep_secret(secret);
    keep_form(secret, put_json_character);
    keep_form(secret, put_url_character);
}

void
gr_log_forget(void)
{
    for (size_t i = 0; i < secret_count; i++)
        gr_free(secrets[i]);
    gr_free(secrets);
    secrets = NULL;
    secret_count = 0;
}

void
gr_log_redact(struct gr_buf *text)
{
    for (size_t i = 0; i < secret_count && text->data != NULL; i++) {
        size_t len = strlen(secrets[i]);
        char *at = text->data;

        /* Three stars never make a text longer than the four bytes of the shortest secret. */
        while ((at = strstr(at, secrets[i])) != NULL) {
            memcpy(at, "***", 3);
            memmove(at + 3, at + len, strlen(at + len) + 1);
            at += 3;
        }
        text->len = strlen(text->data);
    }
}

/* A text in UTF-8 without the secrets, before it is escaped: afterwards they might look different.
 */
static struct gr_buf
redacted(const char *text)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf copy = gr_buf_new(0);
    struct gr_buf valid = gr_buf_new(0);

    gr_buf_puts(&copy, text);
    gr_log_redact(&copy);
    gr_utf8_put_valid(&valid, gr_buf_text(&copy), copy.len, SIZE_MAX);
    return valid;
}

static void
put_json_string(struct gr_buf *line, const char *raw)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf copy = redacted(raw);
    const char *text = gr_buf_text(&copy);

    gr_buf_putc(line, '"');
    for (; *text != '\0'; text++)
        put_json_character(line, (unsigned char)*text);
    gr_buf_putc(line, '"');
}

static void
put_json_field(struct gr_buf *line, const char *key, const char *value)
{
    gr_buf_puts(line, ", ");
    put_json_string(line, key);
    gr_buf_puts(line, ": ");
    put_json_string(line, value);
}

static void
put_text_value(struct gr_buf *line, const char *value)
{
    bool is_plain = *value != '\0';

    /* What comes from outside could make lines of its own, or talk to the terminal. */
    for (const char *c = value; *c != '\0' && is_plain; c++)
        is_plain = (unsigned char)*c > ' ' && *c != 0x7f && *c != '"' && *c != '=';
    if (is_plain)
        gr_buf_puts(line, value);
    else
        put_json_string(line, value);
}

static void
put_head(struct gr_buf *line, enum gr_log_level level, const char *stream, const char *event)
{
    char now[GR_TIME_TEXT];

    gr_time_format(gr_clock_us(), now);
    gr_buf_puts(line, gr_log_mark(level));
    if (config.as_json) {
        gr_buf_puts(line, "{\"time\": ");
        put_json_string(line, now);
        put_json_field(line, "level", levels[level].name);
        if (stream != NULL)
            put_json_field(line, "stream", stream);
        put_json_field(line, "event", event);
        return;
    }
    if (!config.in_journal)
        gr_buf_printf(line, "%.19sZ ", now);
    if (config.in_colour)
        gr_buf_printf(line, "%s%-5s\033[0m ", levels[level].colour, levels[level].name);
    else
        gr_buf_printf(line, "%-5s ", levels[level].name);
    if (stream != NULL)
        gr_buf_printf(line, "%s: ", stream);
    gr_buf_puts(line, event);
}

static void
put_field(struct gr_buf *line, const char *key, const char *value)
{
    if (config.as_json) {
        put_json_field(line, key, value);
        return;
    }
    gr_buf_printf(line, " %s=", key);
    put_text_value(line, value);
}

static void
write_line(struct gr_buf *line)
{
    gr_buf_puts(line, config.as_json ? "}\n" : "\n");
    gr_log_redact(line);
    if (config.around != NULL)
        config.around(config.context, true);
    (void)fwrite(gr_buf_text(line), 1, line->len, stderr);
    (void)fflush(stderr);
    if (config.around != NULL)
        config.around(config.context, false);
}

void
gr_log(enum gr_log_level level, const char *stream, const char *event, ...)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf line = gr_buf_new(0);
    va_list args;

    if (!gr_log_wants(level))
        return;
    put_head(&line, level, stream, event);
    va_start(args, event);
    for (const char *key = va_arg(args, const char *); key != NULL;
         key = va_arg(args, const char *)) {
        const char *value = va_arg(args, const char *);

        if (value != NULL)
            put_field(&line, key, value);
    }
    va_end(args);
    write_line(&line);
}

void
gr_log_error(enum gr_log_level level, const char *stream, const struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf line = gr_buf_new(0);

    if (!gr_log_wants(level))
        return;
    put_head(&line, level, stream, err->message);
    if (config.as_json) {
        put_json_field(&line, "fault", gr_fault_facts(err->fault)->name);
        if (err->hint[0] != '\0')
            put_json_field(&line, "hint", err->hint);
    } else if (err->hint[0] != '\0') {
        gr_buf_printf(&line, "\n%s  HINT: %s", gr_log_mark(level), err->hint);
    }
    write_line(&line);
}
