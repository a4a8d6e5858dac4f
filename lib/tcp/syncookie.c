/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns handshakes of which nothing is kept: the SYN-ACK carries the half-open block as a cookie, the
 * ACK brings it back. A block on the stack stands for the one that there is not, so that what is
 * offered and agreed is decided in handshake.c alone. Refuses: deciding when (the floor above).
 * Floor 3. RFC 4987 3.6, appendix A; RFC 7323 3.2.
 */
#include "algo/cookie.h"
#include "algo/isn.h"
#include "tcp/tcp.h"
#include "wire/ip.h"

#define DEFAULT_MSS_V4 536  /* RFC 9293 3.7.1 (MUST-15) */
#define DEFAULT_MSS_V6 1220 /* RFC 9293 3.7.1 (MUST-15) */

/* What the timestamp can bring back. What is not here must not be offered. */
#define MINI_OF_TS (RNL_MINI_TS | RNL_MINI_WSCALE | RNL_MINI_SACK_OK | RNL_MINI_ECN)
#define MINI_OF_ACK RNL_MINI_ACCECN /* what the final ACK brings back (RFC 9768 5.1) */

static unsigned int mss_index(const struct rnl_seg *seg)
{
	bool v4 = rnl_addr_is_v4(&seg->key.raddr);
	uint16_t mss = v4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;

	return rnl_cookie_mss_index(v4, seg->opt.has & RNL_OPT_MSS ? seg->opt.mss : mss);
}

/* Puts the options into TSval, by way of the offset (RFC 4987 3.6). */
static void write_options(const struct rnl_core *core, struct rnl_mini *mini)
{
	const struct rnl_cookie_opts o = {
	    .has_wscale = mini->flags & RNL_MINI_WSCALE,
	    .wscale = rnl_wscale_theirs(mini->wscale),
	    .sack_ok = mini->flags & RNL_MINI_SACK_OK,
	    .ecn = mini->flags & RNL_MINI_ECN,
	};

	if (!(mini->flags & RNL_MINI_TS)) {
		mini->flags &= MINI_OF_ACK;
		mini->wscale = 0;
		return;
	}
	mini->flags &= MINI_OF_TS | MINI_OF_ACK;
	mini->ts_offset = rnl_cookie_tsval(rnl_emit_tsval(core, mini->ts_offset), &o) - core->now_ms;
}

bool rnl_syncookie_send(struct rnl_core *core, const struct rnl_seg *seg, uint16_t policy,
			uint16_t nexthop)
{
	const struct rnl_cookie c = {.key = &seg->key,
				     .secret = core->secrets.cookie,
				     .peer_isn = seg->seq,
				     .count = rnl_cookie_count(core->now_us)};
	struct rnl_mini mini = {0};

	rnl_handshake_offer(core, &mini, seg, policy, nexthop);
	mini.snd_nxt = rnl_cookie_isn(&c, mss_index(seg)) + 1;
	write_options(core, &mini);
	if (!rnl_emit_mini(core, &mini, true))
		return false;
	rnl_core_count(core, RNL_C_tcp_syncookies_sent);
	return true;
}

/* @return false: there are timestamps, but not ours. */
static bool read_options(const struct rnl_core *core, const struct rnl_seg *seg,
			 const struct rnl_conn_opts *opts, struct rnl_mini *out)
{
	struct rnl_cookie_opts o;

	out->ts_offset = rnl_isn_ts_offset(&seg->key, core->secrets.ts);
	if (!(seg->opt.has & RNL_OPT_TS) || opts->no_timestamps)
		return true;
	if (!rnl_cookie_tsecr(rnl_emit_tsval(core, out->ts_offset), seg->opt.tsecr, &o))
		return false;
	out->flags |= RNL_MINI_TS;
	out->ts_recent = seg->opt.tsval;
	if (o.has_wscale && !opts->no_wscale) {
		out->flags |= RNL_MINI_WSCALE;
		out->wscale = rnl_wscale_pack(rnl_tcb_offer_wscale(opts), o.wscale);
	}
	out->flags |= o.sack_ok ? RNL_MINI_SACK_OK : 0;
	out->flags |= o.ecn ? RNL_MINI_ECN : 0;
	return true;
}

static int check(const struct rnl_core *core, struct rnl_cookie *c, uint32_t isn)
{
	int mss;

	c->secret = core->secrets.cookie;
	mss = rnl_cookie_check(c, isn);
	if (mss >= 0 || core->now_us >= core->old_cookie_until_us)
		return mss;
	c->secret = core->old_cookie;
	return rnl_cookie_check(c, isn);
}

enum rnl_syncookie rnl_syncookie_check(struct rnl_core *core, const struct rnl_seg *seg,
				       uint16_t policy, struct rnl_mini *out)
{
	struct rnl_cookie c = {.key = &seg->key,
			       .peer_isn = seg->seq - 1,
			       .count = rnl_cookie_count(core->now_us)};
	int mss = check(core, &c, seg->ack - 1);

	*out = (struct rnl_mini){
	    .key = seg->key,
	    .state = RNL_SYN_RECEIVED,
	    .flags = RNL_MINI_COOKIE,
	    .snd_nxt = seg->ack,
	    .rcv_nxt = seg->seq,
	    .policy = policy,
	};
	if (mss < 0) {
		c.secret = core->secrets.cookie;
		if (rnl_cookie_near(&c, seg->ack - 1)) {
			rnl_core_count(core, RNL_C_tcp_syncookies_early);
			return RNL_SYNCOOKIE_EARLY;
		}
	} else if (read_options(core, seg, &core->policies[policy].opts, out)) {
		uint8_t ecn = rnl_ecn_of_final_ack(&core->policies[policy].opts, seg->flags, out->flags);

		out->flags = (uint8_t)((out->flags & ~RNL_MINI_ECN) | ecn);
		out->peer_mss =
		    rnl_cookie_mss(rnl_addr_is_v4(&seg->key.raddr), (unsigned int)mss);
		return RNL_SYNCOOKIE_GOOD;
	}
	rnl_core_count(core, RNL_C_tcp_syncookies_failed);
	return RNL_SYNCOOKIE_BAD;
}

void rnl_syncookie_rotate(struct rnl_core *core, const uint8_t *cookie)
{
	if (cookie == NULL)
		return;
	memcpy(core->old_cookie, core->secrets.cookie, sizeof(core->old_cookie));
	memcpy(core->secrets.cookie, cookie, sizeof(core->secrets.cookie));
	core->old_cookie_until_us = core->now_us + RNL_COOKIE_VALID_US;
}
