/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * args_net - addresses, prefixes, ranges, end points and --config of the command line: see args.h.
 * Floor 6.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "args_err.h"

#define RANGE_MAX (1u << 24)

/* Reads a decimal number up to max from *p and steps over it. */
static int number(const char **p, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;
	const char *s = *p;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	while (*s >= '0' && *s <= '9') {
		v = v * 10 + (uint64_t)(*s++ - '0');
		if (v > max)
			return -EINVAL;
	}
	*p = s;
	*out = (uint32_t)v;
	return 0;
}

/* Copies text up to end (exclusive) into buf and reads it as an address. */
static int addr_of(const char *text, const char *end, struct rnl_addr *out)
{
	char buf[RNL_ADDR_STRLEN];
	size_t len = (size_t)(end - text);

	if (len == 0 || len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return rnl_addr_parse(buf, out);
}

static const char *end_of(const char *text)
{
	return text + strlen(text);
}

static int ports_of(const char *text, struct rnl_port_range *out)
{
	uint32_t first, last;

	if (number(&text, 65535, &first) != 0)
		return -EINVAL;
	last = first;
	if (*text == '-') {
		text++;
		if (number(&text, 65535, &last) != 0)
			return -EINVAL;
	}
	if (*text != '\0' || first == 0 || last < first)
		return -EINVAL;
	*out = (struct rnl_port_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

int rnl_arg_ports(const struct rnl_arg *a, struct rnl_port_range *out)
{
	if (ports_of(a->text, out) != 0)
		return rnl_arg_bad(a,
		                   "a TCP port or range from 1 to 65535, such as 80 or 8000-8010");
	return 0;
}

int rnl_arg_addr(const struct rnl_arg *a, struct rnl_addr *out)
{
	if (addr_of(a->text, end_of(a->text), out) != 0)
		return rnl_arg_bad(a, "an address, such as 10.0.0.1");
	return 0;
}

int rnl_arg_prefix(const struct rnl_arg *a, struct rnl_addr *out, uint8_t *len)
{
	const char *slash = strchr(a->text, '/');
	const char *p = slash == NULL ? NULL : slash + 1;
	uint32_t bits, most;

	if (addr_of(a->text, slash == NULL ? end_of(a->text) : slash, out) != 0)
		return rnl_arg_bad(a, "an address and prefix length, such as 10.0.0.1/24");
	most = rnl_addr_is_v4(out) ? 32 : 128;
	bits = most;
	if (p != NULL && (number(&p, most, &bits) != 0 || *p != '\0'))
		return rnl_arg_bad(a, "a prefix length from 0 to %u, such as 10.0.0.1/24", most);
	*len = (uint8_t)bits;
	return 0;
}

/* The last four octets, where ranges count. */
static uint32_t low(const struct rnl_addr *a)
{
	return (uint32_t)a->b[12] << 24 | (uint32_t)a->b[13] << 16 | (uint32_t)a->b[14] << 8 |
	       a->b[15];
}

static int range_of(const char *text, struct rnl_addr_range *out)
{
	const char *sep = strpbrk(text, "-+");
	const char *p = sep == NULL ? NULL : sep + 1;
	struct rnl_addr last;

	out->count = 1;
	if (addr_of(text, sep == NULL ? end_of(text) : sep, &out->first) != 0)
		return -EINVAL;
	if (sep == NULL)
		return 0;
	if (*sep == '-') {
		if (addr_of(p, end_of(p), &last) != 0 || memcmp(last.b, out->first.b, 12) != 0 ||
		    low(&last) < low(&out->first) || low(&last) - low(&out->first) >= RANGE_MAX)
			return -EINVAL;
		out->count = low(&last) - low(&out->first) + 1;
		return 0;
	}
	if (number(&p, RANGE_MAX, &out->count) != 0 || *p != '\0' || out->count == 0 ||
	    low(&out->first) > UINT32_MAX - (out->count - 1))
		return -EINVAL;
	return 0;
}

int rnl_arg_addr_range(const struct rnl_arg *a, struct rnl_addr_range *out)
{
	if (range_of(a->text, out) != 0)
		return rnl_arg_bad(a,
		                   "addresses in ascending order, at most 2^24, such as 10.0.0.1, "
		                   "10.0.0.1-10.0.0.50 or 10.0.0.1+50");
	return 0;
}

struct rnl_addr rnl_addr_range_at(const struct rnl_addr_range *r, uint32_t i)
{
	struct rnl_addr a = r->first;
	uint32_t v = low(&a) + i;

	a.b[12] = (uint8_t)(v >> 24);
	a.b[13] = (uint8_t)(v >> 16);
	a.b[14] = (uint8_t)(v >> 8);
	a.b[15] = (uint8_t)v;
	return a;
}

/* Splits "[ADDR]:PORTS", "ADDR:PORTS" or "PORTS". */
static int endpoint_of(const char *text, struct rnl_addr *addr, struct rnl_port_range *ports)
{
	const char *colon = strrchr(text, ':');
	const char *begin = text, *end = colon;

	memset(addr, 0, sizeof(*addr));
	if (colon == NULL)
		return ports_of(text, ports);
	if (*text == '[') {
		begin = text + 1;
		end = strchr(text, ']');
		if (end == NULL || end + 1 != colon)
			return -EINVAL;
	}
	if (addr_of(begin, end, addr) != 0)
		return -EINVAL;
	return ports_of(colon + 1, ports);
}

int rnl_arg_endpoint(const struct rnl_arg *a, struct rnl_addr *addr, struct rnl_port_range *ports)
{
	if (endpoint_of(a->text, addr, ports) != 0)
		return rnl_arg_bad(a, "a port or an address and port, such as 80, 10.0.0.1:80, "
		                      "10.0.0.1:8000-8010 or [2001:db8::1]:80");
	return 0;
}

int rnl_arg_mac(const struct rnl_arg *a, uint8_t mac[6])
{
	unsigned int v[6];
	int used = 0;

	if (strlen(a->text) != 17 ||
	    sscanf(a->text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
	           &used) != 6 ||
	    used != 17)
		return rnl_arg_bad(a, "an Ethernet address, such as 02:00:00:00:00:01");
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)v[i];
	return 0;
}

/* One "(port,queue,lcore)", from *p on. */
static int map_of(const char **p, struct rnl_queue_map *m)
{
	uint32_t v[3];

	for (int i = 0; i < 3; i++) {
		if (*(*p)++ != "(,,"[i] || number(p, i == 2 ? 1023 : 255, &v[i]) != 0)
			return -EINVAL;
	}
	if (*(*p)++ != ')')
		return -EINVAL;
	*m = (struct rnl_queue_map){.port = (uint16_t)v[0], .queue = (uint16_t)v[1], .lcore = v[2]};
	return 0;
}

static bool named_before(const struct rnl_queue_map *maps, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (maps[i].port == maps[n].port && maps[i].queue == maps[n].queue)
			return true;
	return false;
}

int rnl_arg_config(const struct rnl_arg *a, struct rnl_queue_map *out, unsigned int max)
{
	const char *p = a->text;
	unsigned int n = 0;

	for (;; p++) {
		if (n == max)
			return rnl_arg_bad(a, "at most %u triples", max);
		if (map_of(&p, &out[n]) != 0)
			return rnl_arg_bad(a, "(port,queue,lcore) triples, such as "
			                      "\"(0,0,1),(0,1,2)\"");
		if (named_before(out, n))
			return rnl_arg_bad(a, "each queue once: port %u queue %u stands twice",
			                   out[n].port, out[n].queue);
		n++;
		if (*p != ',')
			break;
	}
	if (*p != '\0')
		return rnl_arg_bad(a, "(port,queue,lcore) triples, such as \"(0,0,1),(0,1,2)\"");
	return (int)n;
}
