/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery-rate samples, one for each acknowledgement. No division: a sample stays a fraction of
 * octets and microseconds. Refuses: clocks, filtering. Floor 2. draft-ietf-ccwg-bbr 4.1.
 */
#include <rte_common.h>

#include "algo/rate.h"

/* The bubble that the application left is through (draft-ietf-ccwg-bbr 4.1.2.3). */
static void leave_bubble(struct rnl_rate *c)
{
	if (c->limited_until != 0 && c->delivered > c->limited_until)
		c->limited_until = 0;
}

/* What the application did not limit replaces what it did; a limited sample only a slower one. */
static void remember(struct rnl_rate *c, const struct rnl_ack_sample *s)
{
	uint64_t now = (uint64_t)s->rate_delivered_bytes * c->best_us;
	uint64_t before = (uint64_t)c->best_bytes * s->rate_interval_us;

	if (s->app_limited && now < before)
		return;
	c->best_bytes = s->rate_delivered_bytes;
	c->best_us = s->rate_interval_us;
	c->best_limited = s->app_limited;
}

void rnl_rate_sample(struct rnl_rate *c, const struct rnl_sentq_acked *a, uint32_t bytes,
                     struct rnl_ack_sample *s)
{
	uint64_t send_us, ack_us, interval;

	c->delivered += bytes;
	s->delivered = c->delivered;
	s->rate_delivered_bytes = s->rate_interval_us = 0;
	if (bytes == 0)
		return;
	c->delivered_us = s->now_us;
	leave_bubble(c);
	if (!a->delivered_any)
		return;
	c->first_sent_us = a->sent_us;
	s->prior_delivered = c->delivered - ((uint32_t)c->delivered - a->delivered);
	s->app_limited = a->app_limited;
	s->rate_inflight_bytes = a->inflight;
	s->rate_lost_bytes = (uint32_t)s->lost - a->lost;
	/* Neither faster than it was sent, nor than it was acknowledged (4.1.1.2.4). */
	send_us = a->sent_us - a->first_sent_us;
	ack_us = s->now_us - a->delivered_us;
	interval = RTE_MIN(RTE_MAX(send_us, ack_us), (uint64_t)UINT32_MAX);
	if (interval == 0 || interval < s->min_rtt_us)
		return;
	s->rate_delivered_bytes = (uint32_t)c->delivered - a->delivered;
	s->rate_interval_us = (uint32_t)interval;
	remember(c, s);
}
