/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listeners: those of one port hang on a hash of the port, the others on one list; both lists have
 * the most specific listener first, so the first that matches is the best of its list. Floor 4.
 */
#include "stack/listen.h"

#include <errno.h>

#include "wire/ip.h"

#define SLOT_BITS 10
#define BACKLOG 1024

_Static_assert(RNL_LISTEN_MAX == 1 << SLOT_BITS, "a slot fits the id");

size_t rnl_listen_bytes(void)
{
	return RNL_LISTEN_MAX * sizeof(struct rnl_listener);
}

void rnl_listen_init(struct rnl_listeners *ls, void *mem)
{
	*ls = (struct rnl_listeners){.slots = mem};
}

static unsigned int width(const struct rnl_listener *l)
{
	return (unsigned int)(l->port_last - l->port_first);
}

static bool more_specific(const struct rnl_listener *a, const struct rnl_listener *b)
{
	if (a->prefix_len != b->prefix_len)
		return a->prefix_len > b->prefix_len;
	return width(a) < width(b);
}

static bool same_place(const struct rnl_listener *a, const struct rnl_listener *b)
{
	return a->prefix_len == b->prefix_len && a->port_first == b->port_first &&
	       a->port_last == b->port_last && rnl_addr_equal(&a->addr, &b->addr);
}

/* Head of the list that a listener of these ports stands on. */
static uint16_t *list_of(struct rnl_listeners *ls, const struct rnl_listener *l)
{
	return width(l) == 0 ? &ls->by_port[l->port_first % RNL_LISTEN_MAX] : &ls->ranges;
}

/* Any IPv4 address says the same as any address: 0 asks for either family (runnel.h). */
static int read_prefix(const struct rnl_listen_config *cfg, struct rnl_listener *l)
{
	const bool v4 = rnl_addr_is_v4(&cfg->addr);
	unsigned int i;

	if (cfg->prefix_len > (v4 ? 32 : 128))
		return -EINVAL;
	l->addr = cfg->addr;
	l->prefix_len = (uint8_t)(cfg->prefix_len + (v4 ? 96 : 0));
	for (i = l->prefix_len; i < 128; i++) {
		if (l->addr.b[i / 8] >> (7 - i % 8) & 1)
			return -EINVAL;
	}
	if (cfg->prefix_len == 0) {
		l->addr = (struct rnl_addr){0};
		l->prefix_len = 0;
	}
	return 0;
}

static int read_ports(const struct rnl_listen_config *cfg, struct rnl_listener *l)
{
	l->port_first = cfg->port_first;
	l->port_last = cfg->port_last != 0 ? cfg->port_last : cfg->port_first;
	if (cfg->port_first == 0) {
		l->port_last = 65535;
		return cfg->port_last == 0 ? 0 : -EINVAL;
	}
	return l->port_last >= l->port_first ? 0 : -EINVAL;
}

static uint16_t slot_get(struct rnl_listeners *ls)
{
	uint16_t i = ls->free;

	if (i == 0)
		return ++ls->fresh;
	ls->free = ls->slots[i - 1].next;
	return i;
}

/* Behind all that are as specific: among equals the first that was added wins. */
static void link_in(struct rnl_listeners *ls, uint16_t i)
{
	struct rnl_listener *l = &ls->slots[i - 1];
	uint16_t *at = list_of(ls, l);

	while (*at != 0 && !more_specific(l, &ls->slots[*at - 1]))
		at = &ls->slots[*at - 1].next;
	l->next = *at;
	*at = i;
}

int rnl_listen_add(struct rnl_listeners *ls, const struct rnl_listen_config *cfg, uint16_t policy,
                   rnl_listener_t *out)
{
	struct rnl_listener new = {
	    .policy = policy, .ctx = cfg->ctx, .syncookies = cfg->syncookies, .fastopen = cfg->fastopen};
	uint16_t i;

	if (read_prefix(cfg, &new) != 0 || read_ports(cfg, &new) != 0 ||
	    cfg->syncookies >= RNL_SYNCOOKIES_COUNT)
		return -EINVAL;
	for (i = *list_of(ls, &new); i != 0; i = ls->slots[i - 1].next) {
		if (same_place(&ls->slots[i - 1], &new))
			return -EADDRINUSE;
	}
	if (ls->count == RNL_LISTEN_MAX)
		return -ENOSPC;
	i = slot_get(ls);
	new.backlog = cfg->backlog != 0 ? cfg->backlog : BACKLOG;
	new.gen = (ls->slots[i - 1].gen + 1) & (UINT32_MAX >> SLOT_BITS);
	new.gen += new.gen == 0;
	new.id = new.gen << SLOT_BITS | (i - 1u);
	ls->slots[i - 1] = new;
	link_in(ls, i);
	ls->count++;
	*out = new.id;
	return 0;
}

struct rnl_listener *rnl_listen_get(const struct rnl_listeners *ls, rnl_listener_t id)
{
	struct rnl_listener *l = &ls->slots[id % RNL_LISTEN_MAX];

	return id != 0 && l->id == id ? l : NULL;
}

int rnl_listen_remove(struct rnl_listeners *ls, rnl_listener_t id)
{
	struct rnl_listener *l = rnl_listen_get(ls, id);
	uint16_t *at, i;

	if (l == NULL)
		return -ENOENT;
	i = (uint16_t)(l - ls->slots + 1);
	for (at = list_of(ls, l); *at != i; at = &ls->slots[*at - 1].next)
		;
	*at = l->next;
	l->id = 0;
	l->next = ls->free;
	ls->free = i;
	ls->count--;
	return 0;
}

static bool covers(const struct rnl_listener *l, const struct rnl_addr *laddr, uint16_t lport)
{
	return lport >= l->port_first && lport <= l->port_last &&
	       (l->prefix_len == 0 || rnl_addr_prefix_match(&l->addr, laddr, l->prefix_len));
}

struct rnl_listener *rnl_listen_find(const struct rnl_listeners *ls, const struct rnl_addr *laddr,
                                     uint16_t lport)
{
	struct rnl_listener *best = NULL, *l;
	uint16_t i;

	for (i = ls->by_port[lport % RNL_LISTEN_MAX]; i != 0 && best == NULL; i = l->next) {
		l = &ls->slots[i - 1];
		if (covers(l, laddr, lport))
			best = l;
	}
	/* A range only beats one port when its prefix is longer. */
	for (i = ls->ranges; i != 0; i = l->next) {
		l = &ls->slots[i - 1];
		if (best != NULL && l->prefix_len <= best->prefix_len)
			break;
		if (covers(l, laddr, lport))
			return l;
	}
	return best;
}

struct rnl_listener *rnl_listen_next(const struct rnl_listeners *ls,
                                     const struct rnl_listener *prev)
{
	unsigned int i = prev == NULL ? 0 : (unsigned int)(prev - ls->slots) + 1;

	for (; i < ls->fresh; i++) {
		if (ls->slots[i].id != 0)
			return &ls->slots[i];
	}
	return NULL;
}
