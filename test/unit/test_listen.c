/* SPDX-License-Identifier: BSD-3-Clause */
/* stack/listen: which listener gets a SYN, by rule and against a plain search over random sets. */
#include "env.h"

#include <errno.h>

#include <rte_common.h>

#include "base/prng.h"
#include "stack/listen.h"
#include "wire/ip.h"

struct world {
	struct rnl_listeners ls;
	struct rnl_listener mem[RNL_LISTEN_MAX];
};

static struct world w;

static int setup(void **state)
{
	memset(&w, 0, sizeof(w));
	assert_int_equal(rnl_listen_bytes(), sizeof(w.mem));
	rnl_listen_init(&w.ls, w.mem);
	return 0;
}

static struct rnl_addr addr(const char *text)
{
	struct rnl_addr a = {0};

	if (text != NULL)
		assert_int_equal(rnl_addr_parse(text, &a), 0);
	return a;
}

static int add(const char *text, uint8_t len, uint16_t first, uint16_t last, rnl_listener_t *out)
{
	const struct rnl_listen_config cfg = {.size = sizeof(cfg),
	                                      .addr = addr(text),
	                                      .prefix_len = len,
	                                      .port_first = first,
	                                      .port_last = last};

	return rnl_listen_add(&w.ls, &cfg, 1, out);
}

static rnl_listener_t must_add(const char *text, uint8_t len, uint16_t first, uint16_t last)
{
	rnl_listener_t id = 0;

	assert_int_equal(add(text, len, first, last, &id), 0);
	assert_int_not_equal(id, 0);
	return id;
}

static rnl_listener_t find(const char *text, uint16_t port)
{
	const struct rnl_addr a = addr(text);
	const struct rnl_listener *l = rnl_listen_find(&w.ls, &a, port);

	return l != NULL ? l->id : 0;
}

static void listen__empty_finds_nothing(void **state)
{
	assert_int_equal(find("10.0.0.1", 80), 0);
	assert_null(rnl_listen_next(&w.ls, NULL));
	assert_null(rnl_listen_get(&w.ls, 0));
}

static void listen__keeps_what_it_was_given(void **state)
{
	int ctx;
	const struct rnl_listen_config cfg = {.addr = addr("10.1.0.0"),
	                                      .prefix_len = 16,
	                                      .port_first = 80,
	                                      .backlog = 7,
	                                      .ctx = &ctx};
	rnl_listener_t id, dflt = must_add(NULL, 0, 81, 0);
	const struct rnl_listener *l;

	assert_int_equal(rnl_listen_add(&w.ls, &cfg, 42, &id), 0);
	l = rnl_listen_get(&w.ls, id);
	assert_int_equal(l->backlog, 7);
	assert_int_equal(l->policy, 42);
	assert_ptr_equal(l->ctx, &ctx);
	assert_int_equal(l->prefix_len, 112);
	assert_int_equal(l->port_first, 80);
	assert_int_equal(l->port_last, 80);
	assert_int_equal(l->half_open, 0);
	assert_int_equal(rnl_listen_get(&w.ls, dflt)->backlog, 1024);
}

static void listen__longest_prefix_wins(void **state)
{
	rnl_listener_t any = must_add(NULL, 0, 80, 0);
	rnl_listener_t host = must_add("10.1.2.3", 32, 80, 0);
	rnl_listener_t net16 = must_add("10.1.0.0", 16, 80, 0);
	rnl_listener_t net24 = must_add("10.1.2.0", 24, 80, 0);

	assert_int_equal(find("10.1.2.3", 80), host);
	assert_int_equal(find("10.1.2.4", 80), net24);
	assert_int_equal(find("10.1.3.4", 80), net16);
	assert_int_equal(find("10.2.3.4", 80), any);
	assert_int_equal(find("10.1.2.3", 81), 0);
}

static void listen__narrowest_range_wins(void **state)
{
	rnl_listener_t all = must_add(NULL, 0, 0, 0);
	rnl_listener_t wide = must_add(NULL, 0, 1000, 2000);
	rnl_listener_t narrow = must_add(NULL, 0, 1500, 1600);
	rnl_listener_t one = must_add(NULL, 0, 1550, 1550);

	assert_int_equal(find("10.0.0.1", 1550), one);
	assert_int_equal(find("10.0.0.1", 1551), narrow);
	assert_int_equal(find("10.0.0.1", 1600), narrow);
	assert_int_equal(find("10.0.0.1", 1601), wide);
	assert_int_equal(find("10.0.0.1", 1499), wide);
	assert_int_equal(find("10.0.0.1", 2001), all);
	assert_int_equal(find("10.0.0.1", 65535), all);
	assert_int_equal(find("10.0.0.1", 1), all);
}

static void listen__prefix_beats_range(void **state)
{
	rnl_listener_t one = must_add(NULL, 0, 80, 0);
	rnl_listener_t net = must_add("10.0.0.0", 8, 0, 0);

	assert_int_equal(find("10.0.0.1", 80), net);
	assert_int_equal(find("11.0.0.1", 80), one);
}

static void listen__first_of_equals_wins(void **state)
{
	rnl_listener_t first = must_add(NULL, 0, 100, 200);
	rnl_listener_t second = must_add(NULL, 0, 150, 250);

	assert_int_equal(find("10.0.0.1", 150), first);
	assert_int_equal(find("10.0.0.1", 201), second);
}

static void listen__families(void **state)
{
	rnl_listener_t any = must_add("0.0.0.0", 0, 80, 0);
	rnl_listener_t v6 = must_add("2001:db8::", 32, 80, 0);
	rnl_listener_t one6 = must_add("2001:db8::1", 128, 80, 0);

	assert_int_equal(find("2001:db8::1", 80), one6);
	assert_int_equal(find("2001:db8::2", 80), v6);
	assert_int_equal(find("2001:db9::2", 80), any);
	assert_int_equal(find("10.0.0.1", 80), any);
	/* 0.0.0.0/0 and ::/0 are the same thing. */
	assert_int_equal(add("::", 0, 80, 0, &any), -EADDRINUSE);
}

static void listen__refuses_what_makes_no_sense(void **state)
{
	rnl_listener_t id = 77;

	assert_int_equal(add("10.0.0.1", 33, 80, 0, &id), -EINVAL);
	assert_int_equal(add("2001:db8::1", 129, 80, 0, &id), -EINVAL);
	assert_int_equal(add("10.0.0.1", 24, 80, 0, &id), -EINVAL);
	assert_int_equal(add("10.0.0.1", 0, 80, 0, &id), -EINVAL);
	assert_int_equal(add("2001:db8::1", 64, 80, 0, &id), -EINVAL);
	assert_int_equal(add(NULL, 0, 81, 80, &id), -EINVAL);
	assert_int_equal(add(NULL, 0, 0, 80, &id), -EINVAL);
	assert_int_equal(id, 77);
	assert_int_equal(w.ls.count, 0);
}

static void listen__same_place_is_taken(void **state)
{
	rnl_listener_t id, a = must_add("10.0.0.0", 8, 80, 90);

	assert_int_equal(add("10.0.0.0", 8, 80, 90, &id), -EADDRINUSE);
	must_add("10.0.0.0", 8, 80, 91);
	must_add("10.0.0.0", 9, 80, 90);
	must_add("11.0.0.0", 8, 80, 90);
	assert_int_equal(rnl_listen_remove(&w.ls, a), 0);
	must_add("10.0.0.0", 8, 80, 90);
}

static void listen__ids_go_stale(void **state)
{
	rnl_listener_t a = must_add(NULL, 0, 80, 0), b;

	assert_non_null(rnl_listen_get(&w.ls, a));
	assert_int_equal(rnl_listen_remove(&w.ls, a), 0);
	assert_int_equal(rnl_listen_remove(&w.ls, a), -ENOENT);
	assert_null(rnl_listen_get(&w.ls, a));
	assert_int_equal(find("10.0.0.1", 80), 0);
	b = must_add(NULL, 0, 80, 0); /* the same slot */
	assert_int_not_equal(a, b);
	assert_int_equal(a % RNL_LISTEN_MAX, b % RNL_LISTEN_MAX);
	assert_null(rnl_listen_get(&w.ls, a));
	assert_int_equal(rnl_listen_remove(&w.ls, a), -ENOENT);
	assert_int_equal(rnl_listen_remove(&w.ls, 0), -ENOENT);
	assert_int_equal(find("10.0.0.1", 80), b);
}

static void listen__generation_wraps_past_zero(void **state)
{
	rnl_listener_t a = must_add(NULL, 0, 80, 0);

	assert_int_equal(rnl_listen_remove(&w.ls, a), 0);
	w.mem[0].gen = (1u << 22) - 1;
	a = must_add(NULL, 0, 80, 0);
	assert_int_equal(a >> 10, 1);
}

static void listen__takes_1024(void **state)
{
	rnl_listener_t id, last = 0;
	unsigned int n = 0;

	for (uint16_t i = 0; i < RNL_LISTEN_MAX; i++)
		last = must_add(NULL, 0, (uint16_t)(1 + i * 7 % 4096), 0);
	assert_int_equal(add(NULL, 0, 60000, 0, &id), -ENOSPC);
	for (uint16_t i = 0; i < RNL_LISTEN_MAX; i++)
		assert_int_not_equal(find("10.0.0.1", (uint16_t)(1 + i * 7 % 4096)), 0);
	for (const struct rnl_listener *l = rnl_listen_next(&w.ls, NULL); l != NULL;
	     l = rnl_listen_next(&w.ls, l))
		n++;
	assert_int_equal(n, RNL_LISTEN_MAX);
	assert_int_equal(rnl_listen_remove(&w.ls, last), 0);
	must_add(NULL, 0, 60000, 0);
}

/* ---- random sets ---------------------------------------------------------------------------- */

static unsigned int width(const struct rnl_listener *l)
{
	return (unsigned int)(l->port_last - l->port_first);
}

/* The best by the documented order; of equals the earliest, which the test's own order tells. */
static rnl_listener_t naive(const rnl_listener_t *order, unsigned int n, const struct rnl_addr *a,
                            uint16_t port)
{
	const struct rnl_listener *best = NULL;

	for (unsigned int i = 0; i < n; i++) {
		const struct rnl_listener *l = rnl_listen_get(&w.ls, order[i]);

		if (port < l->port_first || port > l->port_last ||
		    !rnl_addr_prefix_match(&l->addr, a, l->prefix_len))
			continue;
		if (best == NULL || l->prefix_len > best->prefix_len ||
		    (l->prefix_len == best->prefix_len && width(l) < width(best)))
			best = l;
	}
	return best != NULL ? best->id : 0;
}

static void random_config(struct rnl_prng *rng, struct rnl_listen_config *cfg)
{
	static const uint8_t lens[] = {0, 0, 24, 30, 32};

	memset(cfg, 0, sizeof(*cfg));
	cfg->prefix_len = lens[rnl_prng_below(rng, RTE_DIM(lens))];
	if (cfg->prefix_len != 0)
		cfg->addr = rnl_addr_v4(10, 0, 0,
		                        cfg->prefix_len == 24   ? 0
		                        : cfg->prefix_len == 30 ? 4
		                                                : (uint8_t)rnl_prng_below(rng, 8));
	/* Ports whose low ten bits meet. */
	cfg->port_first = (uint16_t)(rnl_prng_below(rng, 6) + 1024 * rnl_prng_below(rng, 2));
	if (cfg->port_first != 0 && rnl_prng_below(rng, 2))
		cfg->port_last = (uint16_t)(cfg->port_first + rnl_prng_below(rng, 1030));
}

static void listen__random_sets_agree_with_a_search(void **state)
{
	rnl_listener_t order[60];
	unsigned int n;
	struct rnl_prng rng;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		rnl_prng_seed(&rng, seed);
		setup(NULL);
		n = 0;
		for (unsigned int i = 0; i < 400; i++) {
			struct rnl_addr a = rnl_addr_v4(10, 0, (uint8_t)rnl_prng_below(&rng, 2),
			                                (uint8_t)rnl_prng_below(&rng, 8));
			uint16_t port =
			    (uint16_t)(rnl_prng_below(&rng, 6) + 1024 * rnl_prng_below(&rng, 3));
			const struct rnl_listener *l;
			struct rnl_listen_config cfg;

			if (n == RTE_DIM(order) || (n > 0 && rnl_prng_below(&rng, 3) == 0)) {
				unsigned int victim = rnl_prng_below(&rng, n);

				assert_int_equal(rnl_listen_remove(&w.ls, order[victim]), 0);
				memmove(&order[victim], &order[victim + 1],
				        (--n - victim) * sizeof(order[0]));
			} else {
				random_config(&rng, &cfg);
				if (rnl_listen_add(&w.ls, &cfg, 0, &order[n]) == 0)
					n++;
			}
			assert_int_equal(w.ls.count, n);
			l = rnl_listen_find(&w.ls, &a, port);
			assert_int_equal(l != NULL ? l->id : 0, naive(order, n, &a, port));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(listen__empty_finds_nothing, setup),
	    cmocka_unit_test_setup(listen__keeps_what_it_was_given, setup),
	    cmocka_unit_test_setup(listen__longest_prefix_wins, setup),
	    cmocka_unit_test_setup(listen__narrowest_range_wins, setup),
	    cmocka_unit_test_setup(listen__prefix_beats_range, setup),
	    cmocka_unit_test_setup(listen__first_of_equals_wins, setup),
	    cmocka_unit_test_setup(listen__families, setup),
	    cmocka_unit_test_setup(listen__refuses_what_makes_no_sense, setup),
	    cmocka_unit_test_setup(listen__same_place_is_taken, setup),
	    cmocka_unit_test_setup(listen__ids_go_stale, setup),
	    cmocka_unit_test_setup(listen__generation_wraps_past_zero, setup),
	    cmocka_unit_test_setup(listen__takes_1024, setup),
	    cmocka_unit_test_setup(listen__random_sets_agree_with_a_search, setup),
	};

	return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
