/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engine http: its options, and what is made of them at start: files or a body in memory, the
 * answers to errors. What happens on connections is http_serve.c's. Floor 6 (app).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "http_serve.h"

#define SECOND_NS UINT64_C(1000000000)
/* A body of the fixed kind is a repeated block of this size at most. */
#define BLOCK_MAX (1u << 20)

static void http_defaults(void *config)
{
	struct rnl_http_config *cfg = config;

	cfg->idle_s = 60;
	cfg->head_timeout_s = 10;
	cfg->head_max = 16384;
	cfg->body_len = 64;
	strcpy(cfg->type, "text/plain");
}

static int option_number(const char *key, const char *value, uint64_t max, uint32_t *out,
                         struct rnl_error *err)
{
	uint64_t v;

	if (rnl_service_number(value, max, &v) != 0)
		return rnl_service_fail(err, -EINVAL, "%s=%s: give a number up to %llu", key, value,
		                        (unsigned long long)max);
	*out = (uint32_t)v;
	return 1;
}

static int option_text(const char *key, const char *value, char *out, size_t size,
                       struct rnl_error *err)
{
	if (*value == '\0' || strlen(value) >= size)
		return rnl_service_fail(err, -EINVAL, "%s= needs a value of 1 to %zu characters",
		                        key, size - 1);
	strcpy(out, value);
	return 1;
}

static int http_option(void *config, const char *key, const char *value, struct rnl_error *err)
{
	struct rnl_http_config *cfg = config;

	if (strcmp(key, "root") == 0)
		return option_text(key, value, cfg->root, sizeof(cfg->root), err);
	if (strcmp(key, "type") == 0)
		return option_text(key, value, cfg->type, sizeof(cfg->type), err);
	if (strcmp(key, "idle") == 0)
		return option_number(key, value, 86400, &cfg->idle_s, err);
	if (strcmp(key, "head-timeout") == 0)
		return option_number(key, value, 86400, &cfg->head_timeout_s, err);
	if (strcmp(key, "head") == 0)
		return option_number(key, value, 1u << 20, &cfg->head_max, err);
	if (strcmp(key, "close") == 0 && *value == '\0') {
		cfg->close = true;
		return 1;
	}
	if (strcmp(key, "body") != 0)
		return 0;
	if (rnl_service_number(value, 1ull << 50, &cfg->body_len) != 0)
		return rnl_service_fail(
		    err, -EINVAL, "body=%s: give a number of octets, such as 64 or 10M", value);
	cfg->has_body = true;
	return 1;
}

static int http_check(void *config, struct rnl_error *err)
{
	const struct rnl_http_config *cfg = config;

	if (cfg->head_max < 256)
		return rnl_service_fail(err, -EINVAL, "head=%u: give at least 256 octets",
		                        cfg->head_max);
	if (cfg->root[0] != '\0' && cfg->has_body)
		return rnl_service_fail(err, -EINVAL,
		                        "root= and body= exclude each other: use two listeners");
	return cfg->root[0] != '\0' ? rnl_http_files_check(cfg->root, err) : 0;
}

/* Lines of 64 octets, so that a body is pleasant to look at and to verify. */
static void fill_block(uint8_t *dst, size_t len)
{
	static const char line[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
	size_t i;

	for (i = 0; i < len; i++)
		dst[i] = (uint8_t)line[i % (sizeof(line) - 1)];
}

static int prepare_fixed(struct rnl_http_config *cfg, struct rnl_error *err)
{
	const uint64_t len = RTE_MIN(cfg->body_len, (uint64_t)BLOCK_MAX);
	struct rnl_http_content c = {.status = 200, .type = cfg->type, .block_len = len};

	cfg->block = rte_malloc("runnel_http", (size_t)RTE_MAX(len, 1ull), RTE_CACHE_LINE_SIZE);
	if (cfg->block == NULL)
		return rnl_service_fail(
		    err, -ENOMEM,
		    "no DPDK memory for a body of %llu octets: give EAL more with "
		    "-m MiB",
		    (unsigned long long)len);
	fill_block(cfg->block, (size_t)len);
	c.body = cfg->block;
	c.body_len = cfg->body_len;
	return rnl_http_answer_make(&cfg->fixed, &c);
}

static int http_prepare(void *config, struct rnl_error *err)
{
	struct rnl_http_config *cfg = config;
	unsigned int i;
	int ret;

	for (i = 0; i < RNL_HTTP_ERRORS; i++)
		if (rnl_http_answer_error(&cfg->error[i], rnl_http_error_status[i]) != 0)
			return rnl_service_fail(err, -ENOMEM, "out of memory");
	if (cfg->root[0] == '\0')
		return prepare_fixed(cfg, err);
	ret = rnl_http_files_load(&cfg->files, cfg->root, err);
	if (ret == 0 && cfg->files.count == 0)
		return rnl_service_fail(
		    err, -ENOENT,
		    "the root folder '%s' holds no file: put files in it (names that "
		    "begin with a dot and symbolic links are not served)",
		    cfg->root);
	return ret;
}

static void http_release(void *config)
{
	struct rnl_http_config *cfg = config;
	unsigned int i;

	rnl_http_files_free(&cfg->files);
	rnl_http_answer_free(&cfg->fixed);
	for (i = 0; i < RNL_HTTP_ERRORS; i++)
		rnl_http_answer_free(&cfg->error[i]);
	rte_free(cfg->block);
	cfg->block = NULL;
}

static int http_begin(const void *config, const struct rnl_engine_env *env,
                      struct rnl_engine_ctx **ctx, struct rnl_error *err)
{
	const struct rnl_http_config *cfg = config;
	struct rnl_http *http = rnl_engine_ctx_new(env, sizeof(*http), err);

	if (http == NULL)
		return -ENOMEM;
	http->cfg = cfg;
	http->rules.files = cfg->root[0] != '\0' ? &cfg->files : NULL;
	http->rules.head_max = cfg->head_max;
	http->idle_ns = cfg->idle_s * SECOND_NS;
	http->head_timeout_ns = cfg->head_timeout_s * SECOND_NS;
	if (rnl_slots_init(&http->conns, env->max_conns, rnl_http_conn_size, env->socket_id) != 0) {
		rnl_engine_ctx_free(http);
		return rnl_service_fail(
		    err, -ENOMEM,
		    "no DPDK memory for %u connections: lower conns=, or give EAL "
		    "more with -m MiB",
		    env->max_conns);
	}
	*ctx = &http->base;
	return 0;
}

static void http_end(struct rnl_engine_ctx *ctx)
{
	struct rnl_http *http = (struct rnl_http *)ctx;

	rnl_slots_free(&http->conns);
	rnl_engine_ctx_free(http);
}

const struct rnl_engine rnl_engine_http = {
    .name = "http",
    .help = "HTTP/1.1 and 1.0 server: files of a folder, or one body for every path",
    .options = "root=DIR        files of this folder, read into memory at start\n"
	       "body=N          a body of N octets for every path (default: 64)\n"
	       "type=TYPE       Content-Type of that body (text/plain)\n"
	       "close           close after each answer\n"
	       "idle=SEC        close when nothing moves for this long (60; 0: never)\n"
	       "head-timeout=SEC  time for a request head to arrive (10; 0: no limit)\n"
	       "head=N          longest request head, octets (16384)\n",
    .default_port = 80,
    .config_size = sizeof(struct rnl_http_config),
    .ops = &rnl_http_ops,
    .defaults = http_defaults,
    .option = http_option,
    .check = http_check,
    .prepare = http_prepare,
    .release = http_release,
    .begin = http_begin,
    .end = http_end,
};
