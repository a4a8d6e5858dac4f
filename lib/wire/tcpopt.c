/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP options. Owns: their layout. The parser is total: each turn consumes at least one octet and
 * nothing is read before its length is proved (RFC 9293 3.1, MUST-7). A known kind with a length
 * that is not its own is stepped over like an unknown one.
 * Refuses: meaning (whether an option was agreed, whether it may stand on this segment).
 * Floor 1. RFC 9293 3.2, RFC 7323 2.2, 3.2, appendix A, RFC 2018 2, 3, RFC 5482 3.3,
 * RFC 9768 3.2.3, RFC 7413 2.
 */
#include "wire/tcpopt.h"

#include <string.h>

#include "wire/octets.h"

enum kind { END = 0, NOP = 1, MSS = 2, WSCALE = 3, SACK_OK = 4, SACK = 5, TIMESTAMPS = 8, UTO = 28, TFO = 34 };
enum { ACCECN0 = 172, ACCECN1 = 174 };

#define TS_LEN 10
#define TFO_COOKIE_MIN 4       /* RFC 7413 2 */
#define TS_ALIGNED 0x0101080au /* NOP NOP TS 10: RFC 7323 appendix A */
#define WSCALE_LIMIT 14        /* RFC 7323 2.3 */

static void take_ts(const uint8_t *value, struct rnl_tcpopt *out)
{
	out->has |= RNL_OPT_TS;
	out->tsval = rnl_get32(value);
	out->tsecr = rnl_get32(value + 4);
}

/* len counts the blocks' octets: whole blocks, at least one (RFC 2018 3). */
static void take_sack(const uint8_t *value, unsigned int len, struct rnl_tcpopt *out)
{
	unsigned int n = len / 8;

	if (n == 0 || len % 8 != 0)
		return;
	if (n > RNL_SACK_MAX)
		n = RNL_SACK_MAX;
	out->has |= RNL_OPT_SACK;
	out->nsack = (uint8_t)n;
	for (unsigned int i = 0; i < n; i++) {
		out->sack[i].left = rnl_get32(value + 8 * i);
		out->sack[i].right = rnl_get32(value + 8 * i + 4);
	}
}

/* RFC 9768 3.2.3: of any length the whole fields count. */
static void take_accecn(const uint8_t *p, unsigned int len, struct rnl_tcpopt *out)
{
	struct rnl_accecn *a = &out->accecn;
	unsigned int n = (len - 2) / 3;
	uint32_t v[3] = {0};

	n = n < 3 ? n : 3;
	for (unsigned int i = 0; i < n; i++)
		v[i] = (uint32_t)p[2 + 3 * i] << 16 | rnl_get16(p + 3 + 3 * i);
	out->has |= RNL_OPT_ACCECN;
	a->fields = (uint8_t)n;
	a->order1 = p[0] == ACCECN1;
	a->e0b = v[a->order1 ? 2 : 0];
	a->ceb = v[1];
	a->e1b = v[a->order1 ? 0 : 2];
}

/* RFC 7413 2: a cookie of 4 to 16 octets, an even number of them; or none. */
static void take_tfo(const uint8_t *value, unsigned int len, struct rnl_tcpopt *out)
{
	if (len != 0 && (len < TFO_COOKIE_MIN || len > RNL_TFO_COOKIE_MAX || len % 2 != 0))
		return;
	out->has |= RNL_OPT_TFO;
	out->tfo_len = (uint8_t)len;
	memcpy(out->tfo, value, len);
}

/* One option whose whole length is inside the header. RFC 7323 2.3. */
static void take(const uint8_t *p, unsigned int len, struct rnl_tcpopt *out)
{
	const uint8_t *value = p + 2;

	if (p[0] == MSS && len == 4 && !(out->has & RNL_OPT_MSS)) {
		out->has |= RNL_OPT_MSS;
		out->mss = rnl_get16(value);
	} else if (p[0] == WSCALE && len == 3 && !(out->has & RNL_OPT_WSCALE)) {
		out->has |= RNL_OPT_WSCALE;
		out->wscale = value[0] < WSCALE_LIMIT ? value[0] : WSCALE_LIMIT;
	} else if (p[0] == SACK_OK && len == 2) {
		out->has |= RNL_OPT_SACK_OK;
	} else if (p[0] == TIMESTAMPS && len == TS_LEN && !(out->has & RNL_OPT_TS)) {
		take_ts(value, out);
	} else if (p[0] == UTO && len == 4 && !(out->has & RNL_OPT_UTO)) {
		out->has |= RNL_OPT_UTO;
		out->uto = rnl_get16(value);
	} else if (p[0] == SACK && !(out->has & RNL_OPT_SACK)) {
		take_sack(value, len - 2, out);
	} else if ((p[0] == ACCECN0 || p[0] == ACCECN1) && !(out->has & RNL_OPT_ACCECN)) {
		take_accecn(p, len, out);
	} else if (p[0] == TFO && !(out->has & RNL_OPT_TFO)) {
		take_tfo(value, len - 2, out);
	}
}

void rnl_tcpopt_parse(const uint8_t *p, unsigned int len, struct rnl_tcpopt *out)
{
	const uint8_t *end = p + len;

	out->has = 0;
	out->nsack = 0;
	if (len >= 2 + TS_LEN && rnl_get32(p) == TS_ALIGNED) {
		take_ts(p + 4, out);
		p += 2 + TS_LEN;
	}
	while (p < end && p[0] != END) {
		if (p[0] == NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p) {
			out->has |= RNL_OPT_BAD;
			return;
		}
		take(p, p[1], out);
		p += p[1];
	}
}

/* SACK-permitted takes the place of the two NOPs before timestamps, as other stacks do. */
static uint8_t *write_ts(uint8_t *d, const struct rnl_tcpopt *opt)
{
	bool sack_ok = opt->has & RNL_OPT_SACK_OK;

	if (!(opt->has & (RNL_OPT_TS | RNL_OPT_SACK_OK)))
		return d;
	d[0] = sack_ok && opt->has & RNL_OPT_TS ? SACK_OK : NOP;
	d[1] = sack_ok && opt->has & RNL_OPT_TS ? 2 : NOP;
	if (!(opt->has & RNL_OPT_TS)) {
		d[2] = SACK_OK;
		d[3] = 2;
		return d + 4;
	}
	d[2] = TIMESTAMPS;
	d[3] = TS_LEN;
	rnl_put32(d + 4, opt->tsval);
	rnl_put32(d + 8, opt->tsecr);
	return d + 2 + TS_LEN;
}

/* RFC 9768 3.2.3.3: as many counters as fit, beside a cookie on SYN-ACK two. */
static uint8_t *write_accecn(uint8_t *d, const struct rnl_tcpopt *opt, unsigned int room)
{
	const struct rnl_accecn *a = &opt->accecn;
	unsigned int fields = a->fields;
	uint32_t v[3];

	if (!(opt->has & RNL_OPT_ACCECN) || room < 4)
		return d;
	if (2 + 3 * fields > room)
		fields = (room - 2) / 3;
	v[0] = a->order1 ? a->e1b : a->e0b;
	v[1] = a->ceb;
	v[2] = a->order1 ? a->e0b : a->e1b;
	*d++ = a->order1 ? ACCECN1 : ACCECN0;
	*d++ = (uint8_t)(2 + 3 * fields);
	for (unsigned int i = 0; i < fields; i++, d += 3) {
		d[0] = (uint8_t)(v[i] >> 16);
		rnl_put16(d + 1, (uint16_t)v[i]);
	}
	for (unsigned int i = 2 + 3u * fields; i % 4 != 0; i++)
		*d++ = NOP;
	return d;
}

static uint8_t *write_sack(uint8_t *d, const struct rnl_tcpopt *opt, unsigned int room)
{
	unsigned int fit = room >= 4 ? (room - 4) / 8 : 0;
	unsigned int n = opt->nsack < fit ? opt->nsack : fit;

	if (!(opt->has & RNL_OPT_SACK) || n == 0)
		return d;
	rnl_put32(d, (uint32_t)NOP << 24 | NOP << 16 | SACK << 8 | (2 + 8 * n));
	d += 4;
	for (unsigned int i = 0; i < n; i++, d += 8) {
		rnl_put32(d, opt->sack[i].left);
		rnl_put32(d + 4, opt->sack[i].right);
	}
	return d;
}

/* RFC 7413 4.2.2: not at all where it does not fit. */
static uint8_t *write_tfo(uint8_t *d, const struct rnl_tcpopt *opt, unsigned int room)
{
	unsigned int len = (2 + opt->tfo_len + 3u) & ~3u;

	if (!(opt->has & RNL_OPT_TFO) || len > room)
		return d;
	memset(d, NOP, len);
	d += len - 2 - opt->tfo_len;
	d[0] = TFO;
	d[1] = (uint8_t)(2 + opt->tfo_len);
	memcpy(d + 2, opt->tfo, opt->tfo_len);
	return d + 2 + opt->tfo_len;
}

unsigned int rnl_tcpopt_write_room(uint8_t *dst, const struct rnl_tcpopt *opt, unsigned int room)
{
	uint8_t *d = dst;

	if (opt->has & RNL_OPT_MSS) {
		rnl_put32(d, (uint32_t)MSS << 24 | 4 << 16 | opt->mss);
		d += 4;
	}
	d = write_ts(d, opt);
	if (opt->has & RNL_OPT_WSCALE) {
		rnl_put32(d, (uint32_t)NOP << 24 | WSCALE << 16 | 3 << 8 | opt->wscale);
		d += 4;
	}
	d = write_tfo(d, opt, RNL_TCPOPT_MAXLEN - (unsigned int)(d - dst));
	if ((opt->has & RNL_OPT_UTO) && d - dst + 4 <= RNL_TCPOPT_MAXLEN) {
		rnl_put32(d, (uint32_t)UTO << 24 | 4 << 16 | opt->uto);
		d += 4;
	}
	d = write_accecn(d, opt, RNL_TCPOPT_MAXLEN - (unsigned int)(d - dst));
	room = room > (unsigned int)(d - dst) ? room - (unsigned int)(d - dst) : 0;
	return (unsigned int)(write_sack(d, opt, room) - dst);
}

unsigned int rnl_tcpopt_write(uint8_t *dst, const struct rnl_tcpopt *opt)
{
	return rnl_tcpopt_write_room(dst, opt, RNL_TCPOPT_MAXLEN);
}
