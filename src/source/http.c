/* http.c - GETs in flight, by libcurl's multi interface. */
#include "gr/source/http.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/source/header.h"
#include "gr/source/retry.h"

enum { TRANSFERS_MAX = 64, RECEIVE_BUFFER_BYTES = 256 * 1024, STOP_POLL_MS = 200 };

struct transfer {
    struct transfer *next; /* in the list of active ones */
    CURL *easy;
    struct gr_http_response *response;
    char error_text[CURL_ERROR_SIZE];
    int64_t started_ms;
};

struct gr_http {
    const struct gr_source *source;
    CURLM *multi;
    struct transfer *active;
    struct transfer *idle; /* kept for their handles */
    size_t in_flight;
    char *token; /* owned; OAuth2 */
    gr_http_stop *stop;
    void *stop_context;
};

static bool
is_plain(const struct gr_source *source)
{
    return strncasecmp(source->base_url, "http://", 7) == 0;
}

bool
gr_http_open(const struct gr_source *source, struct gr_http **out, struct gr_error *err)
{
    struct gr_http *http;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return gr_fail(err, GR_FAULT_BUG, "libcurl does not start");
    http = gr_alloc(1, sizeof(*http));
    http->source = source;
    http->token = source->access_token != NULL ? gr_strdup(source->access_token) : NULL;
    http->multi = curl_multi_init();
    if (http->multi == NULL) {
        gr_free(http->token);
        gr_free(http);
        return gr_fail(err, GR_FAULT_BUG, "libcurl does not start");
    }
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)TRANSFERS_MAX);
    *out = http;
    return true;
}

void
gr_http_response_free(struct gr_http_response *response)
{
    if (response == NULL)
        return;
    gr_buf_free(&response->body);
    gr_free(response->path);
    gr_free(response->location);
    gr_free(response);
}

static void
free_transfers(struct transfer *list)
{
    for (struct transfer *next; list != NULL; list = next) {
        next = list->next;
        curl_easy_cleanup(list->easy);
        gr_http_response_free(list->response);
        gr_free(list);
    }
}

void
gr_http_close(struct gr_http *http)
{
    if (http == NULL)
        return;
    for (struct transfer *transfer = http->active; transfer != NULL; transfer = transfer->next)
        (void)curl_multi_remove_handle(http->multi, transfer->easy);
    free_transfers(http->active);
    free_transfers(http->idle);
    (void)curl_multi_cleanup(http->multi);
    gr_free(http->token);
    gr_free(http);
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;

    gr_buf_put(&transfer->response->body, bytes, size * count);
    return transfer->response->body.failed == NULL ? size * count : 0;
}

static size_t
on_header(char *line, size_t size, size_t count, void *context)
{
    gr_header_take(line, size * count, ((struct transfer *)context)->response);
    return size * count;
}

/* The file of CA certificates that the environment names, as it does for curl itself, or NULL:
   whoever is behind a proxy that looks into TLS has to trust it. */
static const char *
ca_file(void)
{
    const char *path = getenv("CURL_CA_BUNDLE");

    if (path == NULL || *path == '\0')
        path = getenv("SSL_CERT_FILE");
    return path != NULL && *path != '\0' ? path : NULL;
}

/* What stays the same for every request of a connection. */
static void
set_up(struct transfer *transfer, const struct gr_source *source)
{
    CURL *easy = transfer->easy;

    if (ca_file() != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file());
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_plain(source) ? "http" : "https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "gorgias-replicate/" GR_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)source->connect_timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                           (long)((source->stall_timeout_ms + 999) / 1000));
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)source->total_timeout_ms);
    /* Plain http goes to a loopback address: no proxy of the environment may see it. */
    if (is_plain(source))
        (void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

static void
set_basic(CURL *easy, const char *user, const char *password)
{
    (void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    (void)curl_easy_setopt(easy, CURLOPT_USERNAME, user);
    (void)curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
}

static void
set_credentials(CURL *easy, const struct gr_http *http)
{
    const struct gr_source *source = http->source;

    if (http->token != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        (void)curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, http->token);
    } else if (source->email != NULL && source->api_key != NULL) {
        set_basic(easy, source->email, source->api_key);
    }
}

void
gr_http_set_token(struct gr_http *http, const char *token)
{
    gr_free(http->token);
    http->token = gr_strdup(token);
}

static struct transfer *
transfer_new(struct gr_http *http)
{
    struct transfer *transfer = http->idle;

    if (transfer != NULL) {
        http->idle = transfer->next;
        return transfer;
    }
    transfer = gr_alloc(1, sizeof(*transfer));
    transfer->easy = curl_easy_init();
    set_up(transfer, http->source);
    return transfer;
}

static struct gr_http_response *
response_new(const char *path_and_query, void *tag)
{
    struct gr_http_response *response = gr_alloc(1, sizeof(*response));

    response->tag = tag;
    response->path = gr_strndup(path_and_query, strcspn(path_and_query, "?"));
    response->body = gr_buf_new(GR_HTTP_BODY_MAX);
    response->date_us = GR_TIME_NONE;
    response->retry_after_ms = -1;
    response->used = -1;
    response->limit = -1;
    return response;
}

/* What every request has; its credentials are set by the caller. */
static void
prepare(struct gr_http *http, struct transfer *transfer, const char *path_and_query, void *tag)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf url = gr_buf_new(0);
    static struct curl_slist *accept;

    if (accept == NULL)
        accept = curl_slist_append(curl_slist_append(NULL, "Accept: application/json"),
                                   "Cache-Control: no-cache");
    gr_buf_puts(&url, http->source->base_url);
    gr_buf_puts(&url, path_and_query);
    transfer->response = response_new(path_and_query, tag);
    transfer->error_text[0] = '\0';
    transfer->started_ms = gr_clock_ms();
    (void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, accept);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_URL, gr_buf_text(&url));
}

bool
gr_http_start(struct gr_http *http, const char *path_and_query, void *tag, struct gr_error *err)
{
    struct transfer *transfer = transfer_new(http);

    prepare(http, transfer, path_and_query, tag);
    set_credentials(transfer->easy, http);
    if (curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK) {
        transfer->next = NULL;
        free_transfers(transfer);
        return gr_fail(err, GR_FAULT_BUG, "libcurl takes no further request");
    }
    transfer->next = http->active;
    http->active = transfer;
    http->in_flight++;
    gr_log(GR_LOG_DEBUG, NULL, "http begins", "method", "GET", "path", path_and_query, NULL);
    return true;
}

/* Takes a transfer out of the active ones and keeps its handle. */
static struct gr_http_response *
retire(struct gr_http *http, struct transfer *transfer)
{
    struct gr_http_response *response = transfer->response;

    for (struct transfer **at = &http->active; *at != NULL; at = &(*at)->next) {
        if (*at == transfer) {
            *at = transfer->next;
            break;
        }
    }
    (void)curl_multi_remove_handle(http->multi, transfer->easy);
    transfer->response = NULL;
    transfer->next = http->idle;
    http->idle = transfer;
    http->in_flight--;
    return response;
}

void
gr_http_cancel(struct gr_http *http, void *tag)
{
    for (struct transfer *transfer = http->active; transfer != NULL; transfer = transfer->next) {
        if (transfer->response->tag == tag) {
            gr_http_response_free(retire(http, transfer));
            return;
        }
    }
}

size_t
gr_http_in_flight(const struct gr_http *http)
{
    return http->in_flight;
}

void
gr_http_push(struct gr_http *http)
{
    int running;

    (void)curl_multi_perform(http->multi, &running);
}

void
gr_http_wait(struct gr_http *http, const struct gr_http_socket *sockets, size_t count,
             int64_t timeout_ms)
{
    struct curl_waitfd extra[GR_HTTP_SOCKETS_MAX];
    unsigned extra_count = 0;
    int running;

    for (size_t i = 0; i < count && extra_count < GR_HTTP_SOCKETS_MAX; i++) {
        short events = CURL_WAIT_POLLIN;

        if (sockets[i].wants_write)
            events |= CURL_WAIT_POLLOUT;
        if (sockets[i].fd >= 0)
            extra[extra_count++] = (struct curl_waitfd){.fd = sockets[i].fd, .events = events};
    }
    (void)curl_multi_perform(http->multi, &running);
    /* What came at once is there to be taken: no socket will tell of it any more. */
    if ((size_t)running < http->in_flight)
        return;
    (void)curl_multi_poll(http->multi, extra, extra_count,
                          (int)(timeout_ms < 0       ? 0
                                : timeout_ms > 60000 ? 60000
                                                     : timeout_ms),
                          NULL);
    (void)curl_multi_perform(http->multi, &running);
}

/* The certificate is wrong, and will be so the next time: not a fault of the network. */
static bool
is_distrust(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_INVALIDCERTSTATUS;
}

static void
set_fault(struct transfer *transfer, CURLcode code)
{
    struct gr_http_response *response = transfer->response;
    const char *why =
        transfer->error_text[0] != '\0' ? transfer->error_text : curl_easy_strerror(code);

    if (response->body.failed != NULL) {
        (void)gr_fail(&response->error, GR_FAULT_PAYLOAD, "%s: the body is over %d MB",
                      response->path, GR_HTTP_BODY_MAX / 1024 / 1024);
        return;
    }
    (void)gr_fail(&response->error, is_distrust(code) ? GR_FAULT_UNREACHABLE : GR_FAULT_TRANSPORT,
                  "%s: %s", response->path, why);
    if (code == CURLE_COULDNT_RESOLVE_HOST)
        (void)gr_hint(&response->error, "Check the subdomain or base_url, and this machine's DNS.");
    else if (is_distrust(code))
        (void)gr_hint(
            &response->error,
            "The server's certificate could not be verified; nothing was sent to it. Check "
            "base_url, this machine's clock and its CA certificates (SSL_CERT_FILE names "
            "others).");
    else if (code == CURLE_SSL_CONNECT_ERROR)
        (void)gr_hint(&response->error, "No TLS connection of version 1.2 or later could be made; "
                                        "nothing was sent.");
    else
        (void)gr_hint(&response->error, "Check the network between this machine and the source.");
}

static void
log_end(const struct transfer *transfer, const char *method)
{
    const struct gr_http_response *response = transfer->response;
    char status[24], ms[24], bytes[24];

    if (!gr_log_wants(GR_LOG_DEBUG))
        return;
    (void)snprintf(status, sizeof(status), "%ld", response->status);
    (void)snprintf(ms, sizeof(ms), "%" PRId64, response->elapsed_ms);
    (void)snprintf(bytes, sizeof(bytes), "%zu", response->body.len);
    gr_log(GR_LOG_DEBUG, NULL, "http", "method", method, "path", response->path, "status", status,
           "ms", ms, "bytes", bytes, "error",
           response->error.fault != GR_OK ? response->error.message : NULL, NULL);
}

/* What is known only when the transfer is over. */
static void
conclude(struct transfer *transfer, const char *method, CURLcode code)
{
    struct gr_http_response *response = transfer->response;
    bool has_date = response->date_us != GR_TIME_NONE;

    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response->status);
    response->elapsed_ms = gr_clock_ms() - transfer->started_ms;
    if (code != CURLE_OK)
        set_fault(transfer, code);
    response->is_html = response->is_html || gr_buf_text(&response->body)[0] == '<';
    response->retry_after_ms =
        gr_retry_after_ms(response->retry_after, has_date ? response->date_us : gr_clock_us());
    log_end(transfer, method);
}

struct gr_http_response *
gr_http_take(struct gr_http *http)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        conclude(transfer, "GET", message->data.result);
        return retire(http, transfer);
    }
    return NULL;
}

struct gr_http_response *
gr_http_get(struct gr_http *http, const char *path_and_query)
{
    struct gr_http_response *response;
    struct gr_error err;

    if (!gr_http_start(http, path_and_query, NULL, &err)) {
        response = response_new(path_and_query, NULL);
        response->error = err;
        return response;
    }
    while ((response = gr_http_take(http)) == NULL)
        gr_http_wait(http, NULL, 0, 1000);
    return response;
}

void
gr_http_on_stop(struct gr_http *http, gr_http_stop *call, void *context)
{
    http->stop = call;
    http->stop_context = context;
}

static bool
must_stop(const struct gr_http *http)
{
    return http->stop != NULL && http->stop(http->stop_context);
}

bool
gr_http_pause(struct gr_http *http, int64_t pause_ms)
{
    int64_t until_ms = gr_clock_ms() + pause_ms;
    int64_t left_ms;

    while ((left_ms = until_ms - gr_clock_ms()) > 0 && !must_stop(http))
        gr_clock_sleep(left_ms < STOP_POLL_MS ? left_ms : STOP_POLL_MS);
    return left_ms <= 0;
}

/* The only transfer of `multi`, up to its end or until it is stopped. */
static void
perform(struct gr_http *http, CURLM *multi, struct transfer *transfer)
{
    int running = 1, left;
    CURLMsg *message;

    while (running > 0) {
        (void)curl_multi_perform(multi, &running);
        if (running > 0 && must_stop(http)) {
            (void)gr_fail(&transfer->response->error, GR_FAULT_CANCELLED, "%s: stopped",
                          transfer->response->path);
            return;
        }
        if (running > 0)
            (void)curl_multi_poll(multi, NULL, 0, STOP_POLL_MS, NULL);
    }
    message = curl_multi_info_read(multi, &left);
    conclude(transfer, "POST", message != NULL ? message->data.result : CURLE_FAILED_INIT);
}

struct gr_http_response *
gr_http_post(struct gr_http *http, const char *path, const char *form, const char *user,
             const char *password)
{
    /* Handles of its own: nothing of a POST is left in those that are used again, and what answers
       the requests in flight stays there for gr_http_take. */
    struct transfer transfer = {.easy = curl_easy_init()};
    CURLM *multi = curl_multi_init();

    set_up(&transfer, http->source);
    prepare(http, &transfer, path, NULL);
    if (user != NULL && password != NULL)
        set_basic(transfer.easy, user, password);
    (void)curl_easy_setopt(transfer.easy, CURLOPT_POSTFIELDS, form);
    gr_log(GR_LOG_DEBUG, NULL, "http begins", "method", "POST", "path", path, NULL);
    (void)curl_multi_add_handle(multi, transfer.easy);
    perform(http, multi, &transfer);
    (void)curl_multi_remove_handle(multi, transfer.easy);
    curl_easy_cleanup(transfer.easy);
    (void)curl_multi_cleanup(multi);
    return transfer.response;
}

void
gr_http_encode(struct gr_buf *url, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            gr_buf_putc(url, *text);
        else
            gr_buf_printf(url, "%%%02X", (unsigned)(unsigned char)*text);
    }
}
