/*
 * gr/source/tokenfile.h - the file that holds the refresh token, which several runs may share.
 *
 * At each moment, whatever ends the program, the file holds one whole token: it is written beside
 * (a file of its own, mode 0600, that no link leads away from), brought to the disk and renamed.
 * Where the path is a link, the file that it leads to is replaced, and the link stays.
 *
 * Who renews holds the lock from before it reads the token until the next one is written, so no
 * token is used twice. The lock is the folder's (flock): nothing is left behind, and a killed run
 * lets go.
 *
 * Errors  GR_FAULT_SPEC: the file cannot be written
 * Owns    nothing
 */
#ifndef GR_SOURCE_TOKENFILE_H
#define GR_SOURCE_TOKENFILE_H

#include <stdbool.h>

#include "gr/base/error.h"

/* No lock is held. */
#define GR_TOKEN_FILE_UNLOCKED (-1)

/* False: somebody else holds it. Where the file system knows no locks, it is as if one were held.
 */
bool gr_token_file_lock(const char *path, int *lock_out);
void gr_token_file_unlock(int *lock);

/* Gives the token, without white space around it; NULL where there is none. */
char *gr_token_file_read(const char *path);

bool gr_token_file_write(const char *path, const char *token, struct gr_error *err);

#endif
