/* header.c - header lines become members of a response. */
#include "gr/source/header.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"

enum { VALUE_BYTES = 2048, COUNT_MAX = 1000000000 };

/* A count in decimal digits that ends at `end`, -1 for anything else. */
static int64_t
count_of(const char *text, char end)
{
    int64_t value = 0;

    if (*text < '0' || *text > '9')
        return -1;
    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (*text - '0');
        if (value > COUNT_MAX)
            return -1;
    }
    return *text == end ? value : -1;
}

static void
take_date(struct gr_http_response *response, const char *value)
{
    int64_t date_us;

    if (gr_time_parse_http(value, &date_us))
        response->date_us = date_us;
}

static void
take_retry_after(struct gr_http_response *response, const char *value)
{
    int64_t seconds = count_of(value, '\0');

    /* What is no number can be a date, which only the Date header makes a pause of. */
    (void)snprintf(response->retry_after, sizeof(response->retry_after), "%.63s", value);
    response->retry_after_ms = seconds < 0 ? -1 : seconds * 1000;
}

static void
take_call_limit(struct gr_http_response *response, const char *value)
{
    const char *slash = strchr(value, '/');
    int64_t used = count_of(value, '/');
    int64_t limit = slash != NULL ? count_of(slash + 1, '\0') : -1;

    if (used < 0 || limit < 1)
        return;
    response->used = used;
    response->limit = limit;
}

static void
take_location(struct gr_http_response *response, const char *value)
{
    gr_free(response->location);
    response->location = gr_strdup(value);
}

static void
take_content_type(struct gr_http_response *response, const char *value)
{
    response->is_html = strncasecmp(value, "text/html", 9) == 0;
}

static const struct header {
    const char *name;
    void (*take)(struct gr_http_response *response, const char *value);
} headers[] = {
    {"Date", take_date},
    {"Retry-After", take_retry_after},
    {"X-Gorgias-Account-Api-Call-Limit", take_call_limit},
    {"Location", take_location},
    {"Content-Type", take_content_type},
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value behind "name:", without white space around it; false for another header, and for a
   value that no such header has. */
static bool
value_of(const char *line, size_t len, const char *name, char value[VALUE_BYTES])
{
    size_t at = strlen(name);

    if (len <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
        return false;
    for (at++; at < len && is_space(line[at]); at++)
        continue;
    while (len > at && is_space(line[len - 1]))
        len--;
    if (len - at >= VALUE_BYTES || memchr(line + at, '\0', len - at) != NULL)
        return false;
    memcpy(value, line + at, len - at);
    value[len - at] = '\0';
    return true;
}

void
gr_header_take(const char *line, size_t len, struct gr_http_response *response)
{
    char value[VALUE_BYTES];

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        if (value_of(line, len, headers[i].name, value))
            headers[i].take(response, value);
}
