/*
 * gr/base/attr.h - the GNU attributes in use, under names of our own.
 *
 * GR_CLEANUP(fn) releases a variable when its scope is left; fn takes a pointer to the variable.
 * Such a variable is always initialised on the line that declares it.
 *
 * GR_APART is for a long function that a short one calls now and then: inlined, the short one would
 * save registers for it each time.
 */
#ifndef GR_BASE_ATTR_H
#define GR_BASE_ATTR_H

#define GR_CLEANUP(fn)     __attribute__((cleanup(fn)))
#define GR_PRINTF(fmt, at) __attribute__((format(printf, fmt, at)))
#define GR_NORETURN        __attribute__((noreturn))
#define GR_APART           __attribute__((noinline))

#endif
