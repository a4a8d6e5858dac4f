/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivery-rate samples: how fast the network delivered between the sending of a range and the
 * acknowledgement of it. Pure: the caller stamps each range that it sends, and asks for one sample
 * for each acknowledgement, of the range sent last among those that it delivered.
 * Refuses: clocks, looking for ranges (sentq does), filtering. Floor 2.
 * draft-ietf-ccwg-bbr 4.1 (before: draft-cheng-iccrg-delivery-rate-estimation).
 */
#ifndef RNL_ALGO_RATE_H
#define RNL_ALGO_RATE_H

#include "algo/sentq.h"
#include "runnel.h"

/** A connection's. All zero: nothing was sent. */
struct rnl_rate {
	uint64_t delivered;     /* octets delivered since the connection was last idle */
	uint64_t delivered_us;  /* when the last of them were, or the first send after a pause */
	uint64_t first_sent_us; /* send time of what was delivered last, or of that first send */
	uint64_t limited_until; /* samples count as limited by the application until more than this
				   many octets are delivered; 0: they do not */
	uint32_t best_bytes;    /* the sample to show: octets, 0: none */
	uint32_t best_us;       /* in this time */
	bool best_limited;      /* the application limited it */
};

/**
 * Stamps range r, which is about to be sent (again) at r->sent_us: all of r but its links is set then.
 * `inflight` is what is in the network without it, `lost` all octets marked lost so far, wrapping
 * (draft-ietf-ccwg-bbr 4.1.2.2, OnPacketSent).
 */
static inline void rnl_rate_stamp(struct rnl_rate *c, struct rnl_range *r, uint32_t inflight,
				  uint32_t lost)
{
	if (inflight == 0)
		c->first_sent_us = c->delivered_us = r->sent_us;
	r->first_sent_us = c->first_sent_us;
	r->delivered_us = c->delivered_us;
	r->delivered = (uint32_t)c->delivered;
	r->inflight = inflight + (r->end - r->seq);
	r->lost = lost;
	r->flags |= c->limited_until != 0 ? RNL_RANGE_APP_LIMITED : 0;
}

/**
 * The application has nothing to send while it might: samples are limited by it until what is in the
 * network now (`inflight`) is delivered (draft-ietf-ccwg-bbr 4.1.2.4, MarkConnectionAppLimited).
 */
static inline void rnl_rate_limited(struct rnl_rate *c, uint32_t inflight)
{
	c->limited_until = c->delivered + inflight != 0 ? c->delivered + inflight : 1;
}

/**
 * Makes the sample of an acknowledgement that newly delivered `bytes` octets, cumulatively or
 * selectively; of *a, what is said of the range that was sent last. Of *s, now_us, lost and
 * min_rtt_us are read; delivered, prior_delivered, the rate_ members and app_limited are set. There
 * is no sample (rate_delivered_bytes is 0) when nothing was delivered, or in less than min_rtt_us
 * (draft-ietf-ccwg-bbr 4.1.2.3).
 */
void rnl_rate_sample(struct rnl_rate *c, const struct rnl_sentq_acked *a, uint32_t bytes,
		     struct rnl_ack_sample *s);

/** @return the sample to show in octets per second, 0: none (tcpi_delivery_rate). Divides. */
static inline uint64_t rnl_rate_best(const struct rnl_rate *c)
{
	return c->best_us != 0 ? (uint64_t)c->best_bytes * 1000000 / c->best_us : 0;
}

#endif /* RNL_ALGO_RATE_H */
