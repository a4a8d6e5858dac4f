/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-order data that the application has not consumed: packet buffers linked by `next`. Links are
 * cut before a buffer is given back, because others (an application that holds it, a ring's sender)
 * may keep it. Refuses: deciding when to compact, accounting against limits. Floor 2.
 */
#include "algo/rcvq.h"
#include "base/pkt.h"

static void copy_behind(struct rte_mbuf *tail, const struct rte_mbuf *m)
{
	for (; m != NULL; m = m->next) {
		memcpy(rte_pktmbuf_mtod_offset(tail, void *, tail->data_len),
		       rte_pktmbuf_mtod(m, const void *), m->data_len);
		tail->data_len = (uint16_t)(tail->data_len + m->data_len);
	}
}

static bool fits_behind(const struct rte_mbuf *tail, uint32_t len)
{
	return tail != NULL && rnl_pkt_writable(tail) && rte_pktmbuf_tailroom(tail) >= len;
}

bool rnl_rcvq_append(struct rnl_rcvq *q, struct rte_mbuf *m, bool compact)
{
	uint32_t len = m->pkt_len;

	if (len == 0 || (compact && fits_behind(q->tail, len))) {
		if (len != 0)
			copy_behind(q->tail, m);
		rte_pktmbuf_free(m);
		q->bytes += len;
		return true;
	}
	*(q->tail != NULL ? &q->tail->next : &q->head) = m;
	for (; m != NULL; m = m->next) {
		q->tail = m;
		q->bufs++;
	}
	q->bytes += len;
	return false;
}

unsigned int rnl_rcvq_spans(const struct rnl_rcvq *q, struct rnl_span *spans, unsigned int n,
                            size_t *total)
{
	unsigned int used = 0;

	*total = 0;
	for (struct rte_mbuf *m = q->head; m != NULL && used < n; m = m->next) {
		if (m->data_len == 0)
			continue;
		spans[used++] = (struct rnl_span){
		    .data = rte_pktmbuf_mtod(m, const void *), .len = m->data_len, .buf = m};
		*total += m->data_len;
	}
	return used;
}

static void pop(struct rnl_rcvq *q)
{
	struct rte_mbuf *m = q->head;

	q->head = m->next;
	if (q->head == NULL)
		q->tail = NULL;
	q->bufs--;
	m->next = NULL;
	rte_pktmbuf_free_seg(m);
}

uint32_t rnl_rcvq_consume(struct rnl_rcvq *q, uint32_t len)
{
	uint32_t bufs = q->bufs;

	q->bytes -= len;
	while (q->head != NULL && q->head->data_len <= len) {
		len -= q->head->data_len;
		pop(q);
	}
	if (len > 0) {
		q->head->data_off = (uint16_t)(q->head->data_off + len);
		q->head->data_len = (uint16_t)(q->head->data_len - len);
	}
	return bufs - q->bufs;
}

uint32_t rnl_rcvq_clear(struct rnl_rcvq *q)
{
	uint32_t bufs = q->bufs;

	while (q->head != NULL)
		pop(q);
	*q = (struct rnl_rcvq){0};
	return bufs;
}
