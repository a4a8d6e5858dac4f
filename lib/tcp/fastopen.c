/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the server's side of TCP Fast Open: cookies, how many connections they may open, and the
 * connection that begins with a SYN. Such a one is a full block in SYN-RECEIVED; all others are mini
 * blocks then. Refuses: finding listeners and blocks (the floor above). Floor 3. RFC 7413 4.1.2, 4.2, 5.1.
 */
#include "tcp/fastopen.h"

#include "base/siphash.h"
#include "tcp/tcp.h"

/* How long a connection counts that was reset before its handshake was complete: one to two of these. */
#define RESET_US UINT64_C(60000000)

/* RFC 7413 4.1.2: a MAC of the client's address. */
static uint64_t mac_of(const uint8_t *secret, const struct rnl_addr *client)
{
	return rnl_siphash24(secret, client, sizeof(*client));
}

static struct rnl_fastopen *slot(const struct rnl_core *core, uint32_t listener)
{
	return &core->fastopen[listener % RNL_FASTOPEN_SLOTS];
}

void rnl_fastopen_listen(struct rnl_core *core, uint32_t listener)
{
	*slot(core, listener) = (struct rnl_fastopen){.listener = listener};
}

/* What was reset long ago is forgotten. */
static void forget_resets(const struct rnl_core *core, struct rnl_fastopen *f)
{
	uint64_t period = core->now_us / RESET_US;

	if (period == f->period)
		return;
	f->resets[1] = period == f->period + 1 ? f->resets[0] : 0;
	f->resets[0] = 0;
	f->period = period;
}

/* RFC 7413 5.1: RSTs of hosts whose addresses are forged must not make room for more of the same. */
static bool has_room(const struct rnl_core *core, uint32_t listener, uint32_t limit)
{
	struct rnl_fastopen *f = slot(core, listener);

	forget_resets(core, f);
	return (uint64_t)f->pending + f->resets[0] + f->resets[1] < limit;
}

/* RFC 7413 4.1.2: IsCookieValid. *fresh: it is of the key in force. */
static bool is_valid(const struct rnl_core *core, const struct rnl_seg *seg, bool *fresh)
{
	uint64_t got;

	*fresh = false;
	if (seg->opt.tfo_len != sizeof(got))
		return false;
	memcpy(&got, seg->opt.tfo, sizeof(got));
	*fresh = got == mac_of(core->secrets.tfo, &seg->key.raddr);
	return *fresh || (core->old_tfo_set && got == mac_of(core->old_tfo, &seg->key.raddr));
}

bool rnl_fastopen_judge(struct rnl_core *core, uint32_t listener, uint32_t limit, struct rnl_seg *seg)
{
	bool fresh;

	if (!(seg->opt.has & RNL_OPT_TFO))
		return false;
	if (limit == 0) {
		seg->opt.has &= (uint16_t)~RNL_OPT_TFO;
		return false;
	}
	if (!is_valid(core, seg, &fresh)) {
		if (seg->opt.tfo_len != 0)
			rnl_core_count(core, RNL_C_tcp_fastopen_bad_cookie);
		return false;
	}
	if (fresh)
		seg->opt.has &= (uint16_t)~RNL_OPT_TFO;
	if (has_room(core, listener, limit))
		return true;
	rnl_core_count(core, RNL_C_tcp_fastopen_overflow);
	return false;
}

/* What the SYN carries. FIN and URG on it are not taken: the peer sends them again. */
static bool take_data(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_seg *seg)
{
	seg->seq++;
	seg->flags &= (uint16_t)~(RNL_TH_SYN | RNL_TH_FIN | RNL_TH_URG);
	seg->len = RTE_MIN(seg->len, tcb->rcv_adv - tcb->rcv_nxt);
	seg->dup = (struct rnl_sack){0};
	seg->answer = false;
	return seg->len > 0 && rnl_text(core, tcb, seg);
}

bool rnl_fastopen_accept(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini,
			 struct rnl_seg *seg)
{
	struct rnl_work *w;
	bool taken;

	rnl_handshake_adopt(core, tcb, mini);
	w = rnl_tcb_busy(core, tcb);
	tcb->snd_una = tcb->snd_nxt = mini->snd_nxt - 1;
	tcb->snd_bytes = RNL_BEFORE_STREAM;
	tcb->snd_wnd = tcb->max_snd_wnd = seg->wnd;
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = tcb->snd_una;
	w->recover = tcb->snd_una - 1;
	w->tfo = seg->opt.has & RNL_OPT_TFO ? RNL_TFO_OPTION : 0;
	w->tfo_listener = mini->listener;
	slot(core, mini->listener)->pending++;
	tcb->state = RNL_LISTEN;
	rnl_tcb_set_state(core, tcb, RNL_SYN_RECEIVED);
	rnl_core_count(core, RNL_C_tcp_fastopen_accepted);
	rnl_core_count(core, RNL_C_tcp_passive_opens);
	rnl_core_event(core, tcb, RNL_EV_ACCEPTED);
	taken = take_data(core, tcb, seg);
	tcb->syn_data = tcb->rcv_bytes > 0;
	rnl_core_output(core, tcb);
	return taken;
}

/* It is not pending any more. @return its listener's slot; NULL: that one is gone. */
static struct rnl_fastopen *leave(struct rnl_core *core, struct rnl_tcb *tcb)
{
	uint32_t listener = tcb->work->tfo_listener;
	struct rnl_fastopen *f = slot(core, listener);

	tcb->work->tfo_listener = 0;
	if (f->listener != listener)
		return NULL;
	f->pending--;
	return f;
}

void rnl_fastopen_completed(struct rnl_core *core, struct rnl_tcb *tcb)
{
	leave(core, tcb);
	if (tcb->syn_lost)
		rnl_tcb_start_cc(core, tcb); /* RFC 5681 3.1 */
	rnl_uto_announce(core, tcb);
}

void rnl_fastopen_failed(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_reason reason)
{
	struct rnl_fastopen *f;

	if (tcb->work == NULL || tcb->work->tfo_listener == 0)
		return;
	f = leave(core, tcb);
	if (reason == RNL_REASON_TIMEOUT_CONNECT)
		rnl_core_count(core, RNL_C_tcp_fastopen_expired);
	if (reason != RNL_REASON_RESET)
		return;
	rnl_core_count(core, RNL_C_tcp_fastopen_reset);
	if (f == NULL)
		return;
	forget_resets(core, f);
	f->resets[0]++;
}

void rnl_fastopen_give(struct rnl_core *core, const struct rnl_addr *client, struct rnl_tcpopt *opt)
{
	uint64_t mac = mac_of(core->secrets.tfo, client);

	opt->has |= RNL_OPT_TFO;
	opt->tfo_len = sizeof(mac);
	memcpy(opt->tfo, &mac, sizeof(mac));
	rnl_core_count(core, RNL_C_tcp_fastopen_cookies_sent);
}

void rnl_fastopen_rotate(struct rnl_core *core, const uint8_t *tfo)
{
	if (tfo == NULL)
		return;
	memcpy(core->old_tfo, core->secrets.tfo, sizeof(core->old_tfo));
	memcpy(core->secrets.tfo, tfo, sizeof(core->secrets.tfo));
	core->old_tfo_set = true;
}

void rnl_fastopen_option(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_tcpopt *opt)
{
	struct rnl_work *w = tcb->work;

	if (!(w->tfo & RNL_TFO_OPTION))
		return;
	w->tfo &= (uint8_t)~RNL_TFO_OPTION; /* RFC 7413 4.2.1, 4.2.2: not when it is sent again */
	rnl_fastopen_give(core, &tcb->key.raddr, opt);
}

_Static_assert(RNL_FASTOPEN_COOKIE_LEN == sizeof(uint64_t), "a cookie is a SipHash");
