/*
 * gr/base/log.h - one line per event to stderr, as text or JSON, without the secrets.
 *
 * Secrets are redacted by value: whatever text was named by gr_log_secret is replaced by *** in
 * every line and in every error (gr/base/error.h), as it is, URL-encoded, or escaped as in JSON; in
 * base64 if that was named too. Levels never change what the program does.
 *
 * Shape   gr_log_setup, gr_log_secret*, then gr_log / gr_log_error; fields are key, value pairs
 *         ended by NULL: gr_log(GR_LOG_INFO, "tickets", "done", "rows", "100", NULL)
 * Owns    nothing that is passed in; secrets are copied
 */
#ifndef GR_BASE_LOG_H
#define GR_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"

enum gr_log_level { GR_LOG_ERROR, GR_LOG_WARN, GR_LOG_INFO, GR_LOG_DEBUG, GR_LOG_LEVELS };

struct gr_log_setup {
    enum gr_log_level level; /* lines above it are not written                              */
    bool as_json;
    bool in_colour;
    bool in_journal; /* systemd's: a mark before each line has its level, and the time is known */
    /* Called before and after lines are written, so that a live display can stand aside. */
    void (*around)(void *context, bool is_before);
    void *context;
};

void gr_log_setup(struct gr_log_setup setup);

/* The level that a word names: "error", "warn", "info", "debug". */
bool gr_log_level_parse(const char *word, enum gr_log_level *level_out);

bool gr_log_wants(enum gr_log_level level);

/* What a line of that level begins with: "<3>" for an error in the journal (sd-daemon(3)), or "".
 */
const char *gr_log_mark(enum gr_log_level level);

/* From now on `secret` never appears in a line; texts of less than 4 bytes are not redacted. */
void gr_log_secret(const char *secret);

/* Forgets all secrets. */
void gr_log_forget(void);

/* Replaces every secret in the buffer's text by ***. */
void gr_log_redact(struct gr_buf *text);

/* One event. `stream` may be NULL. Fields: key, value, ..., NULL; a NULL value skips its pair. */
void gr_log(enum gr_log_level level, const char *stream, const char *event, ...);

/* The error and its hint. */
void gr_log_error(enum gr_log_level level, const char *stream, const struct gr_error *err);

#endif
