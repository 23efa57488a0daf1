/* layers: source */
/* fuzz_header.c - any bytes as header lines: what is taken is in bounds, and nothing else changes.
 */
#include "fuzz.h"
#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/source/header.h"

static void
require_response(const struct gr_http_response *response)
{
    require(response->date_us == GR_TIME_NONE || (response->date_us > INT64_C(-62200000000000000) &&
                                                  response->date_us < INT64_C(253500000000000000)));
    require(response->retry_after_ms >= -1 && response->retry_after_ms <= INT64_C(1000000000000));
    require((response->used == -1) == (response->limit == -1));
    require(response->limit == -1 || (response->limit >= 1 && response->limit <= 1000000000));
    require(response->used <= 1000000000);
    require(response->location == NULL || strpbrk(response->location, "\r\n") == NULL ||
            strlen(response->location) < 2048);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_http_response response = {
        .date_us = GR_TIME_NONE, .retry_after_ms = -1, .used = -1, .limit = -1};
    const char *at = (const char *)data;
    const char *end = at + size;

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = stop != NULL ? (size_t)(stop - at) + 1 : (size_t)(end - at);

        gr_header_take(at, len, &response);
        require_response(&response);
        at += len;
    }
    require(response.status == 0 && response.path == NULL && response.error.fault == GR_OK);
    gr_free(response.location);
    return 0;
}
