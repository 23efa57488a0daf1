/* base_url.c - which hosts the credentials may go to, and how. */
#include "gr/spec/base_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gr/spec/connection.h"

/* One number of an IPv4 address at *at; moves behind it. With a zero in front it is octal to some,
   and the name of a host to others. */
static bool
is_octet(const char **at)
{
    size_t digits = strspn(*at, "0123456789");
    unsigned value = 0;

    if (digits == 0 || digits > 3 || (digits > 1 && **at == '0'))
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (unsigned)((*at)[i] - '0');
    *at += digits;
    return value <= 255;
}

/* ::1, localhost and 127.0.0.0/8; not 127.example.com, which is a name that somebody owns. */
static bool
is_loopback(const char *host, size_t len)
{
    char text[64];
    const char *at_byte = text;

    if (len >= sizeof(text))
        return false;
    memcpy(text, host, len);
    text[len] = '\0';
    if (strcasecmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0)
        return true;
    if (strncmp(text, "127.", 4) != 0)
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (!is_octet(&at_byte))
            return false;
        if (i < 3 && *at_byte++ != '.')
            return false;
    }
    return *at_byte == '\0';
}

/* What is wrong with "host:port". */
static const char *
check_authority(const char *authority, bool is_plain)
{
    size_t host_len = *authority == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ":");
    const char *port = authority + host_len;
    size_t port_len;

    if (strchr(authority, '@') != NULL)
        return "must not hold a user or password";
    if (strpbrk(authority, "/?#\\ %") != NULL)
        return "must be only a scheme, a host and a port";
    if (host_len == 0 || host_len > strlen(authority))
        return "has no host";
    port_len = strlen(port);
    if (port_len > 0 && (*port != ':' || port_len < 2 || port_len > 6 ||
                         strspn(port + 1, "0123456789") != port_len - 1 ||
                         strtol(port + 1, NULL, 10) < 1 || strtol(port + 1, NULL, 10) > 65535))
        return "has a port that is no number from 1 to 65535";
    if (is_plain && !is_loopback(authority, host_len))
        return "is plain http, which would show the credentials to the network";
    return NULL;
}

const char *
gr_base_url_parse(const char *text, struct gr_arena *arena, const char **out)
{
    size_t len = strlen(text);
    const char *scheme;
    const char *wrong;
    char *url;

    while (len > 0 && text[len - 1] == '/')
        len--;
    url = gr_arena_strndup(arena, text, len);
    if (!gr_connection_is_url(url, arena, &scheme) ||
        (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        return "must be an https URL";
    wrong = check_authority(url + strlen(scheme) + 3, strcmp(scheme, "http") == 0);
    if (wrong == NULL)
        *out = gr_arena_printf(arena, "%s%s", scheme, url + strlen(scheme));
    return wrong;
}
