/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What SACK blocks say must be true (RFC 2018 3, 4, RFC 2883 4): each lies in what reached the
 * stack that sends it, the first may be a duplicate, the others are apart from each other and from
 * what is acknowledged. Knows only the frames, not the stack.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define PIECES_MAX 1024

struct piece {
	uint32_t left, right;
};

/* What reached a stack of one direction of a connection: pieces that do not touch. */
struct truth {
	struct truth *next;
	uint8_t key[36]; /* addresses and ports, as the sender's frames have them */
	bool full;       /* too many pieces to tell */
	unsigned int n;
	struct piece piece[PIECES_MAX];
};

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int32_t diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* @return the record of a frame's direction, or of the other one. */
static struct truth *find(struct world *w, const struct layout *l, bool reverse, bool make)
{
	uint8_t len = l->ip4 ? 4 : 16, key[36] = {0};
	const uint8_t *src = l->l3 + (l->ip4 ? 12 : 8);
	struct truth *t;

	memcpy(key, reverse ? src + len : src, len);
	memcpy(key + len, reverse ? src : src + len, len);
	memcpy(key + 32, reverse ? l->l4 + 2 : l->l4, 2);
	memcpy(key + 34, reverse ? l->l4 : l->l4 + 2, 2);
	for (t = w->truth; t != NULL; t = t->next)
		if (memcmp(t->key, key, sizeof(key)) == 0)
			return t;
	if (!make)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	memcpy(t->key, key, sizeof(key));
	t->next = w->truth;
	w->truth = t;
	return t;
}

void truth_arrived(struct world *w, const uint8_t *frame, uint32_t len)
{
	struct layout l = nic_layout(frame, len);
	struct piece p;
	struct truth *t;

	if (l.l4 == NULL || (l.l4[12] >> 4) * 4u > l.l4_len)
		return;
	p.left = get32(l.l4 + 4);
	p.right = p.left + l.l4_len - (l.l4[12] >> 4) * 4u + (l.l4[13] & 1) + (l.l4[13] >> 1 & 1);
	if (p.left == p.right)
		return;
	t = find(w, &l, false, true);
	for (unsigned int i = 0; i < t->n;) {
		struct piece *q = &t->piece[i];

		if (diff(q->left, p.right) > 0 || diff(p.left, q->right) > 0) {
			i++;
			continue;
		}
		p.left = diff(q->left, p.left) < 0 ? q->left : p.left;
		p.right = diff(q->right, p.right) > 0 ? q->right : p.right;
		*q = t->piece[--t->n];
		i = 0;
	}
	if (t->n < PIECES_MAX)
		t->piece[t->n++] = p;
	else
		t->full = true;
}

static bool arrived(const struct truth *t, const struct piece *b)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (diff(b->left, t->piece[i].left) >= 0 && diff(b->right, t->piece[i].right) <= 0)
			return true;
	return t->full;
}

static bool inside(const struct piece *a, const struct piece *b)
{
	return diff(a->left, b->left) >= 0 && diff(a->right, b->right) <= 0;
}

/* The blocks of a segment that acknowledges `ack`. @return what is wrong, or NULL. */
static const char *blocks_check(const struct truth *t, const struct piece *b, unsigned int n,
                                uint32_t ack)
{
	unsigned int first = 0;

	for (unsigned int i = 0; i < n; i++)
		if (diff(b[i].right, b[i].left) <= 0)
			return "an empty block";
		else if (!arrived(t, &b[i]))
			return "a block of what never came";
	if (diff(b[0].left, ack) < 0 || (n > 1 && inside(&b[0], &b[1])))
		first = 1; /* a duplicate */
	if (first == 1 && diff(b[0].left, ack) < 0 && diff(b[0].right, ack) > 0)
		return "a duplicate across the acknowledgement";
	for (unsigned int i = first; i < n; i++) {
		if (diff(b[i].left, ack) <= 0)
			return "a block that touches the acknowledgement";
		for (unsigned int k = first; k < i; k++)
			if (diff(b[i].left, b[k].right) <= 0 && diff(b[k].left, b[i].right) <= 0)
				return "two blocks that touch";
	}
	return NULL;
}

const char *truth_check(struct world *w, const uint8_t *frame, uint32_t len)
{
	struct layout l = nic_layout(frame, len);
	const uint8_t *o, *end;
	struct piece b[4];
	struct truth *t;

	if (l.l4 == NULL)
		return NULL;
	end = l.l4 + (l.l4[12] >> 4) * 4u;
	for (o = l.l4 + 20; o < end && *o != 5; o += *o == 1 ? 1 : o[1])
		if (*o == 0 || (*o != 1 && o[1] < 2))
			return NULL;
	if (o >= end)
		return NULL;
	if ((l.l4[13] & 2) != 0)
		return "SACK on a SYN";
	if (o[1] % 8 != 2 || o[1] > 34 || o + o[1] > end)
		return "SACK of a wrong length";
	for (unsigned int i = 0; i < o[1] / 8u; i++)
		b[i] = (struct piece){get32(o + 2 + 8 * i), get32(o + 6 + 8 * i)};
	t = find(w, &l, true, false);
	return t == NULL ? "SACK, and nothing came"
	                 : blocks_check(t, b, o[1] / 8u, get32(l.l4 + 8));
}

void truth_free(struct world *w)
{
	while (w->truth != NULL) {
		struct truth *next = w->truth->next;

		free(w->truth);
		w->truth = next;
	}
}
