/* SPDX-License-Identifier: BSD-3-Clause */
/* The seam itself: two of them in one process, joined by hand; both clocks; the same twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "seam.h"

struct pair {
	struct rnl_seam *a, *b;
	uint64_t hash;
};

static struct rnl_seam *make(enum rnl_seam_clock clock, uint8_t host)
{
	struct rnl_seam_config cfg = {.clock = clock, .ip4 = rnl_addr_v4(192, 0, 2, host)};
	struct rnl_error err = {""};
	struct rnl_seam *s = NULL;

	if (rnl_seam_create(&cfg, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static unsigned int carry(struct pair *p, struct rnl_seam *from, struct rnl_seam *to)
{
	uint8_t packet[2048];
	unsigned int n = 0;
	uint64_t at;
	ssize_t len;

	while ((len = rnl_seam_receive(from, packet, sizeof(packet), &at)) > 0) {
		for (ssize_t i = 0; i < len; i++)
			p->hash = (p->hash ^ packet[i]) * UINT64_C(0x100000001b3);
		assert_int_equal(rnl_seam_send(to, packet, (size_t)len), 0);
		n++;
	}
	return n;
}

/* Carries packets until none is left. */
static void settle(struct pair *p)
{
	while (carry(p, p->a, p->b) + carry(p, p->b, p->a) > 0)
		;
}

static void talk(struct pair *p)
{
	struct rnl_addr any = {{0}}, peer = rnl_addr_v4(192, 0, 2, 2);
	int l = rnl_seam_socket(p->b), c = rnl_seam_socket(p->a), s;
	struct rnl_seam_status st;
	char buf[16];

	assert_int_equal(rnl_seam_bind(p->b, l, &any, 80), 0);
	assert_int_equal(rnl_seam_listen(p->b, l, 0), 0);
	assert_int_equal(rnl_seam_accept(p->b, l), -EAGAIN);
	assert_int_equal(rnl_seam_connect(p->a, c, &peer, 80), -EINPROGRESS);
	settle(p);
	s = rnl_seam_accept(p->b, l);
	assert_true(s >= 0);
	assert_int_equal(rnl_seam_read(p->b, s, buf, sizeof(buf)), -EAGAIN);
	assert_int_equal(rnl_seam_write(p->a, c, "hello", 5), 5);
	settle(p);
	assert_int_equal(rnl_seam_read(p->b, s, buf, 3), 3);
	assert_memory_equal(buf, "hel", 3);
	assert_int_equal(rnl_seam_read(p->b, s, buf, sizeof(buf)), 2);
	assert_memory_equal(buf, "lo", 2);
	assert_int_equal(rnl_seam_shutdown(p->a, c), 0);
	settle(p);
	assert_int_equal(rnl_seam_read(p->b, s, buf, sizeof(buf)), 0);
	assert_int_equal(rnl_seam_write(p->a, c, "x", 1), -EPIPE);
	assert_int_equal(rnl_seam_close(p->b, s), 0);
	settle(p);
	assert_int_equal(rnl_seam_status(p->a, c, &st), 0);
	assert_true(st.closed && st.eof);
	assert_int_equal(st.reason, RNL_REASON_NORMAL);
	assert_int_equal(st.closed_calls, 1);
}

static void end(struct pair *p)
{
	assert_int_equal(rnl_seam_destroy(p->a), 0);
	assert_int_equal(rnl_seam_destroy(p->b), 0);
}

static uint64_t run(enum rnl_seam_clock clock)
{
	struct pair p = {make(clock, 1), make(clock, 2), UINT64_C(0xcbf29ce484222325)};

	talk(&p);
	end(&p);
	return p.hash;
}

static void seam__virtual_clock_repeats_every_octet(void **state)
{
	assert_true(run(RNL_SEAM_VIRTUAL) == run(RNL_SEAM_VIRTUAL));
}

static void seam__real_clock(void **state)
{
	run(RNL_SEAM_REAL);
}

static void seam__virtual_time_moves_only_when_told(void **state)
{
	struct rnl_seam *s = make(RNL_SEAM_VIRTUAL, 1);
	struct rnl_addr peer = rnl_addr_v4(192, 0, 2, 9);
	uint64_t start = rnl_seam_now(s), at;
	int c = rnl_seam_socket(s);
	uint8_t packet[2048];

	assert_int_equal(rnl_seam_connect(s, c, &peer, 80), -EINPROGRESS);
	assert_true(rnl_seam_now(s) == start);
	assert_true(rnl_seam_receive(s, packet, sizeof(packet), &at) > 0);
	assert_true(at == start);
	assert_int_equal(rnl_seam_receive(s, packet, sizeof(packet), &at), -EAGAIN);
	assert_int_equal(rnl_seam_run(s, start + UINT64_C(10000000000), true), 0);
	assert_true(rnl_seam_receive(s, packet, sizeof(packet), &at) > 0);
	assert_true(at == start + UINT64_C(1000000000)); /* RFC 6298 2.1 */
	assert_int_equal(rnl_seam_destroy(s), 0);
}

static void seam__real_time_passes(void **state)
{
	struct rnl_seam *s = make(RNL_SEAM_REAL, 1);
	uint64_t start = rnl_seam_now(s);

	assert_int_equal(rnl_seam_run(s, start + UINT64_C(5000000), false), 0);
	assert_true(rnl_seam_now(s) >= start + UINT64_C(5000000));
	assert_int_equal(rnl_seam_destroy(s), 0);
}

static void seam__wrong_calls(void **state)
{
	struct rnl_seam *s = make(RNL_SEAM_VIRTUAL, 1);
	static const uint8_t huge[70000];
	int fd = rnl_seam_socket(s);
	struct rnl_conn_info info;

	assert_int_equal(rnl_seam_accept(s, fd), -EINVAL);
	assert_int_equal(rnl_seam_accept(s, 200), -EBADF);
	assert_int_equal(rnl_seam_shutdown(s, fd), -ENOTCONN);
	assert_int_equal(rnl_seam_info(s, fd, &info), -ENOTCONN);
	assert_int_equal(rnl_seam_setsockopt(s, fd, "colour", 1), -ENOPROTOOPT);
	assert_int_equal(rnl_seam_setsockopt(s, fd, "ttl", 300), -ERANGE);
	assert_int_equal(rnl_seam_setsockopt(s, fd, "nodelay", 1), 0);
	assert_int_equal(rnl_seam_send(s, huge, sizeof(huge)), -EMSGSIZE);
	rnl_seam_forget(s, fd);
	assert_int_equal(rnl_seam_accept(s, fd), -EBADF);
	assert_int_equal(rnl_seam_destroy(s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seam__virtual_clock_repeats_every_octet),
	    cmocka_unit_test(seam__real_clock),
	    cmocka_unit_test(seam__virtual_time_moves_only_when_told),
	    cmocka_unit_test(seam__real_time_passes),
	    cmocka_unit_test(seam__wrong_calls),
	};

	if (rnl_seam_eal_init("test_seam", 128) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
