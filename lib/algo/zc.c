/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Releases of zero-copy and pull sends: those that wait until drivers and ring peers have let go of
 * the memory, and those whose callback is due. The record holds one reference of the external
 * buffer until then, so the buffer's own free callback never runs, on whatever thread the last
 * packet ends. Refuses: calling back (the application stage does), locking. Floor 2.
 */
#include "algo/sndbuf.h"
#include "algo/zc.h"

/* Records looked at in one poll: a driver that completes late must not cost each iteration much. */
#define POLL_MAX 32

static void never_freed(void *addr, void *opaque)
{
	(void)addr;
	(void)opaque;
}

struct rnl_zc *rnl_zc_new(struct rnl_pool *pool, uint32_t owner)
{
	uint32_t i = rnl_pool_get(pool);
	struct rnl_zc *z;

	if (i == RNL_NIL)
		return NULL;
	z = rnl_pool_at(pool, i);
	rnl_zc_init(z, i, owner);
	return z;
}

void rnl_zc_init(struct rnl_zc *z, uint32_t index, uint32_t owner)
{
	*z = (struct rnl_zc){.self = index, .owner = owner};
	z->shinfo.free_cb = never_freed;
	rte_mbuf_ext_refcnt_set(&z->shinfo, 1);
}

static void add_due(struct rnl_zc_list *l, struct rnl_zc *z)
{
	if (z->release == NULL) {
		rnl_pool_put(l->pool, z->self);
		return;
	}
	z->next = NULL;
	*(l->due_head == NULL ? &l->due_head : &l->due_tail->next) = z;
	l->due_tail = z;
}

static void add_waiting(struct rnl_zc_list *l, struct rnl_zc *z)
{
	z->next = NULL;
	*(l->waiting == NULL ? &l->waiting : &l->waiting_tail->next) = z;
	l->waiting_tail = z;
}

/* Acquire: what others read of the memory, they read before they let go. */
static bool is_read(const struct rnl_zc *z)
{
	return __atomic_load_n(&z->shinfo.refcnt, __ATOMIC_ACQUIRE) > 1;
}

void rnl_zc_finish(struct rnl_zc_list *l, struct rnl_pool *pool, struct rnl_zc *z)
{
	l->pool = pool;
	if (is_read(z))
		add_waiting(l, z);
	else
		add_due(l, z);
}

bool rnl_zc_poll(struct rnl_zc_list *l)
{
	const struct rnl_zc *last = l->waiting_tail;

	for (int n = 0; n < POLL_MAX && l->waiting != NULL; n++) {
		struct rnl_zc *z = l->waiting;
		bool done = z == last;

		l->waiting = z->next;
		if (is_read(z))
			add_waiting(l, z);
		else
			add_due(l, z);
		if (done)
			break;
	}
	return l->due_head != NULL;
}

bool rnl_zc_next(struct rnl_zc_list *l, rnl_release_fn *release, void **arg)
{
	struct rnl_zc *z = l->due_head;

	if (z == NULL)
		return false;
	l->due_head = z->next;
	*release = z->release;
	*arg = z->arg;
	rnl_pool_put(l->pool, z->self);
	return true;
}

static bool list_owns(const struct rnl_zc *z, uint32_t owner)
{
	while (z != NULL && z->owner != owner)
		z = z->next;
	return z != NULL;
}

bool rnl_zc_owned(const struct rnl_zc_list *l, uint32_t owner)
{
	return list_owns(l->waiting, owner) || list_owns(l->due_head, owner);
}
