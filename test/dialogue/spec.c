/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the words of a segment line: flags, numbers, payload, options. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"

/* Cuts the next word off; a "quoted text" or an <option list> is one word. NULL: no more. */
const char *word_next(char **text)
{
	char *p = *text, *start, end;

	while (*p == ' ' || *p == '\t')
		p++;
	if (*p == '\0')
		return NULL;
	start = p;
	end = *p == '<' ? '>' : *p == '"' ? '"' : '\0';
	if (end != '\0' && strchr(p + 1, end) != NULL) {
		p = strchr(p + 1, end) + 1;
	} else {
		while (*p != '\0' && *p != ' ' && *p != '\t')
			p++;
	}
	*text = *p == '\0' ? p : p + 1;
	*p = '\0';
	return start;
}

/*
 * A number: decimal or 0x; "4/6" gives one for each family; "=N" is absolute, "*" anything, "last"
 * the latest that the stack sent.
 */
bool number_parse(struct dialogue *d, const char *text, struct number *out)
{
	const char *slash;
	char *end;

	*out = (struct number){.kind = NUM_REL};
	if (text == NULL) {
		dialogue_fail(d, "a number is missing");
		return false;
	}
	if (strcmp(text, "*") == 0 || strcmp(text, "last") == 0) {
		out->kind = *text == '*' ? NUM_ANY : NUM_LAST;
		return true;
	}
	if (*text == '=') {
		out->kind = NUM_ABS;
		text++;
	}
	slash = strchr(text, '/');
	if (slash != NULL && d->variant->ip6)
		text = slash + 1;
	errno = 0;
	out->value = strtoll(text, &end, 0);
	if (end == text || errno != 0 || (*end != '\0' && end != slash)) {
		dialogue_fail(d, "\"%s\" is not a number", text);
		return false;
	}
	return true;
}

/* A flag with '?' behind it may be set or not. */
static bool flags_parse(struct dialogue *d, const char *text, struct spec *s)
{
	static const char letters[] = TH_LETTERS;

	if (text == NULL) {
		dialogue_fail(d, "flags are missing");
		return false;
	}
	if (strcmp(text, "-") == 0)
		return true;
	for (; *text != '\0'; text++) {
		const char *at = strchr(letters, *text);

		if (at == NULL) {
			dialogue_fail(d, "'%c' is no flag of F S R P . U E W A", *text);
			return false;
		}
		s->flags |= (uint16_t)(1u << (at - letters));
		if (text[1] == '?') {
			s->flags_either |= (uint16_t)(1u << (at - letters));
			text++;
		}
	}
	return true;
}

static bool pair_parse(struct dialogue *d, char *text, char sep, struct option *o)
{
	char *second = text == NULL ? NULL : strchr(text, sep);

	if (second == NULL) {
		dialogue_fail(d, "two numbers with '%c' between are missing", sep);
		return false;
	}
	*second++ = '\0';
	return number_parse(d, text, &o->a) && number_parse(d, second, &o->b);
}

static bool raw_parse(struct dialogue *d, char **rest, struct option *o)
{
	const char *w;
	char *end;

	o->kind = OPT_RAW;
	while ((w = word_next(rest)) != NULL) {
		unsigned long v = strtoul(w, &end, 16);

		if (*end != '\0' || v > 255 || o->raw_len == sizeof(o->raw)) {
			dialogue_fail(d, "\"%s\" is no octet in hex, or there are over 40", w);
			return false;
		}
		o->raw[o->raw_len++] = (uint8_t)v;
	}
	return true;
}

static bool sack_parse(struct dialogue *d, char **rest, struct option *o)
{
	const char *w;

	o->kind = OPT_SACK;
	while ((w = word_next(rest)) != NULL) {
		struct option edge = {0};
		char buf[64];

		snprintf(buf, sizeof(buf), "%s", w);
		if (o->nsack == 4 || !pair_parse(d, buf, ':', &edge))
			return false;
		o->sack[o->nsack][0] = (uint32_t)edge.a.value;
		o->sack[o->nsack++][1] = (uint32_t)edge.b.value;
	}
	return true;
}

/* The counters of an AccECN option, in the order of its kind; none to three. */
static bool accecn_parse(struct dialogue *d, char **rest, struct option *o)
{
	struct number n;
	const char *w;

	while ((w = word_next(rest)) != NULL) {
		if (o->ncounters == 3 || !number_parse(d, w, &n))
			return false;
		o->counter[o->ncounters++] = (uint32_t)n.value;
	}
	return true;
}

/* tfo asks for a cookie, tfo cookie is the one that the stack gave, tfo wrong is not. */
static bool tfo_parse(struct dialogue *d, const char *w, struct option *o)
{
	o->kind = OPT_TFO;
	if (w == NULL)
		return true;
	o->a.value = 8;
	o->wrong = strcmp(w, "wrong") == 0;
	if (o->wrong || strcmp(w, "cookie") == 0)
		return true;
	dialogue_fail(d, "\"%s\": tfo, tfo cookie or tfo wrong", w);
	return false;
}

static bool option_parse(struct dialogue *d, char *text, struct option *o)
{
	static const struct {
		const char *name;
		int kind;
	} names[] = {
	    {"mss", OPT_MSS}, {"wscale", OPT_WSCALE}, {"sackok", OPT_SACKOK},
	    {"ts", OPT_TS},   {"nop", OPT_NOP},       {"eol", OPT_EOL},
	    {"accecn0", OPT_ACCECN0}, {"accecn1", OPT_ACCECN1},
	};
	const char *name = word_next(&text);

	*o = (struct option){.kind = -1};
	for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0)
			o->kind = names[i].kind;
	if (name != NULL && strcmp(name, "raw") == 0)
		return raw_parse(d, &text, o);
	if (name != NULL && strcmp(name, "tfo") == 0)
		return tfo_parse(d, word_next(&text), o);
	if (name != NULL && strcmp(name, "sack") == 0)
		return sack_parse(d, &text, o);
	if (o->kind == OPT_ACCECN0 || o->kind == OPT_ACCECN1)
		return accecn_parse(d, &text, o);
	if (o->kind == OPT_MSS || o->kind == OPT_WSCALE)
		return number_parse(d, word_next(&text), &o->a);
	if (o->kind == OPT_TS) {
		char buf[64];
		const char *w = word_next(&text);

		snprintf(buf, sizeof(buf), "%s", w == NULL ? "" : w);
		return pair_parse(d, buf, ':', o);
	}
	if (o->kind < 0)
		dialogue_fail(d, "\"%s\" is no option", name == NULL ? "" : name);
	return o->kind >= 0;
}

/* text is what stands between < and >. */
static bool options_parse(struct dialogue *d, char *text, struct spec *s)
{
	char *part, *save = NULL;

	if (strcmp(text, "...") == 0) {
		s->opts_any = true;
		return true;
	}
	for (part = strtok_r(text, ",", &save); part != NULL; part = strtok_r(NULL, ",", &save)) {
		if (s->nopt == OPTS_MAX) {
			dialogue_fail(d, "more than %d options", OPTS_MAX);
			return false;
		}
		if (!option_parse(d, part, &s->opt[s->nopt++]))
			return false;
	}
	return true;
}

static bool bare_parse(struct dialogue *d, const char *w, struct spec *s)
{
	size_t len = strlen(w);
	char buf[512];

	if (w[0] == '<' && len >= 2 && len < sizeof(buf)) {
		memcpy(buf, w + 1, len - 2);
		buf[len - 2] = '\0';
		return options_parse(d, buf, s);
	}
	if (w[0] == '"' && len >= 2 && len - 2 < sizeof(s->text)) {
		memcpy(s->text, w + 1, len - 2);
		s->len = (uint32_t)(len - 2);
		s->has_text = true;
		return true;
	}
	if (strcmp(w, "badsum") == 0)
		s->bad_cksum = true;
	else if (strcmp(w, "badipsum") == 0)
		s->bad_ip_cksum = true;
	else {
		dialogue_fail(d, "\"%s\" is no part of a segment", w);
		return false;
	}
	return true;
}

static struct number *field(struct spec *s, const char *w)
{
	const struct {
		const char *name;
		struct number *at;
	} names[] = {
	    {"seq", &s->seq}, {"ack", &s->ack}, {"win", &s->win},
	    {"urg", &s->urg}, {"ttl", &s->ttl}, {"tos", &s->tos},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(w, names[i].name) == 0)
			return names[i].at;
	return NULL;
}

static const char *const small_names[] = {"len", "flow", "doff", "pad", "cut", "id"};

static bool is_small(const char *w)
{
	for (size_t i = 0; i < sizeof(small_names) / sizeof(small_names[0]); i++)
		if (strcmp(w, small_names[i]) == 0)
			return true;
	return false;
}

static bool small_field(struct spec *s, const char *w, int64_t v)
{
	if (v < 0 || v > PACKET_MAX)
		return false;
	if (strcmp(w, "len") == 0)
		s->len = (uint32_t)v;
	else if (strcmp(w, "flow") == 0)
		s->flow = (unsigned int)v;
	else if (strcmp(w, "doff") == 0)
		s->doff = (int)v;
	else if (strcmp(w, "pad") == 0)
		s->pad = (int)v;
	else if (strcmp(w, "id") == 0)
		s->frag_id = (uint32_t)v;
	else
		s->cut = (int)v;
	return s->flow < FLOWS_MAX && s->doff < 16;
}

/* "frag OFF LEN" */
static bool frag_parse(struct dialogue *d, char **text, struct spec *s)
{
	struct number off, len;

	if (!number_parse(d, word_next(text), &off) || !number_parse(d, word_next(text), &len))
		return false;
	if (off.value < 0 || off.value > 65528 || off.value % 8 != 0 || len.value < 0) {
		dialogue_fail(d, "frag wants a multiple of 8 and a length");
		return false;
	}
	s->frag = true;
	s->frag_off = (uint32_t)off.value;
	s->frag_len = (uint32_t)len.value;
	return true;
}

bool spec_parse(struct dialogue *d, char *text, struct spec *out)
{
	const char *w;

	memset(out, 0, sizeof(*out));
	out->doff = -1;
	if (!flags_parse(d, word_next(&text), out))
		return false;
	while ((w = word_next(&text)) != NULL) {
		struct number *at = field(out, w), v;

		if (at != NULL) {
			if (!number_parse(d, word_next(&text), at))
				return false;
		} else if (strcmp(w, "frag") == 0) {
			if (!frag_parse(d, &text, out))
				return false;
		} else if (is_small(w)) {
			if (!number_parse(d, word_next(&text), &v))
				return false;
			if (!small_field(out, w, v.value)) {
				dialogue_fail(d, "%s cannot be %lld", w, (long long)v.value);
				return false;
			}
		} else if (!bare_parse(d, w, out)) {
			return false;
		}
	}
	return true;
}
