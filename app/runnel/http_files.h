/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of a folder, read into memory once, and found by walking a sorted table one octet of
 * the path at a time. A path is therefore never stored, never joined to a folder's name and never
 * given to the file system: there is nothing to traverse, and a request may arrive in any pieces.
 * Symbolic links and names that begin with a dot are left out.
 * Owns: the table, the answers, the bodies. Floor 6 (app).
 */
#ifndef RNL_HTTP_FILES_H
#define RNL_HTTP_FILES_H

#include "http_answer.h"

struct rnl_http_file {
	char *path; /**< as in a decoded URL: begins with '/' */
	uint32_t path_len;
	struct rnl_http_answer answer;
	void *body; /**< DPDK memory that this entry owns, or NULL */
};

struct rnl_http_files {
	struct rnl_http_file *file; /**< sorted by path, octet by octet */
	uint32_t count, room;
	uint64_t bytes; /**< of all bodies */
};

/** How far a path has been walked: entries [lo, hi) begin with the `depth` octets seen. */
struct rnl_http_cursor {
	uint32_t lo, hi, depth;
};

/** Whether a folder can be read; touches no DPDK. @return 0, negative errno with err. */
int rnl_http_files_check(const char *root, struct rnl_error *err);
/** Reads a folder. Needs an initialised EAL. @return 0, negative errno with err. */
int rnl_http_files_load(struct rnl_http_files *f, const char *root, struct rnl_error *err);
/**
 * Adds one entry; call rnl_http_files_sort() after the last. A body that is not inline must outlive
 * the table. @return the entry, NULL: out of memory.
 */
struct rnl_http_file *rnl_http_files_add(struct rnl_http_files *f, const char *path,
                                         const struct rnl_http_content *c);
/** Makes the table ready for walks. */
void rnl_http_files_sort(struct rnl_http_files *f);
/** Frees everything. Safe on a zeroed table. */
void rnl_http_files_free(struct rnl_http_files *f);
/** @return the media type of a file name. Never NULL. */
const char *rnl_http_files_type(const char *name);

/** Begins a walk. */
static inline void rnl_http_cursor_init(const struct rnl_http_files *f, struct rnl_http_cursor *at)
{
	*at = (struct rnl_http_cursor){.hi = f->count};
}

/** Walks on by one octet of the decoded path. */
void rnl_http_cursor_step(const struct rnl_http_files *f, struct rnl_http_cursor *at,
                          uint8_t octet);
/** @return what the whole path names, or NULL. */
const struct rnl_http_answer *rnl_http_cursor_find(const struct rnl_http_files *f,
                                                   const struct rnl_http_cursor *at);

#endif /* RNL_HTTP_FILES_H */
