/* SPDX-License-Identifier: BSD-3-Clause */
/* Fast Open cookies and the limit of a listener: RFC 7413 4.1.2, 4.2, 5.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/fastopen.h"

#define LISTENER 1027u

static struct rnl_core core;
static struct rnl_fastopen slots[RNL_FASTOPEN_SLOTS];

static int setup(void **state)
{
	memset(&core, 0, sizeof(core));
	memset(slots, 0, sizeof(slots));
	memset(core.secrets.tfo, 7, sizeof(core.secrets.tfo));
	core.fastopen = slots;
	core.now_us = 1000000000;
	rnl_fastopen_listen(&core, LISTENER);
	return 0;
}

/* A SYN with the cookie that its source would get now. */
static struct rnl_seg syn_of(const char *client)
{
	struct rnl_seg seg = {.flags = RNL_TH_SYN};

	assert_int_equal(rnl_addr_parse(client, &seg.key.raddr), 0);
	rnl_fastopen_give(&core, &seg.key.raddr, &seg.opt);
	assert_int_equal(seg.opt.tfo_len, RNL_FASTOPEN_COOKIE_LEN);
	return seg;
}

/* *renewed: SYN-ACK is to bring a cookie. */
static bool opens(struct rnl_seg seg, uint32_t limit, bool *renewed)
{
	bool ok;

	seg.opt.has |= RNL_OPT_TFO;
	ok = rnl_fastopen_judge(&core, LISTENER, limit, &seg);
	*renewed = seg.opt.has & RNL_OPT_TFO;
	return ok;
}

/* RFC 7413 4.1.2, 1 and 2. */
static void fastopen__cookie_is_of_the_address(void **state)
{
	static const char *const clients[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"};
	bool renewed;

	for (unsigned int i = 0; i < 4; i++) {
		struct rnl_seg seg = syn_of(clients[i]);

		assert_true(opens(seg, 1, &renewed));
		assert_false(renewed);
		seg.key.rport = 77; /* ports do not matter */
		assert_true(opens(seg, 1, &renewed));
		for (unsigned int bit = 0; bit < 64; bit++) {
			seg.opt.tfo[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(opens(seg, 1, &renewed));
			assert_true(renewed);
			seg.opt.tfo[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		seg.opt.tfo_len = 4;
		assert_false(opens(seg, 1, &renewed));
		seg.opt.tfo_len = 8;
		assert_int_equal(rnl_addr_parse(clients[(i + 1) % 4], &seg.key.raddr), 0);
		assert_false(opens(seg, 1, &renewed));
	}
}

/* RFC 7413 4.2: off means that the option is ignored. */
static void fastopen__off(void **state)
{
	struct rnl_seg seg = syn_of("192.0.2.1");
	bool renewed;

	assert_false(opens(seg, 0, &renewed));
	assert_false(renewed);
	seg.opt.tfo_len = 0;
	assert_false(opens(seg, 0, &renewed));
	assert_false(renewed);
	assert_false(opens(seg, 5, &renewed));
	assert_true(renewed);
	assert_int_equal(core.counters.v[RNL_C_tcp_fastopen_bad_cookie], 0);
}

/* RFC 7413 4.1.2, 5: the key before is still good, for one more cookie; the one before that is not. */
static void fastopen__keys_rotate(void **state)
{
	struct rnl_seg seg = syn_of("2001:db8::1");
	uint8_t key[16] = {0};
	bool renewed;

	rnl_fastopen_rotate(&core, NULL);
	assert_true(opens(seg, 1, &renewed));
	assert_false(renewed);
	key[0] = 1;
	rnl_fastopen_rotate(&core, key);
	assert_true(opens(seg, 1, &renewed));
	assert_true(renewed);
	assert_true(opens(syn_of("2001:db8::1"), 1, &renewed));
	assert_false(renewed);
	key[0] = 2;
	rnl_fastopen_rotate(&core, key);
	assert_false(opens(seg, 1, &renewed));
	assert_true(renewed);
}

/* A key that nobody set is none: without a rotation there is no old one, not even one of zeros. */
static void fastopen__no_old_key(void **state)
{
	struct rnl_seg seg;
	bool renewed;

	memset(core.secrets.tfo, 0, sizeof(core.secrets.tfo));
	seg = syn_of("192.0.2.1");
	memset(core.secrets.tfo, 7, sizeof(core.secrets.tfo));
	assert_false(opens(seg, 1, &renewed));
}

static void pend(struct rnl_tcb *tcb, struct rnl_work *w)
{
	*w = (struct rnl_work){.tfo_listener = LISTENER};
	*tcb = (struct rnl_tcb){.work = w, .state = RNL_SYN_RECEIVED};
	slots[LISTENER % RNL_FASTOPEN_SLOTS].pending++;
}

/* RFC 7413 4.2, 5.1: what was reset counts until it is forgotten, all else at once no more. */
static void fastopen__limit(void **state)
{
	struct rnl_seg seg = syn_of("192.0.2.1");
	struct rnl_work w[3];
	struct rnl_tcb tcb[3];
	bool renewed;

	core.now_us = UINT64_C(600000000);
	for (unsigned int i = 0; i < 3; i++)
		pend(&tcb[i], &w[i]);
	assert_false(opens(seg, 3, &renewed));
	assert_int_equal(core.counters.v[RNL_C_tcp_fastopen_overflow], 1);
	assert_true(opens(seg, 4, &renewed));
	rnl_fastopen_failed(&core, &tcb[0], RNL_REASON_TIMEOUT_CONNECT);
	rnl_fastopen_failed(&core, &tcb[0], RNL_REASON_TIMEOUT_CONNECT); /* not twice */
	assert_true(opens(seg, 3, &renewed));
	rnl_fastopen_failed(&core, &tcb[1], RNL_REASON_RESET);
	rnl_fastopen_failed(&core, &tcb[2], RNL_REASON_LOCAL_ABORT);
	assert_false(opens(seg, 1, &renewed));
	assert_true(opens(seg, 2, &renewed));
	core.now_us += 60000000; /* the next period */
	assert_false(opens(seg, 1, &renewed));
	core.now_us += 60000000;
	assert_true(opens(seg, 1, &renewed));
	assert_int_equal(core.counters.v[RNL_C_tcp_fastopen_reset], 1);
	assert_int_equal(core.counters.v[RNL_C_tcp_fastopen_expired], 1);
}

/* Another listener in the same slot has nothing to do with what the one before left behind. */
static void fastopen__listener_is_gone(void **state)
{
	struct rnl_work w;
	struct rnl_tcb tcb;

	pend(&tcb, &w);
	rnl_fastopen_listen(&core, LISTENER + RNL_FASTOPEN_SLOTS);
	rnl_fastopen_failed(&core, &tcb, RNL_REASON_RESET);
	assert_int_equal(slots[LISTENER % RNL_FASTOPEN_SLOTS].pending, 0);
	assert_int_equal(slots[LISTENER % RNL_FASTOPEN_SLOTS].resets[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(fastopen__cookie_is_of_the_address, setup),
	    cmocka_unit_test_setup(fastopen__off, setup),
	    cmocka_unit_test_setup(fastopen__keys_rotate, setup),
	    cmocka_unit_test_setup(fastopen__no_old_key, setup),
	    cmocka_unit_test_setup(fastopen__limit, setup),
	    cmocka_unit_test_setup(fastopen__listener_is_gone, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
