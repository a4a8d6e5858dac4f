/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the sets of callbacks and options that connections share: interned, so that a connection
 * spends two octets on them. Defaults are filled in here and nowhere else. Floor 4.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/siphash.h"
#include "stack/stack.h"

#define MAX_RCVBUF (1u << 30) /* RFC 7323 2.3 */
#define MIN_MSS 64u
#define MIN_PEER_MSS 28u      /* RFC 791 3.2: every network carries 68 octets */
#define MAX_UTO_S 14400u
#define MAX_TICKS (1u << 30)  /* ms: ticks are compared as signed 32-bit distances */

static void set_default(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

static void set_default8(uint8_t *field, uint8_t value)
{
	if (*field == 0)
		*field = value;
}

/*
 * A size that was given is kept: as with SO_RCVBUF, who sets a buffer has switched its tuning off,
 * unless he gives the limit as well.
 */
static void buffer_defaults(uint32_t *bytes, uint32_t *max, uint32_t limit)
{
	set_default(max, *bytes != 0 ? *bytes : limit);
	set_default(bytes, RTE_MIN(262144u, *max));
}

/* RFC 9293 3.8.3 (MUST-23, SHLD-11). */
static void fill_defaults(const struct rnl_stack *st, struct rnl_conn_opts *o)
{
	buffer_defaults(&o->sndbuf_bytes, &o->sndbuf_max_bytes, 4u << 20);
	buffer_defaults(&o->rcvbuf_bytes, &o->rcvbuf_max_bytes, 6u << 20);
	set_default(&o->connect_timeout_ms, 180000);
	set_default(&o->keepalive_intvl_ms, 75000);
	set_default8(&o->keepalive_probes, 9);
	set_default8(&o->retries2, 15);
	set_default8(&o->syn_retries, 7);
	set_default8(&o->ttl, 64);
	set_default(&o->delayed_ack_us, 40000);
	set_default(&o->rto_min_us, RNL_RTO_MIN_US);
	set_default(&o->fin_wait2_ms, 60000);
	set_default8(&o->orphan_retries, 8);
	if (o->min_mss == 0)
		o->min_mss = MIN_MSS;
	set_default(&o->uto_min_s, 100); /* RFC 5482 3.1 */
	set_default(&o->uto_max_s, RTE_MAX(3600u, o->uto_min_s));
	set_default(&o->time_wait_ms, st->core.time_wait_ms);
	if (o->cc == NULL)
		o->cc = st->cfg.cc;
	o->size = sizeof(*o);
}

/* From the last segment until the connection counts as dead. */
static uint64_t keepalive_ms(const struct rnl_conn_opts *o)
{
	return o->keepalive_idle_ms + (uint64_t)o->keepalive_intvl_ms * (o->keepalive_probes + 1u);
}

static int check_limits(const struct rnl_conn_opts *o, struct rnl_error *err)
{
	if (o->min_mss < MIN_PEER_MSS)
		return rnl_fail(err, -EINVAL, "min_mss is %u: 0, or at least %u", o->min_mss,
				MIN_PEER_MSS);
	if (o->linger_ms > MAX_TICKS && o->linger_ms != RNL_LINGER_RESET)
		return rnl_fail(err, -EINVAL, "linger_ms is %u: at most %u, or RNL_LINGER_RESET",
				o->linger_ms, MAX_TICKS);
	if (o->uto_min_s > o->uto_max_s || o->uto_max_s > MAX_UTO_S)
		return rnl_fail(err, -EINVAL,
				"uto_min_s is %u, uto_max_s is %u: the second must not be less, nor "
				"more than %u",
				o->uto_min_s, o->uto_max_s, MAX_UTO_S);
	if (o->uto_change > RNL_UTO_FIXED)
		return rnl_fail(err, -EINVAL, "uto_change is %u: see enum rnl_uto_change",
				o->uto_change);
	return 0;
}

/* RFC 9293 3.8.6.3 (MUST-40). */
static int check(const struct rnl_app_ops *ops, const struct rnl_conn_opts *o,
		 struct rnl_error *err)
{
	if (ops == NULL || ops->size < offsetof(struct rnl_app_ops, urgent))
		return rnl_fail(err, -EINVAL, "no callbacks: set ops and ops->size");
	if (o->rcvbuf_bytes > MAX_RCVBUF || o->rcvbuf_max_bytes > MAX_RCVBUF)
		return rnl_fail(err, -EINVAL, "rcvbuf_bytes is %u, rcvbuf_max_bytes is %u: at most %u",
				o->rcvbuf_bytes, o->rcvbuf_max_bytes, MAX_RCVBUF);
	if (o->rcvbuf_max_bytes < o->rcvbuf_bytes || o->sndbuf_max_bytes < o->sndbuf_bytes)
		return rnl_fail(err, -EINVAL,
				"a buffer's limit is below its size: raise rcvbuf_max_bytes and "
				"sndbuf_max_bytes, or leave them 0");
	if (o->delayed_ack_us >= 500000)
		return rnl_fail(err, -EINVAL, "delayed_ack_us is %u: must be below 500000",
				o->delayed_ack_us);
	if (o->mss != 0 && o->mss < MIN_MSS)
		return rnl_fail(err, -EINVAL, "mss is %u: 0, or at least %u", o->mss, MIN_MSS);
	if (o->idle_timeout_ms > MAX_TICKS || o->fin_wait2_ms > MAX_TICKS ||
	    keepalive_ms(o) > MAX_TICKS)
		return rnl_fail(err, -EINVAL,
				"idle_timeout_ms, fin_wait2_ms, or all keepalive probes together last "
				"longer than %u ms: use less, or 0",
				MAX_TICKS);
	if (o->max_pacing_bytes_per_s != 0 && o->max_pacing_bytes_per_s < RNL_PACER_MIN)
		return rnl_fail(err, -EINVAL, "max_pacing_bytes_per_s is %" PRIu64
				": 0 (no limit), or at least %u",
				o->max_pacing_bytes_per_s, RNL_PACER_MIN);
	if (o->dscp > 63)
		return rnl_fail(err, -EINVAL, "dscp is %u: must be 0 to 63", o->dscp);
	if (o->ecn > RNL_ECN_ACCURATE)
		return rnl_fail(err, -EINVAL, "ecn is %u: must be a value of enum rnl_ecn_mode", o->ecn);
	if (o->cc != NULL && o->cc->size < sizeof(struct rnl_cc_ops))
		return rnl_fail(err, -EINVAL, "congestion control without its size set");
	if (o->cc != NULL && o->cc->priv_size > sizeof(((struct rnl_cc *)0)->priv))
		return rnl_fail(err, -EINVAL, "congestion control %s keeps %u octets: at most %zu",
				o->cc->name, o->cc->priv_size, sizeof(((struct rnl_cc *)0)->priv));
	return check_limits(o, err);
}

static uint32_t hash_of(const struct rnl_app_ops *ops, const struct rnl_conn_opts *o)
{
	static const uint8_t key[16];

	return (uint32_t)(rnl_siphash13(key, o, sizeof(*o)) ^ (uintptr_t)ops >> 4);
}

static bool same(const struct rnl_policy *p, const struct rnl_app_ops *ops,
		 const struct rnl_conn_opts *o, uint32_t hash)
{
	return p->refs > 0 && p->hash == hash && p->ops == ops &&
	       memcmp(&p->opts, o, sizeof(*o)) == 0;
}

int rnl_policy_get(struct rnl_stack *st, const struct rnl_app_ops *ops,
		   const struct rnl_conn_opts *opts, struct rnl_error *err)
{
	struct rnl_policy *table = st->core.policies;
	uint32_t i, hash, free = RNL_POLICY_MAX;
	struct rnl_conn_opts o;
	int ret;

	memset(&o, 0, sizeof(o)); /* padding too: policies are compared octet by octet */
	memcpy(&o, opts, opts->size != 0 ? RTE_MIN((size_t)opts->size, sizeof(o)) : sizeof(o));
	fill_defaults(st, &o);
	ret = check(ops, &o, err);
	if (ret < 0)
		return ret;
	hash = hash_of(ops, &o);
	for (i = 0; i < st->policy_count; i++) {
		if (same(&table[i], ops, &o, hash)) {
			table[i].refs++;
			return (int)i;
		}
		if (table[i].refs == 0 && free == RNL_POLICY_MAX)
			free = i;
	}
	if (free == RNL_POLICY_MAX)
		free = st->policy_count;
	if (free == RNL_POLICY_MAX)
		return rnl_fail(err, -ENOSPC,
				"%d different sets of options are in use: let connections share them",
				RNL_POLICY_MAX);
	if (free == st->policy_count)
		st->policy_count++;
	table[free] = (struct rnl_policy){.ops = ops, .refs = 1, .hash = hash};
	memcpy(&table[free].opts, &o, sizeof(o));
	return (int)free;
}

void rnl_policy_ref(struct rnl_stack *st, uint16_t policy)
{
	st->core.policies[policy].refs++;
}

void rnl_policy_put(struct rnl_stack *st, uint16_t policy)
{
	st->core.policies[policy].refs--;
}
