/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The largest packet that the path to a peer takes, as far as TCP knows it. What a connection keeps of
 * it stands in a table beside its block, of which only the connections that learnt something ever touch
 * their entry (RNL_F_PATH). Floor 3. RFC 1191, RFC 8201, RFC 5927 7.2, RFC 4821.
 */
#ifndef RNL_TCP_PMTU_H
#define RNL_TCP_PMTU_H

#include "tcp/core.h"

/* DEVIATES RFC 1191 3: the least an IPv4 path is taken for is 552 octets, not 68. No link in use has
 * less, and a forged message would make 28 octets of payload of every packet. */
#define RNL_PMTU_MIN_V4 552
#define RNL_PMTU_MIN_V6 1280 /* RFC 8200 5 */

/** What one connection learnt of its path; counts only while RNL_F_PATH is set. */
struct rnl_path {
	uint64_t raise_at_us;  /* when larger segments may be tried again; 0: never */
	uint32_t pending_seq;  /* of the segment that pending_mtu is about */
	uint16_t pending_mtu;  /* claimed by a Packet Too Big that nothing confirmed yet; 0: none */
	uint16_t mss_max;      /* snd_mss as it was agreed; 0: nothing was lowered */
};

/** Connection begins, its MSS is agreed: takes what is remembered of the host (RFC 1191 6.3). */
void rnl_pmtu_start(struct rnl_core *core, struct rnl_tcb *tcb);
/**
 * A Packet Too Big quotes a segment of this connection that is in flight: `size` octets long, too long
 * for a link of `mtu` (0: it does not say). @return what became of it.
 */
enum rnl_counter rnl_pmtu_too_big(struct rnl_core *core, struct rnl_tcb *tcb, uint32_t seq,
				  uint32_t mtu, uint16_t size);
/** The retransmission timer expired; before anything is marked lost, backoff as it was. */
void rnl_pmtu_timeout(struct rnl_core *core, struct rnl_tcb *tcb);
/** RNL_F_PATH is set: does what is due. */
void rnl_pmtu_due(struct rnl_core *core, struct rnl_tcb *tcb);
/** RNL_F_PATH is set. @return when rnl_pmtu_due() must run, us; UINT64_MAX: never. */
uint64_t rnl_pmtu_deadline(const struct rnl_core *core, const struct rnl_tcb *tcb);
/** @return the path MTU of a connection, octets. */
uint32_t rnl_pmtu(const struct rnl_core *core, const struct rnl_tcb *tcb);

/** The retransmission timer expired: is the path a black hole for large segments? */
void rnl_plpmtud_timeout(struct rnl_core *core, struct rnl_tcb *tcb);

/* ---- between pmtu.c and plpmtud.c ---- */

/** @return the connection's entry; zeroed, and RNL_F_PATH set, when it had none. */
struct rnl_path *rnl_pmtu_path(struct rnl_core *core, struct rnl_tcb *tcb);
/** @return octets of headers in front of a segment's payload. */
uint16_t rnl_pmtu_headers(const struct rnl_tcb *tcb);
/** Segments have at most `mss` octets from now on; the larger ones in flight stay as they are. */
void rnl_pmtu_lower(struct rnl_core *core, struct rnl_tcb *tcb, uint16_t mss);
/** Segments may have `mss` octets, at most what was agreed. */
void rnl_pmtu_raise(struct rnl_core *core, struct rnl_tcb *tcb, uint16_t mss);

#endif /* RNL_TCP_PMTU_H */
