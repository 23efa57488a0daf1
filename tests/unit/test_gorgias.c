/* layers: source */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/source/gorgias.h"

static const struct gr_schema events = {
    .stream = "events", .path = "/api/events", .since = "created_datetime[gte]"};

static void
a_list_s_url_has_what_was_asked_for_and_no_more(void **state)
{
    const struct gr_param params[] = {{"object_type", "Ticket"}, {"archived", "false"}};
    const struct gr_pass pass = {params, 2};
    const int64_t ids[] = {1, 2147483648};
    const struct {
        struct gr_list_ask ask;
        const char *url;
    } cases[] = {
        {{.limit = 100, .since_us = GR_TIME_NONE}, "/api/events?limit=100"},
        {{.since_us = GR_TIME_NONE}, "/api/events"},
        {{.limit = 100, .order = "usage:desc,name:desc", .since_us = GR_TIME_NONE},
         "/api/events?limit=100&order_by=usage%3Adesc%2Cname%3Adesc"},
        {{.limit = 5, .cursor = "a+b/c=", .since_us = GR_TIME_NONE},
         "/api/events?limit=5&cursor=a%2Bb%2Fc%3D"},
        {{.limit = 1, .pass = &pass, .since_us = GR_TIME_NONE},
         "/api/events?limit=1&object_type=Ticket&archived=false"},
        {{.param = "ticket_ids", .ids = ids, .id_count = 2, .since_us = GR_TIME_NONE},
         "/api/events?ticket_ids=1&ticket_ids=2147483648"},
        {{.limit = 9, .since_us = INT64_C(1700000000000001)},
         "/api/events?limit=9&created_datetime%5Bgte%5D=2023-11-14T22%3A13%3A20.000001Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_buf url = gr_buf_new(0);

        gr_gorgias_list_url(&url, &events, &cases[i].ask);
        assert_string_equal(gr_buf_text(&url), cases[i].url);
        gr_buf_free(&url);
    }
}

static void
an_object_takes_no_parameters(void **state)
{
    const struct gr_schema account = {.path = "/api/account", .shape = GR_SHAPE_OBJECT};
    struct gr_buf url = gr_buf_new(0);

    (void)state;
    gr_gorgias_list_url(&url, &account,
                        &(struct gr_list_ask){.limit = 100, .since_us = GR_TIME_NONE});
    assert_string_equal(gr_buf_text(&url), "/api/account");
    gr_buf_reset(&url);
    gr_gorgias_object_url(&url, &events, 17);
    assert_string_equal(gr_buf_text(&url), "/api/events/17");
    gr_buf_free(&url);
}

static bool
classify(long status, bool is_html, const char *text, struct gr_error *err)
{
    char path[] = "/api/tickets";
    struct gr_http_response response = {
        .path = path, .status = status, .is_html = is_html, .retry_after_ms = 5000};
    bool ok;

    response.body = gr_buf_new(0);
    gr_buf_puts(&response.body, text);
    ok = gr_gorgias_classify(&response, err);
    gr_buf_free(&response.body);
    return ok;
}

static void
every_status_has_its_fault(void **state)
{
    static const struct {
        long status;
        bool is_html;
        enum gr_fault fault;
    } cases[] = {
        {200, false, GR_OK},
        {204, false, GR_OK},
        {301, false, GR_FAULT_REDIRECT},
        {302, true, GR_FAULT_REDIRECT},
        {304, false, GR_FAULT_REDIRECT},
        {400, false, GR_FAULT_REFUSED},
        {401, false, GR_FAULT_AUTH},
        {403, false, GR_FAULT_FORBIDDEN},
        {404, false, GR_FAULT_MISSING},
        {404, true, GR_FAULT_UNREACHABLE},
        {405, false, GR_FAULT_REFUSED},
        {408, true, GR_FAULT_REMOTE},
        {410, false, GR_FAULT_MISSING},
        {425, false, GR_FAULT_REMOTE},
        {429, false, GR_FAULT_THROTTLED},
        {429, true, GR_FAULT_THROTTLED},
        {500, false, GR_FAULT_REMOTE},
        {502, true, GR_FAULT_REMOTE},
        {524, true, GR_FAULT_REMOTE},
        {599, false, GR_FAULT_REMOTE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_error err = {.fault = GR_OK};
        bool ok = classify(cases[i].status, cases[i].is_html, "<html>", &err);

        assert_int_equal(ok, cases[i].fault == GR_OK);
        assert_int_equal(err.fault, cases[i].fault);
        if (!ok && cases[i].status == 429)
            assert_int_equal(err.retry_after_ms, 5000);
    }
}

static void
the_api_s_own_words_are_told(void **state)
{
    struct gr_error err;

    (void)state;
    assert_false(
        classify(400, false,
                 "{\"error\": {\"msg\": \"Bad request.\", \"data\": {\"limit\": [\"x\"]}}}", &err));
    assert_string_equal(err.message,
                        "HTTP 400 from /api/tickets: Bad request. {\"limit\":[\"x\"]}");
    /* What is said behind them goes on in the same sentence. */
    assert_false(classify(500, false, "{\"error\": {\"msg\": \"Internal error.\"}}", &err));
    assert_string_equal(err.message, "HTTP 500 from /api/tickets: Internal error");
    /* A body that is no such thing adds nothing. */
    assert_false(classify(400, false, "{\"error\": 5}", &err));
    assert_string_equal(err.message, "HTTP 400 from /api/tickets");
    assert_false(classify(500, true, "<html>", &err));
    assert_string_equal(err.message, "HTTP 500 from /api/tickets");
}

static void
only_a_slash_more_or_less_is_followed(void **state)
{
    static const struct {
        const char *location;
        const char *url; /* NULL: not followed */
    } cases[] = {
        {"/api/tags/", "/api/tags/?limit=100"},
        {"https://acme.gorgias.com/api/tags/", "/api/tags/?limit=100"},
        {"/api/tags/?limit=100", "/api/tags/?limit=100"},
        {"/api/tags", NULL},
        {"/api/tags/5/", NULL},
        {"/api/tag/", NULL},
        {"/api/users/", NULL},
        {"https://evil.example.com/api/tags/", NULL},
        {"https://acme.gorgias.com.evil.example.com/api/tags/", NULL},
        {"//evil.example.com/api/tags/", NULL},
        {"http://acme.gorgias.com/api/tags/", NULL},
        {NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_buf url = gr_buf_new(0);
        struct gr_http_response response = {.status = 301};
        bool follows;

        memcpy(&response.location, &cases[i].location, sizeof(response.location));
        follows = gr_gorgias_slash_url(&response, "https://acme.gorgias.com", "/api/tags?limit=100",
                                       &url);
        assert_int_equal(follows, cases[i].url != NULL);
        if (follows)
            assert_string_equal(gr_buf_text(&url), cases[i].url);
        gr_buf_free(&url);
    }
}

static void
only_another_id_of_the_same_endpoint_is_a_merge(void **state)
{
    static const struct gr_schema customers = {.path = "/api/customers"};
    static const struct {
        long status;
        const char *location;
        bool is_merged;
    } cases[] = {
        {301, "/api/customers/7", true},
        {301, "https://acme.gorgias.com/api/customers/7/", true},
        {301, "http://acme.gorgias.com/api/customers/7", true},
        {308, "/api/customers/7", true},
        {302, "/api/customers/7", false},
        {301, "https://evil.example.com/api/customers/7", false},
        {301, "https://acme.gorgias.com.evil.example.com/api/customers/7", false},
        {301, "/login?next=/api/customers/7", false},
        {301, "/api/customers", false},
        {301, "/api/customers/", false},
        {301, "/api/customers/login", false},
        {301, "/api/tickets/7", false},
        {301, NULL, false},
        {200, "/api/customers/7", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_http_response response = {.status = cases[i].status};

        memcpy(&response.location, &cases[i].location, sizeof(response.location));
        if (gr_gorgias_is_merged(&response, "https://acme.gorgias.com", &customers) !=
            cases[i].is_merged)
            fail_msg("%ld to %s", cases[i].status, cases[i].location);
    }
}

static void
an_answer_to_another_request_is_known_by_its_uri(void **state)
{
    static const char asked[] =
        "/api/messages?limit=100&ticket_id=5&archived=false&created_datetime%5Bgte%5D="
        "2026-01-02T00%3A00%3A00Z&cursor=a%2Bb%3D";
    static const struct {
        const char *uri;
        bool is_answer;
    } cases[] = {
        {"/api/messages?limit=100&ticket_id=5&cursor=a%2Bb%3D", true},
        {"https://acme.gorgias.com/api/messages/?cursor=a%2bb=&ticket_id=5", true},
        {"/api/messages?cursor=a+b=", true},
        {"/api/messages", true},
        {"", true},
        {"/api/messages?limit=30&order_by=id", true}, /* what is no name of rows may differ */
        {"/api/messages?ticket_id=6&cursor=a%2Bb%3D", false},
        {"/api/messages?ticket_id=5&ticket_id=6", false},
        {"/api/messages?ticket_id=5&cursor=x", false},
        {"/api/messages?archived=False&created_datetime[gte]=2026-01-02T00:00:00.000000+00:00",
         true},
        {"/api/messages?archived=true", false},
        {"/api/messages?created_datetime[gte]=2026-01-01T00:00:00Z", false},
        {"/api/messages?cursor=A%2Bb%3D", false},
        {"/api/messages?something=else", true},
        {"/api/messages?cursor=%", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (gr_gorgias_is_answer(cases[i].uri, asked) != cases[i].is_answer)
            fail_msg("%s", cases[i].uri);
    /* Written down without care: that tells nothing. */
    assert_true(
        gr_gorgias_is_answer("/api/tags?cursor=A+b/c==", "/api/tags?cursor=A%2Bb%2Fc%3D%3D"));
    assert_true(gr_gorgias_is_answer("/api/tags?cursor=&search=", "/api/tags?limit=100"));
    assert_true(gr_gorgias_is_answer("/api/tickets?ticket_ids=1,2",
                                     "/api/tickets?ticket_ids=1&ticket_ids=2"));
    /* A first page, which knows of no cursor. */
    assert_true(gr_gorgias_is_answer("/api/tags?limit=100", "/api/tags?limit=100"));
    assert_false(gr_gorgias_is_answer("/api/tags?cursor=x", "/api/tags?limit=100"));
    /* Ids in another order are the same ids. */
    assert_true(gr_gorgias_is_answer("/api/tickets?ticket_ids=2&ticket_ids=1",
                                     "/api/tickets?ticket_ids=1&ticket_ids=2"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_s_url_has_what_was_asked_for_and_no_more),
        cmocka_unit_test(an_object_takes_no_parameters),
        cmocka_unit_test(every_status_has_its_fault),
        cmocka_unit_test(the_api_s_own_words_are_told),
        cmocka_unit_test(only_a_slash_more_or_less_is_followed),
        cmocka_unit_test(only_another_id_of_the_same_endpoint_is_a_merge),
        cmocka_unit_test(an_answer_to_another_request_is_known_by_its_uri),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
