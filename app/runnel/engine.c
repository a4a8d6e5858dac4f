/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of engines and the grammar of a service.
 * Owns: parsing of `ENGINE[:[ADDR[/LEN]:]PORT[-PORT]][,key=value]...`, a service's life.
 * Refuses: what a service's connections do (that is the engine's). Floor 6 (app).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "engine.h"
#include "engines.h"

static const struct rnl_engine *const engines[] = {
    &rnl_engine_echo,
    &rnl_engine_sink,
    &rnl_engine_source,
    &rnl_engine_http,
};

/* clang-format off */
static const struct {
	const char *name, *text;
} counter_texts[RNL_ENGINE_COUNTERS] = {
	[RNL_ENGINE_ACCEPTED] = {"accepted", "connections accepted"},
	[RNL_ENGINE_CLOSED] = {"closed", "connections that ended"},
	[RNL_ENGINE_FAILED] = {"failed", "connections that ended by reset, timeout or lack of resources"},
	[RNL_ENGINE_REFUSED] = {"refused", "connections turned away because conns= was reached"},
	[RNL_ENGINE_REQUESTS] = {"requests", "requests answered"},
	[RNL_ENGINE_RX_BYTES] = {"rx_bytes", "octets received and consumed"},
	[RNL_ENGINE_TX_BYTES] = {"tx_bytes", "octets handed to TCP (source: retransmissions included)"},
	[RNL_ENGINE_HTTP_ERRORS] = {"http_errors", "answers of class 4xx and 5xx"},
	[RNL_ENGINE_IDLE_CLOSED] = {"idle_closed", "connections closed for being idle or too slow"},
};
/* clang-format on */

const char *rnl_engine_counter_name(enum rnl_engine_counter i)
{
	return counter_texts[i].name;
}

const char *rnl_engine_counter_text(enum rnl_engine_counter i)
{
	return counter_texts[i].text;
}

const struct rnl_engine *rnl_engine_at(unsigned int i)
{
	return i < RTE_DIM(engines) ? engines[i] : NULL;
}

const struct rnl_engine *rnl_engine_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(engines); i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}

int rnl_service_fail(struct rnl_error *err, int ret, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return ret;
}

int rnl_service_number(const char *text, uint64_t max, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t v;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno != 0)
		return -EINVAL;
	unit = *end == '\0' ? NULL : strchr(units, *end);
	if (unit != NULL) {
		unsigned int shift = 10u * (unsigned int)(unit - units + 1);

		if (v > UINT64_MAX >> shift)
			return -EINVAL;
		v <<= shift;
		end++;
	}
	if (*end != '\0' || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int parse_ports(const char *text, struct rnl_listen_config *listen, struct rnl_error *err)
{
	uint64_t first, last;
	char low[8];
	size_t n = strcspn(text, "-");

	if (strcmp(text, "*") == 0) {
		listen->port_first = listen->port_last = 0;
		return 0;
	}
	snprintf(low, sizeof(low), "%.*s", (int)RTE_MIN(n, sizeof(low) - 1), text);
	if (rnl_service_number(low, UINT16_MAX, &first) != 0 || first == 0)
		goto bad;
	last = first;
	if (text[n] == '-' && rnl_service_number(text + n + 1, UINT16_MAX, &last) != 0)
		goto bad;
	if (last < first)
		goto bad;
	listen->port_first = (uint16_t)first;
	listen->port_last = (uint16_t)last;
	return 0;
bad:
	return rnl_service_fail(err, -EINVAL,
	                        "'%s' is not a TCP port: give 1-65535, a range such as 8000-8010, "
	                        "or * for every port",
	                        text);
}

static int parse_prefix(char *text, struct rnl_listen_config *listen, struct rnl_error *err)
{
	char *slash = strchr(text, '/');
	uint64_t len;

	if (slash != NULL)
		*slash = '\0';
	if (rnl_addr_parse(text, &listen->addr) != 0)
		return rnl_service_fail(
		    err, -EINVAL,
		    "'%s' is not an address to listen on: give an IPv4 address, or "
		    "an IPv6 address in brackets, before the port",
		    text);
	len = rnl_addr_is_v4(&listen->addr) ? 32 : 128;
	if (slash != NULL && (rnl_service_number(slash + 1, len, &len) != 0 || len == 0))
		return rnl_service_fail(
		    err, -EINVAL, "'%s' is not a prefix length: 1-32 for IPv4, 1-128 for IPv6",
		    slash + 1);
	listen->prefix_len = (uint8_t)len;
	return 0;
}

/* [ADDR[/LEN]:]PORT[-PORT] */
static int parse_where(char *text, struct rnl_listen_config *listen, struct rnl_error *err)
{
	char *port = strrchr(text, ':');
	char *close = NULL;
	int ret;

	if (*text == '[') {
		close = strchr(text, ']');
		if (close == NULL || close[1] != ':')
			return rnl_service_fail(err, -EINVAL, "'%s' is not [IPv6 address]:port",
			                        text);
		*close = '\0';
		text++;
		port = close + 1;
	}
	if (port == NULL)
		return parse_ports(text, listen, err);
	*port = '\0';
	if (close == NULL && strchr(text, ':') != NULL)
		return rnl_service_fail(
		    err, -EINVAL,
		    "'%s:%s' could be read in two ways: put the IPv6 address in "
		    "brackets, as [2001:db8::1]:80",
		    text, port + 1);
	ret = parse_prefix(text, listen, err);
	return ret != 0 ? ret : parse_ports(port + 1, listen, err);
}

static int mss_option(const char *key, const char *value, uint16_t least, uint16_t *out,
                      struct rnl_error *err)
{
	uint64_t v;

	if (rnl_service_number(value, UINT16_MAX, &v) != 0 || v < least)
		return rnl_service_fail(err, -EINVAL, "%s=%s: give %u-65535 octets", key, value,
		                        least);
	*out = (uint16_t)v;
	return 1;
}

/* syncookies=WORD */
static int take_syncookies(struct rnl_service *s, const char *value, struct rnl_error *err)
{
	static const char *const words[RNL_SYNCOOKIES_COUNT] = {
	    [RNL_SYNCOOKIES_AUTO] = "auto",
	    [RNL_SYNCOOKIES_ALWAYS] = "always",
	    [RNL_SYNCOOKIES_NEVER] = "never",
	};
	unsigned int i;

	for (i = RNL_SYNCOOKIES_AUTO; i < RNL_SYNCOOKIES_COUNT; i++) {
		if (strcmp(value, words[i]) == 0) {
			s->listen.syncookies = (uint8_t)i;
			return 1;
		}
	}
	return rnl_service_fail(err, -EINVAL, "syncookies=%s: give auto, always or never", value);
}

static int take_cc(struct rnl_service *s, const char *value, struct rnl_error *err)
{
	char names[160] = "";
	size_t used = 0;

	s->listen.opts.cc = rnl_cc_find(value);
	if (s->listen.opts.cc != NULL)
		return 1;
	for (unsigned int i = 0; rnl_cc_nth(i) != NULL && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
		                         i == 0 ? "" : ", ", rnl_cc_nth(i)->name);
	return rnl_service_fail(err, -EINVAL, "cc=%s: give one of %s", value, names);
}

static int take_ecn(struct rnl_service *s, const char *value, struct rnl_error *err)
{
	/* in the order of enum rnl_ecn_mode */
	static const char *const words[] = {"default", "off", "on", "accurate"};

	for (unsigned int i = 0; i < RTE_DIM(words); i++)
		if (strcmp(value, words[i]) == 0) {
			s->listen.opts.ecn = (uint8_t)i;
			return 1;
		}
	return rnl_service_fail(err, -EINVAL, "ecn=%s: give default, off, on or accurate", value);
}

/* @return whether key is a word that switches something. */
static bool common_switch(struct rnl_conn_opts *o, const char *key)
{
	const struct {
		const char *key;
		bool *out, value;
	} switches[] = {
	    {"nagle", &o->nodelay, false},
	    {"nosack", &o->no_sack, true},
	    {"notimestamps", &o->no_timestamps, true},
	    {"nowscale", &o->no_wscale, true},
	    {"nosofterrors", &o->no_soft_errors, true},
	    {"noblackhole", &o->no_black_hole, true},
	    {"pacing", &o->pacing, true},
	    {"uto", &o->uto, true},
	};	unsigned int i;

	for (i = 0; i < RTE_DIM(switches); i++)
		if (strcmp(key, switches[i].key) == 0) {
			*switches[i].out = switches[i].value;
			return true;
		}
	return false;
}

static int take_maxrate(struct rnl_conn_opts *o, const char *value, struct rnl_error *err)
{
	uint64_t v;

	if (rnl_service_number(value, UINT64_C(1) << 40, &v) != 0 || v < 256)
		return rnl_service_fail(err, -EINVAL,
		                        "maxrate=%s: give at least 256 octets per second", value);
	o->max_pacing_bytes_per_s = v;
	return 1;
}

/* Options that every engine has: they are TCP's. @return 1 taken, 0 unknown, -EINVAL. */
static int common_option(struct rnl_service *s, const char *key, const char *value,
                         struct rnl_error *err)
{
	struct rnl_conn_opts *o = &s->listen.opts;
	const struct {
		const char *key;
		uint64_t max;
		uint32_t *out, scale;
	} numbers[] = {
	    {"conns", UINT32_MAX, &s->conns, 1},
	    {"backlog", UINT32_MAX, &s->listen.backlog, 1},
	    {"fastopen", UINT32_MAX, &s->listen.fastopen, 1},
	    {"sndbuf", 1u << 30, &o->sndbuf_bytes, 1},
	    {"rcvbuf", 1u << 30, &o->rcvbuf_bytes, 1},
	    {"sndbuf-max", 1u << 30, &o->sndbuf_max_bytes, 1},
	    {"rcvbuf-max", 1u << 30, &o->rcvbuf_max_bytes, 1},
	    {"idle", UINT32_MAX / 1000, &o->idle_timeout_ms, 1000},
	    {"linger", 1000000, &o->linger_ms, 1000},
	    {"user-timeout", 4000000, &o->user_timeout_ms, 1000},
	    {"keepalive", UINT32_MAX / 1000, &o->keepalive_idle_ms, 1000},
	};

	unsigned int i;
	uint64_t v;

	if (*value == '\0' && common_switch(o, key))
		return 1;
	if (strcmp(key, "cc") == 0)
		return take_cc(s, value, err);
	if (strcmp(key, "ecn") == 0)
		return take_ecn(s, value, err);
	if (strcmp(key, "syncookies") == 0)
		return take_syncookies(s, value, err);
	if (strcmp(key, "linger") == 0 && strcmp(value, "reset") == 0) {
		o->linger_ms = RNL_LINGER_RESET;
		return 1;
	}
	if (strcmp(key, "mss") == 0)
		return mss_option(key, value, 64, &o->mss, err);
	if (strcmp(key, "min-mss") == 0)
		return mss_option(key, value, 28, &o->min_mss, err);
	if (strcmp(key, "maxrate") == 0)
		return take_maxrate(o, value, err);
	for (i = 0; i < RTE_DIM(numbers); i++) {
		if (strcmp(key, numbers[i].key) != 0)
			continue;
		if (rnl_service_number(value, numbers[i].max, &v) != 0)
			return rnl_service_fail(err, -EINVAL, "%s=%s: give a number up to %llu",
			                        key, value, (unsigned long long)numbers[i].max);
		*numbers[i].out = (uint32_t)v * numbers[i].scale;
		return 1;
	}
	return 0;
}

static int parse_option(struct rnl_service *s, char *text, struct rnl_error *err)
{
	char *value = strchr(text, '=');
	int ret = 0;

	if (value != NULL)
		*value++ = '\0';
	else
		value = text + strlen(text);
	if (s->engine->option != NULL)
		ret = s->engine->option(s->config, text, value, err);
	if (ret == 0)
		ret = common_option(s, text, value, err);
	if (ret == 0)
		return rnl_service_fail(err, -EINVAL,
		                        "engine %s has no option '%s': see --help for those it has",
		                        s->engine->name, text);
	return ret < 0 ? ret : 0;
}

static int parse_name(struct rnl_service *s, const char *name, struct rnl_error *err)
{
	s->engine = rnl_engine_find(name);
	if (s->engine == NULL)
		return rnl_service_fail(
		    err, -EINVAL, "no engine is called '%s': use echo, sink, source or http", name);
	s->config = calloc(1, RTE_MAX(s->engine->config_size, 1u));
	if (s->config == NULL)
		return rnl_service_fail(err, -ENOMEM, "out of memory");
	s->listen.size = sizeof(s->listen);
	s->listen.opts.size = sizeof(s->listen.opts);
	s->listen.opts.nodelay = true;
	s->listen.port_first = s->listen.port_last = s->engine->default_port;
	if (s->engine->defaults != NULL)
		s->engine->defaults(s->config);
	return 0;
}

static int parse_all(struct rnl_service *s, char *text, struct rnl_error *err)
{
	char *options = strchr(text, ',');
	char *where, *save, *o;
	int ret;

	if (options != NULL)
		*options++ = '\0';
	where = strchr(text, ':');
	if (where != NULL)
		*where++ = '\0';
	ret = parse_name(s, text, err);
	if (ret == 0 && where != NULL)
		ret = parse_where(where, &s->listen, err);
	if (options != NULL)
		for (o = strtok_r(options, ",", &save); ret == 0 && o != NULL;
		     o = strtok_r(NULL, ",", &save))
			ret = parse_option(s, o, err);
	if (ret == 0 && s->engine->check != NULL)
		ret = s->engine->check(s->config, err);
	return ret;
}

int rnl_service_parse(const char *text, struct rnl_service *out, struct rnl_error *err)
{
	char copy[sizeof(out->text)];
	int ret;

	memset(out, 0, sizeof(*out));
	if (strlen(text) >= sizeof(copy))
		return rnl_service_fail(
		    err, -EINVAL, "a listener is at most %zu characters long: shorten '%.40s...'",
		    sizeof(copy) - 1, text);
	strcpy(copy, text);
	strcpy(out->text, text);
	ret = parse_all(out, copy, err);
	if (ret != 0)
		rnl_service_free(out);
	return ret;
}

int rnl_service_prepare(struct rnl_service *s, struct rnl_error *err)
{
	return s->engine->prepare == NULL ? 0 : s->engine->prepare(s->config, err);
}

void rnl_service_free(struct rnl_service *s)
{
	if (s->engine != NULL && s->config != NULL && s->engine->release != NULL)
		s->engine->release(s->config);
	free(s->config);
	s->config = NULL;
}

int rnl_service_begin(const struct rnl_service *s, const struct rnl_engine_env *env,
                      struct rnl_service_run *run, struct rnl_error *err)
{
	struct rnl_engine_env mine = *env;

	*run = (struct rnl_service_run){.service = s, .stack = env->stack};
	if (s->conns != 0 && s->conns < mine.max_conns)
		mine.max_conns = s->conns;
	return s->engine->begin(s->config, &mine, &run->ctx, err);
}

int rnl_service_listen(struct rnl_service_run *run, struct rnl_error *err)
{
	struct rnl_listen_config cfg = run->service->listen;

	if (run->listener != 0)
		return 0;
	cfg.ops = run->service->engine->ops;
	cfg.ctx = run->ctx;
	return rnl_listen(run->stack, &cfg, &run->listener, err);
}

int rnl_service_set_opts(struct rnl_service_run *run, struct rnl_error *err)
{
	if (run->listener == 0)
		return 0;
	return rnl_listener_set_opts(run->stack, run->listener, &run->service->listen.opts, err);
}

void rnl_service_unlisten(struct rnl_service_run *run)
{
	if (run->listener != 0)
		rnl_unlisten(run->stack, run->listener);
	run->listener = 0;
}

void rnl_service_end(struct rnl_service_run *run)
{
	if (run->ctx != NULL)
		run->service->engine->end(run->ctx);
	run->ctx = NULL;
}
