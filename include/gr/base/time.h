/*
 * gr/base/time.h - clocks, RFC 3339 and RFC 9110 dates, durations.
 *
 * The only reader of the system's clocks; whoever computes takes the time as a parameter.
 *
 * Units   instants are int64_t microseconds since 1970-01-01 UTC (GR_TIME_NONE: no instant);
 *         monotonic times and durations are int64_t milliseconds
 * Errors  none; a parser returns false for a text that is no such thing
 * Source  docs/api.md section 5 (the forms in which the API writes a datetime)
 */
#ifndef GR_BASE_TIME_H
#define GR_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GR_TIME_NONE INT64_MIN
#define GR_TIME_TEXT 64 /* bytes that hold any text the formatters write */

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t gr_clock_ms(void);

/* Microseconds of CLOCK_REALTIME. */
int64_t gr_clock_us(void);

/* Sleeps; returns early on a signal. */
void gr_clock_sleep(int64_t ms);

/*
 * Reads YYYY-MM-DD, optionally followed by T or a space, HH:MM[:SS[.fraction]] and Z, +HH:MM,
 * +HHMM, +HH or nothing (which is UTC, as a bare date is midnight UTC). Digits of the fraction
 * beyond the sixth are cut.
 */
bool gr_time_parse(const char *text, size_t len, int64_t *us_out);

/* Reads an HTTP date such as "Sat, 21 Nov 2026 06:50:24 GMT". */
bool gr_time_parse_http(const char *text, int64_t *us_out);

/* Writes 2026-11-21T06:50:24.000123Z; "-" for GR_TIME_NONE. */
void gr_time_format(int64_t us, char text[GR_TIME_TEXT]);

/* Reads "5m", "90s", "1h30m", "2d", "250ms", or bare digits as seconds. */
bool gr_duration_parse(const char *text, int64_t *ms_out);

/* Writes "1h 04m", "2m 10s", "12.3s", "250ms" into `text` of GR_TIME_TEXT bytes. */
void gr_duration_format(int64_t ms, char text[GR_TIME_TEXT]);

#endif
