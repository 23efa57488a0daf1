/* layers: spec */
/* fuzz_connection.c - any text as the value of a connection: S... a source, T... a target. Plain
   http goes to loopback only, no message shows a secret, and the target's password is in no text
   for people. */
#include <arpa/inet.h>

#include "fuzz.h"
#include "gr/base/buf.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/spec/connection.h"

#define NOW_US INT64_C(1795243824000000)

/* By another way than the program's: what inet_pton takes is an address. */
static bool
is_loopback(const char *authority)
{
    char host[64] = "";
    struct in_addr four;
    size_t len = *authority == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ":/");

    if (len >= sizeof(host))
        return false;
    memcpy(host, authority, len);
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    for (size_t i = 0; host[i] != '\0'; i++)
        if (host[i] >= 'A' && host[i] <= 'Z')
            host[i] = (char)(host[i] - 'A' + 'a');
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* All that may be shown of a secret is what it has in common with another text. */
static void
require_hidden(const char *secret)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf line = gr_buf_new(0);

    if (secret == NULL || strlen(secret) < 4 || strchr(secret, '*') != NULL)
        return;
    gr_buf_printf(&line, "before %s after", secret);
    gr_log_redact(&line);
    require(strstr(gr_buf_text(&line), secret) == NULL);
}

static void
require_source(const struct gr_source *source)
{
    bool is_plain = strncmp(source->base_url, "http://", 7) == 0;

    require(is_plain || strncmp(source->base_url, "https://", 8) == 0);
    require(!is_plain || is_loopback(source->base_url + 7));
    require(strpbrk(source->base_url + 8, "@/?# \\") == NULL || is_plain);
    require((source->api_key != NULL) !=
            (source->access_token != NULL || source->refresh_token != NULL));
    require(source->rate.requests >= 1 && source->rate.per_ms >= 1);
    require(source->rate.share > 0 && source->rate.share <= 1);
    require(source->connect_timeout_ms > 0 && source->stall_timeout_ms > 0 &&
            source->total_timeout_ms > 0);
    require_hidden(source->api_key);
    require_hidden(source->access_token);
    require_hidden(source->client_secret);
    require_hidden(source->refresh_token);
}

static void
require_target(const struct gr_target *target)
{
    require(target->shown != NULL && target->schema[0] != '\0');
    for (size_t i = 0; target->keywords[i] != NULL; i++) {
        require(target->values[i] != NULL);
        if (strcmp(target->keywords[i], "password") == 0)
            require_hidden(target->values[i]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_yaml_node name = {
        .kind = GR_YAML_TEXT, .file = "f", .line = 1, .column = 1, .text = "CONNECTION"};
    struct gr_connections from = {.arena = gr_arena_new(), .now_us = NOW_US};
    struct gr_source source;
    struct gr_target target;
    struct gr_error err = {.fault = GR_OK};

    forget_environment();
    (void)setenv("VAR", "v4lue", 1);
    if (size > 0)
        (void)setenv("CONNECTION", gr_arena_strndup(from.arena, (const char *)data + 1, size - 1),
                     1);
    gr_log_forget();
    if (size > 0 && *data == 'T') {
        if (gr_connection_target(&from, &name, &target, &err))
            require_target(&target);
    } else if (gr_connection_source(&from, &name, &source, &err)) {
        require_source(&source);
    }
    if (err.fault != GR_OK)
        require_error(&err, GR_FAULT_SPEC);
    gr_arena_free(from.arena);
    return 0;
}
