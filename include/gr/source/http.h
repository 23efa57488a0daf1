/*
 * gr/source/http.h - requests in flight: status, the few headers that matter, body, or a classified
 * fault. Only src/source/http.c includes <curl/curl.h>.
 *
 * Redirects are never followed (credentials go to no other host, and a merged customer would come
 * back under another id). TLS is verified, 1.2 or later. Connections are kept and reused. A request
 * either ends as a response with its whole body, or as a fault; nothing in between.
 *
 * Shape   gr_http_open, (gr_http_start | gr_http_wait | gr_http_take)*, gr_http_close
 * Units   milliseconds, bytes
 * Errors  GR_FAULT_TRANSPORT in response->error for what never became a response, and
 *         GR_FAULT_UNREACHABLE where the server's certificate is not to be trusted;
 *         gr_gorgias_classify (gr/source/gorgias.h) turns a response into a fault, or none
 * Owns    responses are owned by the struct until taken; gr_http_take gives, gr_http_response_free
 * Source  libcurl 7.88: curl_multi_poll(3), CURLOPT_*(3)
 */
#ifndef GR_SOURCE_HTTP_H
#define GR_SOURCE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/spec/connection.h"

enum { GR_HTTP_BODY_MAX = 256 * 1024 * 1024 };

struct gr_http;

struct gr_http_response {
    void *tag;             /* what the request was started with                            */
    char *path;            /* owned; for messages                                          */
    struct gr_error error; /* fault GR_OK when there is a response                         */
    long status;
    struct gr_buf body;     /* owned                                                        */
    int64_t date_us;        /* Date header, GR_TIME_NONE where missing                      */
    int64_t retry_after_ms; /* -1 where missing                                             */
    char retry_after[64];   /* the header as it came, "" where missing                      */
    int64_t used;           /* X-Gorgias-Account-Api-Call-Limit, -1 where missing           */
    int64_t limit;
    char *location; /* owned; NULL where missing                                    */
    bool is_html;   /* by its Content-Type, or because the body begins with <       */
    int64_t elapsed_ms;
};

/* `source` is borrowed. Gives. */
bool gr_http_open(const struct gr_source *source, struct gr_http **out, struct gr_error *err);
void gr_http_close(struct gr_http *http);

/* Starts GET base_url + path_and_query; `tag` comes back with the response. */
bool gr_http_start(struct gr_http *http, const char *path_and_query, void *tag,
                   struct gr_error *err);

/* Drops a request that was started with `tag`, if it is in flight. */
void gr_http_cancel(struct gr_http *http, void *tag);

size_t gr_http_in_flight(const struct gr_http *http);

/* A socket of others that is waited for as well; fd -1: none. */
struct gr_http_socket {
    int fd;
    bool wants_write;
};
enum { GR_HTTP_SOCKETS_MAX = 4 };

/* Waits until something can go on: a transfer, one of the sockets or `timeout_ms`. */
void gr_http_wait(struct gr_http *http, const struct gr_http_socket *sockets, size_t count,
                  int64_t timeout_ms);

/* Sends and receives what can be without waiting. */
void gr_http_push(struct gr_http *http);

/* The next finished request, or NULL. Gives. */
struct gr_http_response *gr_http_take(struct gr_http *http);
void gr_http_response_free(struct gr_http_response *response);

/* One GET, waited for: for commands, outside the loop. Gives. */
struct gr_http_response *gr_http_get(struct gr_http *http, const char *path_and_query);

/* Asked now and then while gr_http_post and gr_http_pause wait; true: they wait no longer. */
typedef bool gr_http_stop(void *context);
void gr_http_on_stop(struct gr_http *http, gr_http_stop *call, void *context);

/* Waits; false if it was stopped. */
bool gr_http_pause(struct gr_http *http, int64_t pause_ms);

/* One POST of a form, waited for, with HTTP Basic credentials or (NULL) without; GR_FAULT_CANCELLED
   in the response if it was stopped. Gives. */
struct gr_http_response *gr_http_post(struct gr_http *http, const char *path, const char *form,
                                      const char *user, const char *password);

/* From now on requests carry this access token. Copied. */
void gr_http_set_token(struct gr_http *http, const char *token);

/* Appends `text` URL-encoded (everything but unreserved characters). */
void gr_http_encode(struct gr_buf *url, const char *text);

#endif
