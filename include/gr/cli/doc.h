/*
 * gr/cli/doc.h - results as JSON or YAML. Of this layer, only doc.c includes <json-c/json.h>.
 *
 * Shape   gr_doc_object, put*, gr_doc_print_json or gr_doc_print_yaml, gr_doc_free_var
 * Owns    a container takes what is put into it; texts are copied
 */
#ifndef GR_CLI_DOC_H
#define GR_CLI_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"

struct json_object;

struct json_object *gr_doc_object(void);
struct json_object *gr_doc_array(void);
void gr_doc_free_var(struct json_object **doc); /* for GR_CLEANUP */

void gr_doc_put(struct json_object *object, const char *key, struct json_object *child);
void gr_doc_put_text(struct json_object *object, const char *key, const char *text); /* or null */
void gr_doc_put_int(struct json_object *object, const char *key, int64_t number);
void gr_doc_put_bool(struct json_object *object, const char *key, bool is_true);
void gr_doc_put_time(struct json_object *object, const char *key, int64_t us); /* none: null */
/* A text that came from outside: secrets in it become ***. */
void gr_doc_put_message(struct json_object *object, const char *key, const char *text);
/* A text that is JSON itself; NULL, or none: null. */
void gr_doc_put_json(struct json_object *object, const char *key, const char *json);

void gr_doc_add(struct json_object *array, struct json_object *child);
void gr_doc_add_text(struct json_object *array, const char *text);

/* Appends the document and a newline. */
void gr_doc_print_json(struct json_object *doc, struct gr_buf *out);
void gr_doc_print_yaml(struct json_object *doc, struct gr_buf *out);

#endif
