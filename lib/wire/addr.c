/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of both families in one form, ::ffff:a.b.c.d for IPv4 (RFC 4291 2.5.5.2): text and
 * classes. Refuses: scopes, zones (fe80::1%eth0), names. Floor 1. RFC 4291, RFC 1122 3.2.1.3.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "wire/ip.h"

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t zeros[16];

struct rnl_addr rnl_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct rnl_addr){.b = {[10] = 0xff, [11] = 0xff, a, b, c, d}};
}

bool rnl_addr_is_v4(const struct rnl_addr *addr)
{
	return memcmp(addr->b, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

int rnl_addr_parse(const char *text, struct rnl_addr *out)
{
	struct rnl_addr a = rnl_addr_v4(0, 0, 0, 0);

	if (inet_pton(AF_INET, text, a.b + 12) != 1 && inet_pton(AF_INET6, text, a.b) != 1)
		return -EINVAL;
	*out = a;
	return 0;
}

char *rnl_addr_format(const struct rnl_addr *addr, char *buf)
{
	if (rnl_addr_is_v4(addr))
		inet_ntop(AF_INET, addr->b + 12, buf, RNL_ADDR_STRLEN);
	else
		inet_ntop(AF_INET6, addr->b, buf, RNL_ADDR_STRLEN);
	return buf;
}

bool rnl_addr_is_unspecified(const struct rnl_addr *a)
{
	if (rnl_addr_is_v4(a))
		return memcmp(a->b + 12, zeros, 4) == 0;
	return memcmp(a->b, zeros, sizeof(zeros)) == 0;
}

bool rnl_addr_is_multicast(const struct rnl_addr *a)
{
	return rnl_addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool rnl_addr_is_limited_broadcast(const struct rnl_addr *a)
{
	static const uint8_t ones[4] = {0xff, 0xff, 0xff, 0xff};

	return rnl_addr_is_v4(a) && memcmp(a->b + 12, ones, sizeof(ones)) == 0;
}

bool rnl_addr_is_loopback(const struct rnl_addr *a)
{
	if (rnl_addr_is_v4(a))
		return a->b[12] == 127;
	return memcmp(a->b, zeros, 15) == 0 && a->b[15] == 1;
}

bool rnl_addr_prefix_match(const struct rnl_addr *a, const struct rnl_addr *b, unsigned int len)
{
	unsigned int whole = len / 8, rest = len % 8;

	if (len > 128)
		return false;
	if (memcmp(a->b, b->b, whole) != 0)
		return false;
	return rest == 0 || ((a->b[whole] ^ b->b[whole]) & 0xff00u >> rest & 0xff) == 0;
}
