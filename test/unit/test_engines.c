/* SPDX-License-Identifier: BSD-3-Clause */
/* Engines echo, sink and source over a stack made of paper, and the grammar of --listen. */
#include <errno.h>
#include <string.h>

#include "paper.h"
#include "pattern.h"

static void echo__consumes_what_it_sent(void **state)
{
	struct peer p;

	peer_open(&p, "echo");
	fake.room = 3;
	peer_say(&p, "hello, world");
	assert_int_equal(p.in_len, 9);
	peer_drain(&p, 2);
	assert_string_equal(peer_heard(), "hello, world");
	assert_int_equal(p.in_len, 0);
	p.ops->peer_closed(no_stack, CONN, fake.ctx);
	assert_true(fake.closed);
	assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_TX_BYTES), 12);
	peer_close(&p);
}

static void sink__takes_everything(void **state)
{
	struct peer p;

	peer_open(&p, "sink:9,idle=3");
	assert_int_equal(p.service.listen.opts.idle_timeout_ms, 3000);
	peer_say(&p, "gone");
	assert_int_equal(p.in_len, 0);
	assert_int_equal(fake.out_len, 0);
	assert_int_equal(rnl_engine_read(p.run.ctx, RNL_ENGINE_RX_BYTES), 4);
	p.ops->peer_closed(no_stack, CONN, fake.ctx);
	assert_true(fake.closed);
	peer_close(&p);
}

static void source__makes_the_pattern(void **state)
{
	uint8_t a[1000], b[1000];
	struct peer p;
	uint32_t i;

	peer_open(&p, "source:19,bytes=2K");
	assert_int_equal(fake.produce_len, 2048);
	assert_true(fake.fin);
	for (i = 0; i < sizeof(a); i++)
		a[i] = rnl_pattern_octet(UINT64_C(0x1fffffe00) + 13 + i);
	assert_int_equal(fake.produce(fake.produce_arg, UINT64_C(0x1fffffe00) + 13, b, sizeof(b)),
	                 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(rnl_pattern_check(UINT64_C(0x1fffffe00) + 13, b, sizeof(b)), sizeof(b));
	b[500] ^= 1;
	assert_int_equal(rnl_pattern_check(UINT64_C(0x1fffffe00) + 13, b, sizeof(b)), 500);
	peer_close(&p);
	peer_open(&p, "source");
	assert_int_equal(fake.produce_len, UINT64_MAX);
	p.ops->peer_closed(no_stack, CONN, fake.ctx);
	assert_false(fake.fin || fake.closed);
	peer_close(&p);
}

static void service__grammar(void **state)
{
	struct rnl_service s;
	struct rnl_error err;

	assert_int_equal(rnl_service_parse("http", &s, &err), 0);
	assert_int_equal(s.listen.port_first, 80);
	assert_int_equal(s.listen.prefix_len, 0);
	assert_true(s.listen.opts.nodelay);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo:10.1.2.0/24:7000-7010,sndbuf=1M,nagle", &s, &err),
	                 0);
	assert_int_equal(s.listen.port_first, 7000);
	assert_int_equal(s.listen.port_last, 7010);
	assert_int_equal(s.listen.prefix_len, 24);
	assert_int_equal(s.listen.addr.b[13], 1);
	assert_int_equal(s.listen.opts.sndbuf_bytes, 1 << 20);
	assert_false(s.listen.opts.nodelay);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo,syncookies=always", &s, &err), 0);
	assert_int_equal(s.listen.syncookies, RNL_SYNCOOKIES_ALWAYS);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo,syncookies=perhaps", &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "auto, always or never"));
	assert_int_equal(rnl_service_parse("echo,fastopen=100", &s, &err), 0);
	assert_int_equal(s.listen.fastopen, 100);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo,fastopen=yes", &s, &err), -EINVAL);
	assert_int_equal(rnl_service_parse("echo,nosack,nowscale,noblackhole", &s, &err), 0);
	assert_true(s.listen.opts.no_black_hole && !s.listen.opts.no_soft_errors);
	assert_true(s.listen.opts.no_sack && s.listen.opts.no_wscale);
	assert_false(s.listen.opts.pacing);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo,pacing,maxrate=10M", &s, &err), 0);
	assert_true(s.listen.opts.pacing);
	assert_int_equal(s.listen.opts.max_pacing_bytes_per_s, 10 << 20);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo,maxrate=255", &s, &err), -EINVAL);
	assert_int_equal(rnl_service_parse("echo", &s, &err), 0);
	assert_false(s.listen.opts.no_timestamps);
	assert_true(s.listen.opts.nodelay);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo,linger=2,user-timeout=30,uto,min-mss=100,rcvbuf-max=2M", &s,
	                                   &err),
	                 0);
	assert_int_equal(s.listen.opts.linger_ms, 2000);
	assert_int_equal(s.listen.opts.user_timeout_ms, 30000);
	assert_int_equal(s.listen.opts.min_mss, 100);
	assert_int_equal(s.listen.opts.rcvbuf_max_bytes, 2 << 20);
	assert_true(s.listen.opts.uto);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo,linger=reset", &s, &err), 0);
	assert_true(s.listen.opts.linger_ms == RNL_LINGER_RESET);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo:7,cc=newreno", &s, &err), 0);
	assert_ptr_equal(s.listen.opts.cc, &rnl_cc_newreno);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("echo:7,cc=reno", &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "cc=reno: give one of cubic, newreno"));
	assert_int_equal(rnl_service_parse("sink:[2001:db8::1]:9", &s, &err), 0);
	assert_int_equal(s.listen.prefix_len, 128);
	assert_int_equal(s.listen.addr.b[0], 0x20);
	rnl_service_free(&s);
	assert_int_equal(rnl_service_parse("sink:*", &s, &err), 0);
	assert_int_equal(s.listen.port_last, 0);
	rnl_service_free(&s);
}

static void service__refuses_in_one_line(void **state)
{
	static const char *const bad[] = {
	    "",
	    "ftp:21",
	    "http:0",
	    "http:65536",
	    "http:80-70",
	    "http:x",
	    "http:",
	    "http:1.2.3:80",
	    "http:2001:db8::1:80",
	    "http:[2001:db8::1",
	    "http:1.2.3.4/33:80",
	    "http:80,body",
	    "http:80,body=-1",
	    "http:80,bodyy=1",
	    "http:80,root=/,body=1",
	    "http:80,head=1",
	    "echo:7,body=1",
	    "echo:7,mss=1",
	    "echo:7,cc",
	    "source,bytes=99999999999999999999",
	};
	struct rnl_service s;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rnl_error err = {0};

		if (rnl_service_parse(bad[i], &s, &err) == 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_true(strlen(err.text) > 10);
		assert_null(strchr(err.text, '\n'));
		assert_null(s.config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(echo__consumes_what_it_sent),
	    cmocka_unit_test(sink__takes_everything),
	    cmocka_unit_test(source__makes_the_pattern),
	    cmocka_unit_test(service__grammar),
	    cmocka_unit_test(service__refuses_in_one_line),
	};

	if (paper_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("engines", tests, NULL, NULL);
}
