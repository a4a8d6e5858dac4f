/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares a packet that came out with what the script expects, and shows packets as script text.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dialogue.h"

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* @return the next option at *i (which moves on), or NULL. NOPs are skipped. */
static const uint8_t *option_next(const struct packet *p, unsigned int *i)
{
	while (*i < p->opts_len) {
		const uint8_t *o = p->opts + *i;

		if (*o == OPT_EOL)
			return NULL;
		*i += *o == OPT_NOP ? 1 : o[1];
		if (*o != OPT_NOP)
			return o;
	}
	return NULL;
}

void packet_learn(struct dialogue *d, const struct packet *p)
{
	struct flow *f = &d->flow[p->dport - PEER_PORT];
	unsigned int i = 0;
	const uint8_t *o;

	if ((p->flags & TH_SYN) != 0 && !f->local_known) {
		f->local_isn = p->seq;
		f->local_known = true;
	}
	while ((o = option_next(p, &i)) != NULL) {
		/* The peer is one host, however many flows it has. */
		for (unsigned int k = 0; *o == OPT_TFO && o[1] == 10 && k < FLOWS_MAX; k++)
			memcpy(d->flow[k].cookie, o + 2, 8);
		if (*o != OPT_TS)
			continue;
		f->ts_last = get32(o + 2);
		if (!f->ts_known) {
			f->ts_base = f->ts_last;
			f->ts_base_ns = p->time_ns;
			f->ts_known = true;
		}
	}
}

/* ---- text -------------------------------------------------------------------------------------
 */

struct text {
	char *at;
	size_t cap, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
	if (t->len >= t->cap)
		t->len = t->cap - 1;
}

static void sack_text(const struct flow *f, const uint8_t *o, const char *sep, struct text *t)
{
	add(t, "%ssack", sep);
	for (unsigned int i = 2; i + 8 <= o[1]; i += 8)
		add(t, " %u:%u", get32(o + i) - f->peer_isn, get32(o + i + 4) - f->peer_isn);
}

static void options_text(const struct dialogue *d, const struct packet *p, struct text *t)
{
	const struct flow *f = &d->flow[p->dport - PEER_PORT];
	unsigned int i = 0;
	const uint8_t *o;
	const char *sep = " <";

	while ((o = option_next(p, &i)) != NULL) {
		if (*o == OPT_MSS && o[1] == 4)
			add(t, "%smss %u", sep, (unsigned int)(o[2] << 8 | o[3]));
		else if (*o == OPT_WSCALE && o[1] == 3)
			add(t, "%swscale %u", sep, o[2]);
		else if (*o == OPT_TS && o[1] == 10)
			add(t, "%sts %u:%u", sep, get32(o + 2) - f->ts_base, get32(o + 6));
		else if (*o == OPT_SACKOK)
			add(t, "%ssackok", sep);
		else if (*o == OPT_SACK)
			sack_text(f, o, sep, t);
		else if ((*o == OPT_ACCECN0 || *o == OPT_ACCECN1) && o[1] % 3 == 2) {
			add(t, "%saccecn%d", sep, *o == OPT_ACCECN1);
			for (unsigned int k = 2; k < o[1]; k += 3)
				add(t, " %u", (unsigned int)(o[k] << 16 | o[k + 1] << 8 | o[k + 2]));
		} else
			add(t, "%skind %u length %u", sep, *o, o[1]);
		sep = ",";
	}
	if (*sep == ',')
		add(t, ">");
}

void packet_text(struct dialogue *d, const struct packet *p, char *out, size_t cap)
{
	static const char letters[] = TH_LETTERS;
	const struct flow *f = &d->flow[p->dport - PEER_PORT];
	struct text t = {out, cap, 0};
	uint64_t us = (p->time_ns - d->start_ns) / 1000;

	add(&t, "%llu.%06llu > ", (unsigned long long)(us / 1000000),
	    (unsigned long long)(us % 1000000));
	for (unsigned int i = 0; i < 9; i++)
		if ((p->flags & 1u << i) != 0)
			add(&t, "%c", letters[i]);
	if (p->flags == 0)
		add(&t, "-");
	add(&t, " seq %s%u", f->local_known ? "" : "=",
	    p->seq - (f->local_known ? f->local_isn : 0));
	if ((p->flags & TH_ACK) != 0)
		add(&t, " ack %u", p->ack - f->peer_isn);
	add(&t, " win %u", p->win);
	if (p->data_len > 0)
		add(&t, " len %u", p->data_len);
	if (p->tos != 0)
		add(&t, " tos %u", p->tos);
	if (p->dport != PEER_PORT)
		add(&t, " flow %u", p->dport - PEER_PORT);
	options_text(d, p, &t);
}

/* ---- comparison -------------------------------------------------------------------------------
 */

static bool number_is(const struct number *n, uint32_t base, uint32_t got)
{
	if (n->kind == NUM_REL)
		return got == base + (uint32_t)n->value;
	if (n->kind == NUM_ABS)
		return got == (uint32_t)n->value;
	return true;
}

static bool accecn_is(const struct option *want, const uint8_t *o)
{
	if (o[1] != 2 + 3 * want->ncounters)
		return false;
	for (unsigned int i = 0; i < want->ncounters; i++) {
		const uint8_t *c = o + 2 + 3 * i;

		if ((uint32_t)(c[0] << 16 | c[1] << 8 | c[2]) != want->counter[i])
			return false;
	}
	return true;
}

static bool sack_is(const struct option *want, const uint8_t *o, const struct flow *f)
{
	if (o[1] != 2 + 8 * want->nsack)
		return false;
	for (unsigned int i = 0; i < want->nsack; i++)
		if (get32(o + 2 + 8 * i) - f->peer_isn != want->sack[i][0] ||
		    get32(o + 6 + 8 * i) - f->peer_isn != want->sack[i][1])
			return false;
	return true;
}

/* The stack's timestamps count milliseconds from its first one. */
static bool option_is(const struct option *want, const uint8_t *o, const struct flow *f)
{
	if (want->kind == OPT_RAW)
		return want->raw_len == o[1] && memcmp(want->raw, o, o[1]) == 0;
	if (want->kind != *o)
		return false;
	switch (want->kind) {
	case OPT_MSS:
		return o[1] == 4 && number_is(&want->a, 0, (uint32_t)(o[2] << 8 | o[3]));
	case OPT_WSCALE:
		return o[1] == 3 && number_is(&want->a, 0, o[2]);
	case OPT_TS:
		return o[1] == 10 && number_is(&want->a, f->ts_base, get32(o + 2)) &&
		       number_is(&want->b, 0, get32(o + 6));
	case OPT_ACCECN0:
	case OPT_ACCECN1:
		return accecn_is(want, o);
	case OPT_TFO:
		return o[1] == 2 + want->a.value;
	case OPT_SACKOK:
		return o[1] == 2;
	case OPT_SACK:
		return sack_is(want, o, f);
	default:
		return false;
	}
}

/* The same options, each once, in any order; NOPs do not count. */
static bool options_are(const struct spec *s, const struct packet *p, const struct flow *f)
{
	bool used[OPTS_MAX] = {false};
	unsigned int i = 0, left = s->nopt, k;
	const uint8_t *o;

	while ((o = option_next(p, &i)) != NULL) {
		for (k = 0; k < s->nopt; k++)
			if (!used[k] && option_is(&s->opt[k], o, f))
				break;
		if (k == s->nopt)
			return false;
		used[k] = true;
		left--;
	}
	return left == 0;
}

static bool payload_is(const struct spec *s, const struct packet *p, const struct flow *f)
{
	uint32_t off = p->seq - f->local_isn - ((p->flags & TH_SYN) == 0);

	if (s->has_text)
		return memcmp(p->data, s->text, s->len) == 0;
	for (uint32_t i = 0; i < p->data_len; i++)
		if (p->data[i] != pattern_out(off + i))
			return false;
	return true;
}

static bool same(const struct spec *s, const struct packet *p, const struct flow *f,
                 const char **what)
{
	uint32_t base = f->local_known ? f->local_isn : 0;

	*what = "flags";
	if ((s->flags | s->flags_either) != (p->flags | s->flags_either))
		return false;
	*what = "seq";
	if (!number_is(&s->seq, base, p->seq))
		return false;
	*what = "ack";
	if ((p->flags & TH_ACK) != 0 && !number_is(&s->ack, f->peer_isn, p->ack))
		return false;
	*what = "payload length";
	if (s->len != p->data_len)
		return false;
	*what = "payload";
	if (!payload_is(s, p, f))
		return false;
	*what = "window";
	if (!number_is(&s->win, 0, p->win))
		return false;
	*what = "urgent pointer";
	if (!number_is(&s->urg, 0, p->urg))
		return false;
	*what = "options";
	return s->opts_any || options_are(s, p, f);
}

bool packet_matches(struct dialogue *d, const struct spec *s, const struct packet *p, char *why,
                    size_t cap)
{
	const struct number ttl = {.kind = NUM_ABS, .value = 64}, tos = {.kind = NUM_ABS};
	const char *what = "flow";

	if (p->dport - PEER_PORT == (int)s->flow && same(s, p, &d->flow[s->flow], &what)) {
		what = "time to live";
		if (number_is(s->ttl.kind == NUM_UNSET ? &ttl : &s->ttl, 0, p->ttl)) {
			what = "traffic class";
			if (number_is(s->tos.kind == NUM_UNSET ? &tos : &s->tos, 0, p->tos))
				return true;
		}
	}
	snprintf(why, cap, "%s", what);
	return false;
}
