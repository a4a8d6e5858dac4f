/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP Fast Open: data on the SYN, for those that prove with a cookie where they are. Floor 3. RFC 7413.
 */
#ifndef RNL_TCP_FASTOPEN_H
#define RNL_TCP_FASTOPEN_H

#include "tcp/core.h"

#define RNL_FASTOPEN_COOKIE_LEN 8

/* struct rnl_work.tfo */
#define RNL_TFO_OPTION 0x01u /* the next SYN-ACK brings a cookie */

/** A listener begins: what its slot knew was of another one. */
void rnl_fastopen_listen(struct rnl_core *core, uint32_t listener);
/**
 * Judges the option of a SYN. In seg->opt.has, RNL_OPT_TFO is left if the SYN-ACK is to bring a cookie.
 * @param limit of the listener: connections that its cookies may open at once; 0: Fast Open is off
 * @return whether the connection may begin with the SYN (RFC 7413 4.2.2).
 */
bool rnl_fastopen_judge(struct rnl_core *core, uint32_t listener, uint32_t limit, struct rnl_seg *seg);
/**
 * Makes a connection in SYN-RECEIVED of a SYN: tells the application, takes the data. tcb was
 * initialised with the key, a working set is free, and mini says what both ends offer.
 * @return whether seg->m was taken.
 */
bool rnl_fastopen_accept(struct rnl_core *core, struct rnl_tcb *tcb, const struct rnl_mini *mini,
			 struct rnl_seg *seg);
/** The peer acknowledged the SYN-ACK (RFC 7413 4.2.2, "Server: Receiving ACK"). */
void rnl_fastopen_completed(struct rnl_core *core, struct rnl_tcb *tcb);
/** Writes the cookie of a client into an option. */
void rnl_fastopen_give(struct rnl_core *core, const struct rnl_addr *client, struct rnl_tcpopt *opt);
/** A new key (16 octets; NULL: stays): cookies of the one before it are still taken. */
void rnl_fastopen_rotate(struct rnl_core *core, const uint8_t *tfo);

/** Adds the option to the SYN-ACK of a full block, if this one is to carry it. */
void rnl_fastopen_option(struct rnl_core *core, struct rnl_tcb *tcb, struct rnl_tcpopt *opt);
/** A connection ends whose handshake is not complete. */
void rnl_fastopen_failed(struct rnl_core *core, struct rnl_tcb *tcb, enum rnl_reason reason);

#endif /* RNL_TCP_FASTOPEN_H */
