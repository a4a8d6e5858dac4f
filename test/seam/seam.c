/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam's world: EAL, pools, the stack with one port of bare IP, the clock, packets in and out.
 * Sockets are in sock.c.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "seam_pvt.h"

#define SEC_NS UINT64_C(1000000000)
/* Polls at one instant before the stack counts as one that never comes to rest. */
#define SETTLE_MAX 4096

int rnl_seam_eal_init(const char *program, unsigned int megabytes)
{
	char name[64], lcores[32], mem[16];
	int cpu = sched_getcpu();

	snprintf(name, sizeof(name), "%s", program);
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", cpu < 0 ? 0 : cpu);
	snprintf(mem, sizeof(mem), "%u", megabytes);

	char no_huge[] = "--no-huge", no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry";
	char no_shconf[] = "--no-shconf", log[] = "--log-level=lib.*:error", m[] = "-m";
	char *argv[] = {name, lcores, no_huge, no_pci, no_telemetry, no_shconf, log, m, mem, NULL};

	return rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0 ? -rte_errno : 0;
}

static uint64_t real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SEC_NS + (uint64_t)ts.tv_nsec;
}

uint64_t rnl_seam_now(const struct rnl_seam *s)
{
	return s->clock == RNL_SEAM_REAL ? real_now() : s->now_ns;
}

/* ---- port -------------------------------------------------------------------------------------
 */

/* Packets come in through rnl_input(). */
static uint16_t port_rx(void *port, struct rte_mbuf **m, uint16_t n)
{
	return 0;
}

static void keep_packet(struct rnl_seam *s, struct rte_mbuf *m)
{
	struct out_packet *p = malloc(sizeof(*p) + m->pkt_len);
	const void *at;

	if (p == NULL)
		abort();
	p->next = NULL;
	p->time_ns = s->now_ns;
	p->len = m->pkt_len;
	at = rte_pktmbuf_read(m, 0, m->pkt_len, p->data);
	if (at != p->data)
		memcpy(p->data, at, m->pkt_len);
	if (s->out_tail == NULL)
		s->out_head = p;
	else
		s->out_tail->next = p;
	s->out_tail = p;
	s->out_count++;
	rte_pktmbuf_free(m);
}

static uint16_t port_tx(void *port, struct rte_mbuf **m, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		keep_packet(port, m[i]);
	return n;
}

static const struct rnl_port_ops port_ops = {.rx = port_rx, .tx = port_tx};

/* ---- life -------------------------------------------------------------------------------------
 */

static int make_pools(struct rnl_seam *s, unsigned int bufs)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "seam_p%lx", (unsigned long)(uintptr_t)s);
	s->pkt_pool =
	    rte_pktmbuf_pool_create(name, bufs, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	snprintf(name, sizeof(name), "seam_h%lx", (unsigned long)(uintptr_t)s);
	s->hdr_pool = rte_pktmbuf_pool_create(name, 2 * bufs, 0, 0, RTE_PKTMBUF_HEADROOM + 256,
	                                      SOCKET_ID_ANY);
	return s->pkt_pool == NULL || s->hdr_pool == NULL ? -ENOMEM : 0;
}

static void fill_secrets(struct rnl_secrets *sec)
{
	static const struct rnl_secrets unset;

	if (memcmp(sec, &unset, sizeof(unset)) != 0)
		return;
	for (unsigned int i = 0; i < sizeof(*sec); i++)
		((uint8_t *)sec)[i] = (uint8_t)(i * 37 + 11);
}

static int make_stack(struct rnl_seam *s, const struct rnl_seam_config *cfg, struct rnl_error *err)
{
	struct rnl_stack_config sc = cfg->stack;
	struct rnl_port port = {.size = sizeof(port),
	                        .ops = &port_ops,
	                        .ctx = s,
	                        .mtu = cfg->mtu,
	                        .caps = RNL_CAP_RAW_IP};
	static const struct rnl_addr unset;
	struct rnl_addr ip4 = cfg->ip4, ip6 = cfg->ip6;
	int rc;

	if (memcmp(&ip4, &unset, sizeof(ip4)) == 0)
		ip4 = rnl_addr_v4(192, 0, 2, 1);
	if (memcmp(&ip6, &unset, sizeof(ip6)) == 0)
		rnl_addr_parse("2001:db8::1", &ip6);
	sc.size = sizeof(sc);
	sc.socket_id = -1;
	if (sc.max_conns == 0)
		sc.max_conns = 256;
	sc.pkt_pool = s->pkt_pool;
	sc.hdr_pool = s->hdr_pool;
	fill_secrets(&sc.secrets);
	rc = rnl_stack_create(&sc, &s->stack, err);
	if (rc < 0)
		return rc;
	rc = rnl_port_add(s->stack, &port, err);
	if (rc < 0)
		return rc;
	s->port = (unsigned int)rc;
	rc = rnl_addr_add(s->stack, s->port, &ip4, 24, err);
	if (rc < 0)
		return rc;
	return rnl_addr_add(s->stack, s->port, &ip6, 64, err);
}

int rnl_seam_create(const struct rnl_seam_config *cfg, struct rnl_seam **out, struct rnl_error *err)
{
	struct rnl_seam *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return -ENOMEM;
	s->clock = cfg->clock;
	s->now_ns = cfg->clock == RNL_SEAM_REAL ? real_now() : cfg->start_ns;
	if (s->now_ns == 0)
		s->now_ns = 1000 * SEC_NS;
	rc = make_pools(s, cfg->bufs != 0 ? cfg->bufs : 2048);
	if (rc < 0)
		snprintf(err->text, sizeof(err->text),
		         "no memory for %u packet buffers: give rnl_seam_eal_init() more megabytes",
		         cfg->bufs != 0 ? cfg->bufs : 2048);
	if (rc == 0)
		rc = make_stack(s, cfg, err);
	if (rc == 0)
		rc = rnl_seam_settle(s);
	if (rc < 0) {
		rnl_seam_destroy(s);
		return rc;
	}
	*out = s;
	return 0;
}

unsigned int rnl_seam_destroy(struct rnl_seam *s)
{
	unsigned int lost = 0;

	if (s->stack != NULL)
		rnl_stack_destroy(s->stack);
	for (struct out_packet *p = s->out_head, *next; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	if (s->pkt_pool != NULL)
		lost += rte_mempool_in_use_count(s->pkt_pool);
	if (s->hdr_pool != NULL)
		lost += rte_mempool_in_use_count(s->hdr_pool);
	rte_mempool_free(s->pkt_pool);
	rte_mempool_free(s->hdr_pool);
	free(s);
	return lost;
}

struct rnl_stack *rnl_seam_stack(struct rnl_seam *s)
{
	return s->stack;
}

/* ---- time -------------------------------------------------------------------------------------
 */

int rnl_seam_settle(struct rnl_seam *s)
{
	s->now_ns = rnl_seam_now(s);
	for (unsigned int i = 0; i < SETTLE_MAX; i++)
		if (rnl_poll(s->stack, s->now_ns) == 0)
			return 0;
	return -ELOOP;
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec ts = {.tv_sec = (time_t)(at_ns / SEC_NS),
	                      .tv_nsec = (long)(at_ns % SEC_NS)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

int rnl_seam_run(struct rnl_seam *s, uint64_t until_ns, bool stop_at_packet)
{
	unsigned int still = 0; /* steps without time passing */
	int rc = rnl_seam_settle(s);

	while (rc == 0 && !(stop_at_packet && s->out_count > 0) && s->now_ns < until_ns) {
		uint64_t at = rnl_next_deadline(s->stack);

		still = at > s->now_ns ? 0 : still + 1;
		if (still > SETTLE_MAX)
			return -ELOOP;
		if (at > until_ns)
			at = until_ns;
		if (s->clock == RNL_SEAM_REAL)
			sleep_until(at);
		else if (at > s->now_ns)
			s->now_ns = at;
		rc = rnl_seam_settle(s);
	}
	return rc;
}

/* ---- packets ----------------------------------------------------------------------------------
 */

int rnl_seam_send(struct rnl_seam *s, const void *packet, size_t len)
{
	struct rte_mbuf *m;
	char *at;

	if (len > UINT16_MAX)
		return -EMSGSIZE;
	m = rte_pktmbuf_alloc(s->pkt_pool);
	if (m == NULL)
		return -ENOBUFS;
	at = rte_pktmbuf_append(m, (uint16_t)len);
	if (at == NULL) {
		rte_pktmbuf_free(m);
		return -EMSGSIZE;
	}
	memcpy(at, packet, len);
	s->now_ns = rnl_seam_now(s);
	if (rnl_input(s->stack, s->port, &m, 1) != 1) {
		rte_pktmbuf_free(m);
		return -ENOBUFS;
	}
	return rnl_seam_settle(s);
}

ssize_t rnl_seam_receive(struct rnl_seam *s, void *packet, size_t cap, uint64_t *time_ns)
{
	struct out_packet *p = s->out_head;
	size_t len;

	if (p == NULL)
		return -EAGAIN;
	if (p->len > cap)
		return -EMSGSIZE;
	len = p->len;
	memcpy(packet, p->data, len);
	if (time_ns != NULL)
		*time_ns = p->time_ns;
	s->out_head = p->next;
	if (s->out_head == NULL)
		s->out_tail = NULL;
	s->out_count--;
	free(p);
	return (ssize_t)len;
}

unsigned int rnl_seam_waiting(const struct rnl_seam *s)
{
	return s->out_count;
}
