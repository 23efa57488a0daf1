/*
 * gr/spec/connection.h - where the rows come from and where they go.
 *
 * A name is looked up in `connections:` of the replication file, in the environment variable of
 * that name (as it is or in capitals), in connections: of $SLING_ENV_YAML (the text itself), then
 * of $SLING_HOME_DIR/env.yaml or ~/.sling/env.yaml. A value is a URL or a YAML or JSON mapping, in
 * a variable also in base64, in Sling's form (type: api, spec: gorgias, secrets, inputs) or flat.
 * ${VAR} in a value is the environment's VAR. Every secret is named to base/log for redaction.
 *
 * Errors  GR_FAULT_SPEC, with the place of the value where it has one
 * Owns    texts live in the arena that was passed
 */
#ifndef GR_SPEC_CONNECTION_H
#define GR_SPEC_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/spec/notes.h"
#include "gr/spec/yaml.h"

/* What the account allows: `requests` in `per_ms`, of which this program takes `share`. */
struct gr_rate {
    int64_t requests;
    int64_t per_ms;
    double share;   /* 0 < share <= 1                                                    */
    bool is_stated; /* by the connection: obeyed as it is, however large                  */
};

struct gr_source {
    const char *name;         /* GORGIAS                                                   */
    const char *subdomain;    /* mycompany; "" where only base_url is given                */
    const char *base_url;     /* https://mycompany.gorgias.com, no slash at the end        */
    const char *email;        /* NULL with OAuth2                                          */
    const char *api_key;      /* NULL with OAuth2                                          */
    const char *access_token; /* OAuth2; NULL until refreshed where only a refresh token is given */
    const char *client_id;
    const char *client_secret;
    const char *refresh_token;
    const char *refresh_token_file; /* rewritten, mode 0600, when the token rotates        */
    int64_t anchor_us;              /* GR_TIME_NONE: from the beginning                          */
    struct gr_rate rate;
    int64_t connect_timeout_ms; /* 10 s                                                     */
    int64_t stall_timeout_ms;   /* 30 s without a byte                                      */
    int64_t total_timeout_ms;   /* 300 s for one response                                   */
    int64_t retry_timeout_ms;   /* 15 min for one request with all its repetitions          */
};

struct gr_target {
    const char *name;            /* WAREHOUSE                                                */
    const char *const *keywords; /* for PQconnectdbParams, NULL-terminated                   */
    const char *const *values;   /* a URL is the value of "dbname"                           */
    const char *shown;           /* host:port/database, without secrets, for messages        */
    const char *schema;          /* for tables that `object` names without a schema: public  */
    const char *database;        /* "" where only libpq knows                                */
};

/* What connections look like, for those who have none yet. */
#define GR_SOURCE_EXAMPLE                                                                          \
    "{ type: api, spec: gorgias, secrets: { subdomain: mycompany, email: me@example.com, "         \
    "api_key: xxx } }"
#define GR_TARGET_EXAMPLE "postgresql://user:password@host:5432/database"

/* Where a name is looked up. */
struct gr_connections {
    struct gr_arena *arena;
    const struct gr_yaml_node *own; /* connections: of the replication file, or NULL           */
    int64_t now_us;                 /* for the default of anchor_date                          */
    struct gr_notes *notes;         /* gets the warnings about files that others can read     */
};

/* The Gorgias connection that the text node `name` names. */
bool gr_connection_source(const struct gr_connections *from, const struct gr_yaml_node *name,
                          struct gr_source *out, struct gr_error *err);

/* The PostgreSQL connection that the text node `name` names, or is, as a URL. */
bool gr_connection_target(const struct gr_connections *from, const struct gr_yaml_node *name,
                          struct gr_target *out, struct gr_error *err);

/* The value of the name: a text (a URL) or a mapping, with ${VAR} expanded. `hint` says how to set
   one of the kind that is wanted. */
bool gr_connection_find(const struct gr_connections *from, const struct gr_yaml_node *name,
                        const char *hint, const struct gr_yaml_node **out, struct gr_error *err);

enum gr_connection_kind { GR_CONNECTION_SOURCE, GR_CONNECTION_TARGET };

/*
 * The connection that a new file would name: `wanted` where the environment or env.yaml sets it;
 * where it does not, and any will do, the only one of the kind in env.yaml. *name_out is NULL where
 * there is none, *place_out is where it is set; GR_FAULT_USAGE where env.yaml has several.
 */
bool gr_connection_guess(const struct gr_connections *from, enum gr_connection_kind kind,
                         const char *wanted, bool any_will_do, const char **name_out,
                         const char **place_out, struct gr_error *err);

/* A note about a file that holds secrets, if others can read it. */
void gr_connection_warn_shared(const struct gr_connections *from, const char *path);

/* A copy of the tree in which ${VAR} is the environment's VAR in all values, not in keys; so is a
   value that is $VAR as a whole, where VAR is set. */
bool gr_connection_expand(const struct gr_yaml_node *node, struct gr_arena *arena,
                          const struct gr_yaml_node **out, struct gr_error *err);

/* The same, and $VAR anywhere, as under `env` of a replication file. */
bool gr_connection_expand_env(const struct gr_yaml_node *node, struct gr_arena *arena,
                              const struct gr_yaml_node **out, struct gr_error *err);

/* True for "scheme://..."; the scheme is lower case and lives in the arena. */
bool gr_connection_is_url(const char *text, struct gr_arena *arena, const char **scheme_out);

/* Print the connections' part of docs/replication-file.md. */
void gr_connection_source_reference(struct gr_buf *out);
void gr_connection_target_reference(struct gr_buf *out);

#endif
