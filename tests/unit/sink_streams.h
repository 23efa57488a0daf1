/* sink_streams.h - streams built by hand, and rows of binary COPY for them. */
#ifndef GR_TESTS_SINK_STREAMS_H
#define GR_TESTS_SINK_STREAMS_H

#include <stdint.h>
#include <string.h>

#include "gr/base/buf.h"
#include "gr/base/time.h"
#include "gr/sink/commit.h"
#include "gr/sink/table.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct gr_column ticket_columns[] = {
    {"id", "id", "Ticket id", GR_TYPE_BIGINT, true, false, .refers = NULL},
    {"subject", "subject", "It's the subject line", GR_TYPE_TEXT, false, false, .refers = NULL},
    {"meta", "meta", "", GR_TYPE_JSONB, false, false, .refers = NULL},
    {"messages_count", "messages_count", NULL, GR_TYPE_BIGINT, false, false, .refers = NULL},
    {"created_datetime", "created_datetime", NULL, GR_TYPE_TIMESTAMPTZ, false, false,
     .refers = NULL},
    {"updated_datetime", "updated_datetime", "Last change", GR_TYPE_TIMESTAMPTZ, false, false,
     .refers = NULL},
};
static const struct gr_schema ticket_schema = {
    .stream = "tickets",
    .cursor = "updated_datetime",
    .columns = ticket_columns,
    .column_count = COUNT_OF(ticket_columns),
    .key_count = 1,
};
static const struct gr_plan_stream tickets = {
    .name = "tickets",
    .description = "Conversations, one row per ticket",
    .schema = &ticket_schema,
    .mode = GR_MODE_INCREMENTAL,
    .table_schema = "gorgias",
    .table_name = "tickets",
    .columns = ticket_columns,
    .column_count = COUNT_OF(ticket_columns),
    .key_count = 1,
    .cursor_column = 5,
    .missing = GR_MISSING_SOFT,
    .add_new_columns = true,
};

static const struct gr_column value_columns[] = {
    {"ticket_id", "ticket_id", NULL, GR_TYPE_BIGINT, true, false, .refers = NULL},
    {"id", "id", NULL, GR_TYPE_BIGINT, true, false, .refers = NULL},
    {"value", "value", NULL, GR_TYPE_JSONB, false, false, .refers = NULL},
    {"label", "label", NULL, GR_TYPE_TEXT, false, false, .refers = NULL},
};
static const struct gr_schema value_schema = {
    .stream = "values",
    .made_from = "tickets",
    .made_of = "meta",
    .parent_key = "ticket_id",
    .walk = GR_WALK_NONE,
    .columns = value_columns,
    .column_count = COUNT_OF(value_columns),
    .key_count = 2,
};
static const struct gr_plan_stream made_values = {
    .name = "values",
    .description = "Values",
    .schema = &value_schema,
    .mode = GR_MODE_INCREMENTAL,
    .table_schema = "gorgias",
    .table_name = "values",
    .columns = value_columns,
    .column_count = COUNT_OF(value_columns),
    .key_count = 2,
    .cursor_column = -1,
    .missing = GR_MISSING_HARD,
    .add_new_columns = true,
};

static const struct gr_column message_columns[] = {
    {"id", "id", "Message id", GR_TYPE_BIGINT, true, false, .refers = NULL},
    {"ticket_id", "ticket_id", NULL, GR_TYPE_BIGINT, false, false, .refers = NULL},
    {"body_text", "body_text", NULL, GR_TYPE_TEXT, false, false, .refers = NULL},
    {"created_datetime", "created_datetime", NULL, GR_TYPE_TIMESTAMPTZ, false, false,
     .refers = NULL},
};
static const struct gr_schema message_schema = {
    .stream = "ticket_messages",
    .cursor = "created_datetime",
    .parent = "tickets",
    .parent_key = "ticket_id",
    .parent_count = "messages_count",
    .columns = message_columns,
    .column_count = COUNT_OF(message_columns),
    .key_count = 1,
};
static const struct gr_plan_stream messages = {
    .name = "ticket_messages",
    .description = "Messages",
    .schema = &message_schema,
    .mode = GR_MODE_INCREMENTAL,
    .table_schema = "gorgias",
    .table_name = "ticket_messages",
    .columns = message_columns,
    .column_count = COUNT_OF(message_columns),
    .key_count = 1,
    .cursor_column = 3,
    .missing = GR_MISSING_SOFT,
    .add_new_columns = true,
};

static const struct gr_column event_columns[] = {
    {"id", "id", NULL, GR_TYPE_BIGINT, true, false, .refers = NULL},
    {"object_type", "object_type", NULL, GR_TYPE_TEXT, false, false, .refers = NULL},
    {"object_id", "object_id", NULL, GR_TYPE_BIGINT, false, false, .refers = NULL},
    {"type", "type", NULL, GR_TYPE_TEXT, false, false, .refers = NULL},
    {"created_datetime", "created_datetime", NULL, GR_TYPE_TIMESTAMPTZ, false, false,
     .refers = NULL},
    {"data", "data", NULL, GR_TYPE_JSONB, false, false, .refers = NULL},
};
static const struct gr_schema event_schema = {
    .stream = "events",
    .cursor = "created_datetime",
    .columns = event_columns,
    .column_count = COUNT_OF(event_columns),
    .key_count = 1,
};
static const struct gr_plan_stream events = {
    .name = "events",
    .description = "Events",
    .schema = &event_schema,
    .mode = GR_MODE_INCREMENTAL,
    .table_schema = "gorgias",
    .table_name = "events",
    .columns = event_columns,
    .column_count = COUNT_OF(event_columns),
    .key_count = 1,
    .cursor_column = 4,
    .missing = GR_MISSING_SOFT,
    .add_new_columns = true,
};

static const struct gr_column tag_columns[] = {
    {"id", "id", "Tag id", GR_TYPE_BIGINT, true, false, .refers = NULL},
    {"name", "name", NULL, GR_TYPE_TEXT, false, false, .refers = NULL},
};
static const struct gr_schema tag_schema = {
    .stream = "tags",
    .columns = tag_columns,
    .column_count = COUNT_OF(tag_columns),
    .key_count = 1,
};
static const struct gr_plan_stream tags = {
    .name = "tags",
    .description = "Tags",
    .schema = &tag_schema,
    .mode = GR_MODE_FULL_REFRESH,
    .table_schema = "gorgias",
    .table_name = "tags",
    .columns = tag_columns,
    .column_count = COUNT_OF(tag_columns),
    .key_count = 1,
    .cursor_column = -1,
    .missing = GR_MISSING_HARD,
    .add_new_columns = true,
};

/* Binary COPY: numbers in network byte order, each field behind its length. */
static inline void
put_be(struct gr_buf *copy, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        gr_buf_putc(copy, (char)(unsigned char)(value >> (8 * bytes)));
}

static inline void
put_int(struct gr_buf *copy, int64_t value)
{
    put_be(copy, 8, 4);
    put_be(copy, (uint64_t)value, 8);
}

static inline void
put_text(struct gr_buf *copy, const char *text)
{
    if (text == NULL) {
        put_be(copy, 0xffffffffU, 4);
        return;
    }
    put_be(copy, strlen(text), 4);
    gr_buf_puts(copy, text);
}

/* A nested value as the table has it, not as the text of staging. */
static inline void
put_jsonb(struct gr_buf *copy, const char *text)
{
    put_be(copy, strlen(text) + 1, 4);
    put_be(copy, 1, 1);
    gr_buf_puts(copy, text);
}

/* "2024-01-01T00:00:00Z", or NULL; PostgreSQL counts from 2000-01-01. */
static inline void
put_time(struct gr_buf *copy, const char *text)
{
    int64_t us;

    if (text == NULL || !gr_time_parse(text, strlen(text), &us))
        put_text(copy, NULL);
    else
        put_int(copy, us - INT64_C(946684800000000));
}

static inline void
put_tail(struct gr_buf *copy, int64_t hash)
{
    put_int(copy, hash);
    put_text(copy, NULL);
}

static inline void
put_ticket(struct gr_buf *copy, int64_t id, const char *subject, int64_t count, const char *created,
           const char *updated, int64_t hash)
{
    put_be(copy, COUNT_OF(ticket_columns) + 2, 2);
    put_int(copy, id);
    put_text(copy, subject);
    put_text(copy, "{\"a\": [1, 2]}");
    put_int(copy, count);
    put_time(copy, created);
    put_time(copy, updated);
    put_tail(copy, hash);
}

/* For a fill. */
static inline void
put_typed_ticket(struct gr_buf *copy, int64_t id, int64_t count, const char *created,
                 const char *updated)
{
    put_be(copy, COUNT_OF(ticket_columns) + 2, 2);
    put_int(copy, id);
    put_text(copy, "s");
    put_jsonb(copy, "{\"a\": [1, 2]}");
    put_int(copy, count);
    put_time(copy, created);
    put_time(copy, updated);
    put_int(copy, id);
    put_jsonb(copy, "{\"x\": 1}");
}

static inline void
put_message(struct gr_buf *copy, int64_t id, int64_t ticket, const char *body, const char *created,
            int64_t hash)
{
    put_be(copy, COUNT_OF(message_columns) + 2, 2);
    put_int(copy, id);
    put_int(copy, ticket);
    put_text(copy, body);
    put_time(copy, created);
    put_tail(copy, hash);
}

static inline void
put_event_with(struct gr_buf *copy, int64_t id, const char *object, int64_t object_id,
               const char *type, const char *created, const char *data)
{
    put_be(copy, COUNT_OF(event_columns) + 2, 2);
    put_int(copy, id);
    put_text(copy, object);
    put_int(copy, object_id);
    put_text(copy, type);
    put_time(copy, created);
    put_text(copy, data);
    put_tail(copy, id);
}

static inline void
put_event(struct gr_buf *copy, int64_t id, const char *object, int64_t object_id, const char *type,
          const char *created)
{
    put_event_with(copy, id, object, object_id, type, created, NULL);
}

static inline void
put_tag(struct gr_buf *copy, int64_t id, const char *name, int64_t hash)
{
    put_be(copy, COUNT_OF(tag_columns) + 2, 2);
    put_int(copy, id);
    put_text(copy, name);
    put_tail(copy, hash);
}

#endif
