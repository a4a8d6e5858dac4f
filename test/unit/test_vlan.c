/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stack/receive: which VLAN a port hears, whoever took the tag off. ARP requests (RFC 826) are
 * answered if they are in the port's VLAN; a tag that is only a priority is none.
 */
#include "pair.h"

#include "runnel.h"
#include "wire/eth.h"

static struct rnl_stack *st;
static struct rte_mbuf *in[8], *out[64];
static unsigned int in_n, out_n;
static uint64_t now_ns;

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};

static uint16_t rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	n = (uint16_t)RTE_MIN(n, in_n);
	memcpy(m, in, n * sizeof(*m));
	in_n -= n;
	return n;
}

static uint16_t tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	n = (uint16_t)RTE_MIN(n, RTE_DIM(out) - out_n);
	memcpy(out + out_n, m, n * sizeof(*m));
	out_n += n;
	return n;
}

static const struct rnl_port_ops ops = {.rx = rx, .tx = tx};

static void silence(void)
{
	rte_pktmbuf_free_bulk(out, out_n);
	out_n = 0;
}

static void poll_for(uint64_t ns)
{
	rnl_poll(st, now_ns += ns);
}

static void open_stack(uint16_t vlan)
{
	struct rnl_stack_config c = pair_stack_config(1);
	struct rnl_port p = {.size = sizeof(p), .ops = &ops, .vlan = vlan};
	struct rnl_addr a = rnl_addr_v4(192, 0, 2, 1);
	struct rnl_error err;

	now_ns = c.now_ns;
	memcpy(p.mac, own_mac, 6);
	assert_int_equal(rnl_stack_create(&c, &st, &err), 0);
	assert_int_equal(rnl_port_add(st, &p, &err), 0);
	assert_int_equal(rnl_addr_add(st, 0, &a, 24, &err), 0);
	for (unsigned int i = 0; i < 100; i++)
		poll_for(PAIR_S / 10);
	silence();
}

static int teardown(void **state)
{
	assert_int_equal(rnl_stack_destroy(st), 0);
	silence();
	return rnl_test_no_leak(state);
}

/* A request with this tag in the frame, or stripped by the device; -1: none. @return replies. */
static unsigned int ask(int tag, int stripped)
{
	static const uint8_t request[28] = {0,   1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0, 0, 2,
	                                    192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
	uint8_t p[60] = {0};
	uint32_t l3 = 14;

	rnl_eth_write(p, own_mac, peer_mac, 0, RNL_ETHERTYPE_ARP);
	if (tag >= 0) {
		l3 = 18;
		memmove(p + 16, p + 12, 2);
		p[12] = 0x81;
		p[13] = 0;
		p[14] = (uint8_t)(tag >> 8);
		p[15] = (uint8_t)tag;
	}
	memcpy(p + l3, request, sizeof(request));
	in[0] = rnl_test_mbuf(p, sizeof(p));
	if (stripped >= 0) {
		in[0]->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		in[0]->vlan_tci = (uint16_t)stripped;
	}
	in_n = 1;
	silence();
	poll_for(PAIR_S);
	return out_n;
}

/* The reply's tag, 0: none. */
static unsigned int reply_tag(void)
{
	const uint8_t *p = rte_pktmbuf_mtod(out[0], const uint8_t *);

	return p[12] == 0x81 && p[13] == 0 ? (unsigned int)(p[14] << 8 | p[15]) : 0;
}

static void vlan__none(void **state)
{
	open_stack(0);
	assert_int_equal(ask(-1, -1), 1);
	assert_int_equal(reply_tag(), 0);
	assert_int_equal(ask(0xe000, -1), 1); /* priority 7, identifier 0 */
	assert_int_equal(reply_tag(), 0);
	assert_int_equal(ask(-1, 0xe000), 1);
	assert_int_equal(ask(7, -1), 0);
	assert_int_equal(ask(-1, 7), 0);
}

static void vlan__one(void **state)
{
	open_stack(7);
	assert_int_equal(ask(7, -1), 1);
	assert_int_equal(reply_tag(), 7);
	assert_int_equal(ask(0xa007, -1), 1);
	assert_int_equal(ask(-1, 7), 1);
	assert_int_equal(reply_tag(), 7);
	assert_int_equal(ask(-1, 0x6007), 1);
	assert_int_equal(ask(-1, -1), 0);
	assert_int_equal(ask(0xe000, -1), 0);
	assert_int_equal(ask(-1, 0), 0);
	assert_int_equal(ask(8, -1), 0);
	assert_int_equal(ask(-1, 8), 0);
	assert_int_equal(ask(7, 8), 0); /* two tags: the outer one decides */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(vlan__none, teardown),
	    cmocka_unit_test_teardown(vlan__one, teardown),
	};

	return cmocka_run_group_tests(tests, rnl_test_group_setup, NULL);
}
