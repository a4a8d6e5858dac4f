/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Owns the user timeout that a connection adopts from what both ends advertise. What the peer said is
 * kept as one octet, rounded up by at most a sixteenth. Refuses: timers (expire.c asks for the value),
 * believing that an option arrived (RFC 5482 3.2). Floor 3. RFC 5482 3, 3.1, 3.3, 3.4, 4.2.
 */
#include "tcp/tcp.h"

#define MINUTES 0x8000u /* RFC 5482 3.3: G */
#define FIELD_MAX 0x7fffu
#define CODE_MAX 255u
#define DEFAULT_S 300u /* RFC 9293 3.9.1.1: five minutes */

/* ADV_UTO. Unlike other defaults these follow user_timeout_ms whenever it is set. */
static uint32_t advertised_s(const struct rnl_conn_opts *opts)
{
	if (opts->uto_adv_s != 0)
		return opts->uto_adv_s;
	return opts->user_timeout_ms != 0 ? (opts->user_timeout_ms - 1) / 1000 + 1 : DEFAULT_S;
}

/* RFC 5482 3.3. @return 0: the option is not used, or says nothing (RFC 5482 3.4). */
uint16_t rnl_uto_field(const struct rnl_conn_opts *opts)
{
	uint32_t s = advertised_s(opts);

	if (!opts->uto)
		return 0;
	if (s <= FIELD_MAX)
		return (uint16_t)s;
	return (uint16_t)(MINUTES | RTE_MIN(s / 60 + (s % 60 != 0), FIELD_MAX));
}

/* (16 + low four bits) << high four bits, in seconds. */
uint32_t rnl_uto_seconds(uint8_t code)
{
	return code != 0 ? (16u + (code & 15u)) << (code >> 4) : 0;
}

/* RFC 5482 3.3, 3.4: a field of zero is ignored. */
uint8_t rnl_uto_code(uint16_t field)
{
	uint32_t s = field & FIELD_MAX, code = 1;

	if (s == 0)
		return 0;
	if (field & MINUTES)
		s *= 60;
	while (code < CODE_MAX && rnl_uto_seconds((uint8_t)code) < s)
		code++;
	return (uint8_t)code;
}

void rnl_uto_received(struct rnl_core *core, struct rnl_tcb *tcb, uint16_t field)
{
	uint8_t code = rnl_uto_code(field);

	if (!rnl_core_policy(core, tcb)->opts.uto || code == 0) {
		rnl_core_count(core, RNL_C_tcp_rx_uto_ignored);
		return;
	}
	rnl_core_count(core, RNL_C_tcp_rx_uto);
	tcb->uto = code;
	rnl_tcp_rearm(core, tcb);
}

/* RFC 5482 3.1: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)), L_LIMIT above the RTO. */
static uint32_t adopted_ms(const struct rnl_core *core, const struct rnl_tcb *tcb,
			   const struct rnl_conn_opts *opts)
{
	uint32_t s = RTE_MAX(advertised_s(opts), rnl_uto_seconds(tcb->uto));
	uint32_t rto_ms = rnl_tcb_rto(core, tcb) / 1000;

	s = RTE_MIN(RTE_MAX(s, opts->uto_min_s), opts->uto_max_s);
	return RTE_MAX(s * 1000, rto_ms + 1);
}

bool rnl_uto_adopted(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;

	if (tcb->uto == 0 || !opts->uto)
		return false;
	/* RFC 5482 3: who sets his user timeout does not want another. */
	return opts->uto_change == RNL_UTO_CHANGEABLE ||
	       (opts->uto_change == RNL_UTO_DEFAULT && opts->user_timeout_ms == 0);
}

uint32_t rnl_uto_timeout_ms(const struct rnl_core *core, const struct rnl_tcb *tcb)
{
	const struct rnl_conn_opts *opts = &rnl_core_policy(core, tcb)->opts;

	return rnl_uto_adopted(core, tcb) ? adopted_ms(core, tcb, opts) : opts->user_timeout_ms;
}

/* RFC 5482 3: in the first packet without SYN, and whenever the value changed. */
void rnl_uto_announce(struct rnl_core *core, struct rnl_tcb *tcb)
{
	if (rnl_uto_field(&rnl_core_policy(core, tcb)->opts) != 0)
		rnl_emit_uto(core, tcb);
}
