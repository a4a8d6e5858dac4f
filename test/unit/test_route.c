/* SPDX-License-Identifier: BSD-3-Clause */
/* stack/route: own addresses, on-link prefixes, gateways, and the source address of a destination.
 */
#include "env.h"

#include <errno.h>

#include "stack/route.h"
#include "wire/ip.h"

static struct rnl_routes r;

static int setup(void **state)
{
	rnl_route_init(&r);
	return 0;
}

static struct rnl_addr addr(const char *text)
{
	struct rnl_addr a;

	assert_int_equal(rnl_addr_parse(text, &a), 0);
	return a;
}

static int own(unsigned int port, const char *text, unsigned int len)
{
	const struct rnl_addr a = addr(text);

	return rnl_route_add_address(&r, port, &a, len);
}

static int via(const char *prefix, unsigned int len, const char *gateway)
{
	const struct rnl_addr p = addr(prefix), g = addr(gateway);

	return rnl_route_add_gateway(&r, &p, len, &g);
}

static void expect_route(const char *dst, unsigned int port, const char *hop, const char *src)
{
	const struct rnl_addr d = addr(dst);
	struct rnl_addr h, s;
	char text[RNL_ADDR_STRLEN];
	unsigned int p;

	assert_int_equal(rnl_route_find(&r, &d, &p, &h, &s), 0);
	assert_int_equal(p, port);
	assert_string_equal(rnl_addr_format(&h, text), hop);
	assert_string_equal(rnl_addr_format(&s, text), src);
	assert_int_equal(rnl_route_find(&r, &d, NULL, NULL, NULL), 0);
}

static void expect_none(const char *dst)
{
	const struct rnl_addr d = addr(dst);

	assert_int_equal(rnl_route_find(&r, &d, NULL, NULL, NULL), -ENETUNREACH);
}

static bool broadcast(const char *text)
{
	const struct rnl_addr a = addr(text);

	return rnl_route_is_broadcast(&r, &a);
}

static int local_port(const char *text)
{
	const struct rnl_addr a = addr(text);

	assert_int_equal(rnl_route_is_local(&r, &a), rnl_route_local_port(&r, &a) >= 0);
	return rnl_route_local_port(&r, &a);
}

static void route__empty_reaches_nothing(void **state)
{
	expect_none("10.0.0.1");
	expect_none("2001:db8::1");
	assert_int_equal(local_port("10.0.0.1"), -1);
	assert_false(broadcast("10.0.0.255"));
}

static void route__address_makes_its_prefix_on_link(void **state)
{
	assert_int_equal(own(3, "10.1.2.3", 24), 0);
	assert_int_equal(local_port("10.1.2.3"), 3);
	assert_int_equal(local_port("10.1.2.4"), -1);
	expect_route("10.1.2.4", 3, "10.1.2.4", "10.1.2.3");
	expect_none("10.1.3.4");
	expect_none("::a01:204"); /* not the IPv4 address */
	expect_none("10.1.2.3");  /* ourselves */
}

static void route__gateways_by_longest_prefix(void **state)
{
	assert_int_equal(own(0, "10.0.0.1", 24), 0);
	assert_int_equal(own(1, "192.168.0.1", 16), 0);
	assert_int_equal(via("0.0.0.0", 0, "10.0.0.254"), 0);
	assert_int_equal(via("172.16.0.0", 12, "192.168.9.9"), 0);
	assert_int_equal(via("172.16.5.0", 24, "10.0.0.253"), 0);
	expect_route("8.8.8.8", 0, "10.0.0.254", "10.0.0.1");
	expect_route("172.17.0.1", 1, "192.168.9.9", "192.168.0.1");
	expect_route("172.16.5.77", 0, "10.0.0.253", "10.0.0.1");
	expect_route("10.0.0.77", 0, "10.0.0.77", "10.0.0.1");
	expect_none("2001:db8::1"); /* the default route is IPv4's */
}

static void route__order_of_adding_does_not_matter(void **state)
{
	assert_int_equal(own(0, "10.0.0.1", 8), 0);
	assert_int_equal(via("10.9.0.0", 16, "10.0.0.2"), 0);
	assert_int_equal(own(1, "10.9.9.1", 24), 0);
	/* On link beats a gateway of the same prefix. */
	assert_int_equal(via("10.8.0.0", 16, "10.0.0.3"), 0);
	assert_int_equal(own(2, "10.8.0.1", 16), 0);
	expect_route("10.9.9.7", 1, "10.9.9.7", "10.9.9.1");
	expect_route("10.9.8.7", 0, "10.0.0.2", "10.0.0.1");
	expect_route("10.8.1.1", 2, "10.8.1.1", "10.8.0.1");
	expect_route("10.7.1.1", 0, "10.7.1.1", "10.0.0.1");
}

static void route__ipv6_is_the_same(void **state)
{
	assert_int_equal(own(0, "2001:db8:1::1", 64), 0);
	assert_int_equal(own(0, "10.0.0.1", 24), 0);
	assert_int_equal(via("::", 0, "2001:db8:1::fe"), 0);
	assert_int_equal(via("2001:db8:2::", 48, "2001:db8:1::fd"), 0);
	expect_route("2001:db8:1::2", 0, "2001:db8:1::2", "2001:db8:1::1");
	expect_route("2001:db8:2:7::2", 0, "2001:db8:1::fd", "2001:db8:1::1");
	expect_route("2a00::1", 0, "2001:db8:1::fe", "2001:db8:1::1");
	expect_none("8.8.8.8"); /* and IPv6's default is not IPv4's */
	assert_false(broadcast("2001:db8:1:0:ffff:ffff:ffff:ffff"));
}

static void route__second_address_of_a_prefix(void **state)
{
	assert_int_equal(own(0, "10.0.0.1", 24), 0);
	assert_int_equal(own(0, "10.0.0.2", 24), 0);
	assert_int_equal(r.routes, 1);
	assert_int_equal(local_port("10.0.0.2"), 0);
	expect_route("10.0.0.3", 0, "10.0.0.3", "10.0.0.1");
	assert_int_equal(own(1, "10.0.0.2", 24), -EEXIST);
	assert_int_equal(own(1, "10.0.0.9", 24), 0); /* the same prefix on another port */
	expect_route("10.0.0.3", 0, "10.0.0.3", "10.0.0.1");
}

static void route__refuses_bad_addresses(void **state)
{
	assert_int_equal(own(0, "0.0.0.0", 8), -EINVAL);
	assert_int_equal(own(0, "127.0.0.1", 8), -EINVAL);
	assert_int_equal(own(0, "224.0.0.1", 8), -EINVAL);
	assert_int_equal(own(0, "255.255.255.255", 32), -EINVAL);
	assert_int_equal(own(0, "10.0.0.1", 0), -EINVAL);
	assert_int_equal(own(0, "10.0.0.1", 33), -EINVAL);
	assert_int_equal(own(0, "10.0.0.0", 24), -EINVAL);
	assert_int_equal(own(0, "10.0.0.255", 24), -EINVAL);
	assert_int_equal(own(0, "ff02::1", 64), -EINVAL);
	assert_int_equal(own(0, "::1", 64), -EINVAL);
	assert_int_equal(own(0, "2001:db8::1", 129), -EINVAL);
	assert_int_equal(own(0, "2001:db8::1", UINT32_MAX), -EINVAL);
	assert_int_equal(r.addrs, 0);
	assert_int_equal(r.routes, 0);
}

static void route__point_to_point_prefixes(void **state)
{
	assert_int_equal(own(0, "10.0.0.0", 31), 0); /* RFC 3021 */
	expect_route("10.0.0.1", 0, "10.0.0.1", "10.0.0.0");
	assert_int_equal(own(0, "10.0.1.0", 32), 0);
	assert_int_equal(r.routes, 1);
	assert_false(broadcast("10.0.0.1"));
	assert_false(broadcast("10.0.1.0"));
	assert_int_equal(own(0, "2001:db8::", 127), 0);
}

static void route__refuses_bad_gateways(void **state)
{
	assert_int_equal(own(0, "10.0.0.1", 24), 0);
	assert_int_equal(own(0, "2001:db8::1", 64), 0);
	assert_int_equal(via("0.0.0.0", 0, "10.0.1.1"), -ENETUNREACH);
	assert_int_equal(via("0.0.0.0", 0, "10.0.0.1"), -EINVAL);
	assert_int_equal(via("0.0.0.0", 0, "224.0.0.1"), -EINVAL);
	assert_int_equal(via("10.9.0.1", 16, "10.0.0.2"), -EINVAL);
	assert_int_equal(via("10.9.0.0", 33, "10.0.0.2"), -EINVAL);
	assert_int_equal(via("10.9.0.0", 16, "2001:db8::2"), -EINVAL);
	assert_int_equal(via("2001:db8:9::", 48, "10.0.0.2"), -EINVAL);
	assert_int_equal(via("1.0.0.0", 0, "10.0.0.2"), -EINVAL);
	assert_int_equal(via("0.0.0.0", 0, "10.0.0.2"), 0);
	assert_int_equal(via("::", 0, "10.0.0.3"), -EEXIST);
	/* A gateway behind a gateway is not on link. */
	assert_int_equal(via("10.9.0.0", 16, "10.8.0.1"), -ENETUNREACH);
}

static void route__directed_broadcast(void **state)
{
	assert_int_equal(own(0, "10.0.0.1", 24), 0);
	assert_int_equal(own(1, "172.16.0.1", 20), 0);
	assert_true(broadcast("10.0.0.255"));
	assert_true(broadcast("172.16.15.255"));
	assert_false(broadcast("172.16.14.255"));
	assert_false(broadcast("10.0.0.254"));
	assert_false(broadcast("10.0.1.255"));
	assert_false(broadcast("255.255.255.255"));
}

static void route__on_link_and_source_per_port(void **state)
{
	struct rnl_addr a, src, want;

	assert_int_equal(own(0, "10.0.0.1", 24), 0);
	assert_int_equal(own(0, "10.0.5.1", 24), 0);
	assert_int_equal(own(1, "2001:db8::1", 64), 0);
	a = addr("10.0.5.9");
	assert_true(rnl_route_on_link(&r, 0, &a));
	assert_false(rnl_route_on_link(&r, 1, &a));
	assert_int_equal(rnl_route_source(&r, 0, &a, &src), 0);
	want = addr("10.0.5.1");
	assert_true(rnl_addr_equal(&src, &want));
	assert_int_equal(rnl_route_source(&r, 1, &a, &src), -EADDRNOTAVAIL);
	a = addr("10.99.0.1"); /* off link: any of the family */
	assert_false(rnl_route_on_link(&r, 0, &a));
	assert_int_equal(rnl_route_source(&r, 0, &a, &src), 0);
	want = addr("10.0.0.1");
	assert_true(rnl_addr_equal(&src, &want));
	a = addr("2001:db8::7");
	assert_int_equal(rnl_route_source(&r, 0, &a, &src), -EADDRNOTAVAIL);
	assert_int_equal(rnl_route_source(&r, 1, &a, &src), 0);
}

static void route__takes_1024_addresses(void **state)
{
	struct rnl_addr a;

	for (unsigned int i = 0; i < RNL_ROUTE_ADDR_MAX; i++) {
		a = rnl_addr_v4(10, 1, (uint8_t)(1 + i / 200), (uint8_t)(1 + i % 200));
		assert_int_equal(rnl_route_add_address(&r, 0, &a, 16), 0);
		assert_int_equal(rnl_route_add_address(&r, 0, &a, 16), -EEXIST);
	}
	a = rnl_addr_v4(10, 1, 250, 1);
	assert_int_equal(rnl_route_add_address(&r, 0, &a, 16), -ENOSPC);
	for (unsigned int i = 0; i < 65536; i++) {
		unsigned int n = (i >> 8) * 200 + (i & 255) - 201;
		bool ours =
		    (i >> 8) >= 1 && (i & 255) >= 1 && (i & 255) <= 200 && n < RNL_ROUTE_ADDR_MAX;

		a = rnl_addr_v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);
		assert_int_equal(rnl_route_is_local(&r, &a), ours);
	}
}

static void route__takes_64_routes(void **state)
{
	struct rnl_addr p, g = addr("10.0.0.2");

	assert_int_equal(own(0, "10.0.0.1", 24), 0);
	for (unsigned int i = 1; i < RNL_ROUTE_MAX; i++) {
		p = rnl_addr_v4(20, (uint8_t)i, 0, 0);
		assert_int_equal(rnl_route_add_gateway(&r, &p, 16, &g), 0);
	}
	p = rnl_addr_v4(30, 0, 0, 0);
	assert_int_equal(rnl_route_add_gateway(&r, &p, 16, &g), -ENOSPC);
	assert_int_equal(own(0, "11.0.0.1", 24), -ENOSPC);
	assert_int_equal(local_port("11.0.0.1"), -1);
	assert_int_equal(own(0, "10.0.0.3", 24), 0); /* needs no new route */
	expect_route("20.63.1.1", 0, "10.0.0.2", "10.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(route__empty_reaches_nothing, setup),
	    cmocka_unit_test_setup(route__address_makes_its_prefix_on_link, setup),
	    cmocka_unit_test_setup(route__gateways_by_longest_prefix, setup),
	    cmocka_unit_test_setup(route__order_of_adding_does_not_matter, setup),
	    cmocka_unit_test_setup(route__ipv6_is_the_same, setup),
	    cmocka_unit_test_setup(route__second_address_of_a_prefix, setup),
	    cmocka_unit_test_setup(route__refuses_bad_addresses, setup),
	    cmocka_unit_test_setup(route__point_to_point_prefixes, setup),
	    cmocka_unit_test_setup(route__refuses_bad_gateways, setup),
	    cmocka_unit_test_setup(route__directed_broadcast, setup),
	    cmocka_unit_test_setup(route__on_link_and_source_per_port, setup),
	    cmocka_unit_test_setup(route__takes_1024_addresses, setup),
	    cmocka_unit_test_setup(route__takes_64_routes, setup),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
