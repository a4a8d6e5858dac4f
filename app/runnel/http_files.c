/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of a folder in memory: see http_files.h. Floor 6 (app). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "engine.h"
#include "http_files.h"

#define DEPTH_MAX 32

/* One folder while it is read. */
struct walk {
	struct rnl_http_files *files;
	struct rnl_error *err;
	unsigned int depth;
	char path[PATH_MAX]; /* URL path of the folder, ends in '/' */
};

const char *rnl_http_files_type(const char *name)
{
	static const struct {
		const char *ext, *type;
	} types[] = {
	    {"html", "text/html; charset=utf-8"},
	    {"htm", "text/html; charset=utf-8"},
	    {"css", "text/css; charset=utf-8"},
	    {"js", "text/javascript; charset=utf-8"},
	    {"mjs", "text/javascript; charset=utf-8"},
	    {"json", "application/json"},
	    {"txt", "text/plain; charset=utf-8"},
	    {"md", "text/markdown; charset=utf-8"},
	    {"csv", "text/csv"},
	    {"xml", "application/xml"},
	    {"svg", "image/svg+xml"},
	    {"png", "image/png"},
	    {"jpg", "image/jpeg"},
	    {"jpeg", "image/jpeg"},
	    {"gif", "image/gif"},
	    {"webp", "image/webp"},
	    {"ico", "image/vnd.microsoft.icon"},
	    {"woff2", "font/woff2"},
	    {"wasm", "application/wasm"},
	    {"pdf", "application/pdf"},
	    {"mp4", "video/mp4"},
	    {"gz", "application/gzip"},
	    {"zip", "application/zip"},
	};
	const char *ext = strrchr(name, '.');
	unsigned int i;

	for (i = 0; ext != NULL && i < RTE_DIM(types); i++)
		if (strcasecmp(ext + 1, types[i].ext) == 0)
			return types[i].type;
	return "application/octet-stream";
}

struct rnl_http_file *rnl_http_files_add(struct rnl_http_files *f, const char *path,
                                         const struct rnl_http_content *c)
{
	struct rnl_http_file *e;

	if (f->count == f->room) {
		uint32_t room = f->room == 0 ? 64 : 2 * f->room;

		e = realloc(f->file, room * sizeof(*e));
		if (e == NULL)
			return NULL;
		f->file = e;
		f->room = room;
	}
	e = &f->file[f->count];
	memset(e, 0, sizeof(*e));
	e->path = strdup(path);
	if (e->path == NULL)
		return NULL;
	e->path_len = (uint32_t)strlen(path);
	if (rnl_http_answer_make(&e->answer, c) != 0) {
		rnl_http_answer_free(&e->answer);
		free(e->path);
		return NULL;
	}
	f->count++;
	return e;
}

static int compare(const void *a, const void *b)
{
	/* strcmp orders by unsigned octets, and a name holds no zero octet */
	return strcmp(((const struct rnl_http_file *)a)->path,
	              ((const struct rnl_http_file *)b)->path);
}

void rnl_http_files_sort(struct rnl_http_files *f)
{
	if (f->count > 0)
		qsort(f->file, f->count, sizeof(*f->file), compare);
}

void rnl_http_files_free(struct rnl_http_files *f)
{
	uint32_t i;

	for (i = 0; i < f->count; i++) {
		rnl_http_answer_free(&f->file[i].answer);
		free(f->file[i].path);
		rte_free(f->file[i].body);
	}
	free(f->file);
	memset(f, 0, sizeof(*f));
}

static int fail_errno(struct walk *w, const char *name, int error)
{
	return rnl_service_fail(w->err, -error, "cannot read %s%s below the root folder: %s",
	                        w->path, name, strerror(error));
}

static int read_all(int fd, uint8_t *dst, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, dst, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? EIO : errno; /* it shrank while it was read */
		dst += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Enters a file that is in memory, and its folder if it is the folder's index. */
static int enter_file(struct walk *w, const char *name, uint8_t *body, uint64_t len)
{
	const struct rnl_http_content c = {
	    .status = 200,
	    .type = rnl_http_files_type(name),
	    .body = body,
	    .block_len = len,
	    .body_len = len,
	};
	char path[PATH_MAX + NAME_MAX + 1];
	struct rnl_http_file *e;

	snprintf(path, sizeof(path), "%s%s", w->path, name);
	e = rnl_http_files_add(w->files, path, &c);
	if (e == NULL) {
		rte_free(body);
		return fail_errno(w, name, ENOMEM);
	}
	e->body = body;
	w->files->bytes += len;
	if (strcmp(name, "index.html") == 0 && rnl_http_files_add(w->files, w->path, &c) == NULL)
		return fail_errno(w, name, ENOMEM);
	return 0;
}

static int load_file(struct walk *w, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t *body = NULL;
	struct stat sb;
	int ret;

	if (fd < 0)
		return fail_errno(w, name, errno);
	ret = fstat(fd, &sb) < 0 ? errno : 0;
	if (ret == 0 && sb.st_size > 0) {
		body = rte_malloc("runnel_http", (size_t)sb.st_size, RTE_CACHE_LINE_SIZE);
		ret = body == NULL ? ENOMEM : read_all(fd, body, (size_t)sb.st_size);
	}
	close(fd);
	if (ret == 0)
		return enter_file(w, name, body, (uint64_t)sb.st_size);
	rte_free(body);
	if (ret != ENOMEM)
		return fail_errno(w, name, ret);
	return rnl_service_fail(
	    w->err, -ENOMEM,
	    "%s%s (%llu octets) does not fit in DPDK memory: give EAL more with -m "
	    "MiB, or serve a smaller folder",
	    w->path, name, (unsigned long long)sb.st_size);
}

/* "/dir" answers with the way to "/dir/", so that relative links in its index work. */
static int enter_redirect(struct walk *w)
{
	static const char plain[] = "/-._~";
	struct rnl_http_content c = {.status = 301};
	char path[PATH_MAX], extra[768];
	size_t n, i;

	snprintf(path, sizeof(path), "%s", w->path);
	path[strlen(path) - 1] = '\0';
	n = (size_t)snprintf(extra, sizeof(extra), "Location: ");
	for (i = 0; w->path[i] != '\0' && n + 8 < sizeof(extra); i++) {
		unsigned char ch = (unsigned char)w->path[i];
		bool keep = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		            (ch >= '0' && ch <= '9') || strchr(plain, ch) != NULL;

		n += (size_t)snprintf(extra + n, sizeof(extra) - n, keep ? "%c" : "%%%02X", ch);
	}
	if (w->path[i] != '\0')
		return 0; /* too long to say in a field: it stays 404 */
	snprintf(extra + n, sizeof(extra) - n, "\r\n");
	c.extra = extra;
	return rnl_http_files_add(w->files, path, &c) == NULL ? fail_errno(w, "", ENOMEM) : 0;
}

static int load_folder(struct walk *w, int dir);

static int load_subfolder(struct walk *w, int dir, const char *name)
{
	size_t len = strlen(w->path);
	int fd, ret;

	if (w->depth == DEPTH_MAX || len + strlen(name) + 2 > sizeof(w->path))
		return fail_errno(w, name, ENAMETOOLONG);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(w, name, errno);
	snprintf(w->path + len, sizeof(w->path) - len, "%s/", name);
	w->depth++;
	ret = enter_redirect(w);
	if (ret == 0)
		ret = load_folder(w, fd);
	else
		close(fd);
	w->depth--;
	w->path[len] = '\0';
	return ret;
}

static int load_entry(struct walk *w, int dir, const char *name)
{
	struct stat sb;

	if (name[0] == '.')
		return 0;
	if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(w, name, errno);
	if (S_ISDIR(sb.st_mode))
		return load_subfolder(w, dir, name);
	return S_ISREG(sb.st_mode) ? load_file(w, dir, name) : 0;
}

/* Takes over fd. */
static int load_folder(struct walk *w, int fd)
{
	DIR *d = fdopendir(fd);
	struct dirent *de;
	int ret = 0;

	if (d == NULL) {
		ret = fail_errno(w, "", errno);
		close(fd);
		return ret;
	}
	while (ret == 0 && (de = readdir(d)) != NULL)
		ret = load_entry(w, fd, de->d_name);
	closedir(d);
	return ret;
}

static int open_root(const char *root, struct rnl_error *err)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return rnl_service_fail(
		    err, -errno,
		    "cannot read the root folder '%s': %s; give root= a folder that "
		    "you may read",
		    root, strerror(errno));
	return fd;
}

int rnl_http_files_check(const char *root, struct rnl_error *err)
{
	int fd = open_root(root, err);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int rnl_http_files_load(struct rnl_http_files *f, const char *root, struct rnl_error *err)
{
	struct walk *w;
	int fd, ret;

	memset(f, 0, sizeof(*f));
	fd = open_root(root, err);
	if (fd < 0)
		return fd;
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		close(fd);
		return rnl_service_fail(err, -ENOMEM, "out of memory");
	}
	w->files = f;
	w->err = err;
	strcpy(w->path, "/");
	ret = load_folder(w, fd);
	free(w);
	if (ret != 0)
		rnl_http_files_free(f);
	else
		rnl_http_files_sort(f);
	return ret;
}

/* Octet `depth` of a path, below every octet when the path ends there. */
static int octet_at(const struct rnl_http_file *e, uint32_t depth)
{
	return depth < e->path_len ? (uint8_t)e->path[depth] : -1;
}

/* First entry of [lo, hi) whose octet is not below `octet`. */
static uint32_t lower_bound(const struct rnl_http_files *f, const struct rnl_http_cursor *at,
                            int octet)
{
	uint32_t lo = at->lo, hi = at->hi;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (octet_at(&f->file[mid], at->depth) < octet)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void rnl_http_cursor_step(const struct rnl_http_files *f, struct rnl_http_cursor *at, uint8_t octet)
{
	uint32_t lo, hi;

	if (at->lo < at->hi && (octet_at(&f->file[at->lo], at->depth) != octet ||
	                        octet_at(&f->file[at->hi - 1], at->depth) != octet)) {
		lo = lower_bound(f, at, octet);
		hi = lower_bound(f, at, octet + 1);
		at->lo = lo;
		at->hi = hi;
	}
	at->depth++;
}

const struct rnl_http_answer *rnl_http_cursor_find(const struct rnl_http_files *f,
                                                   const struct rnl_http_cursor *at)
{
	if (at->lo >= at->hi || f->file[at->lo].path_len != at->depth)
		return NULL;
	return &f->file[at->lo].answer;
}
