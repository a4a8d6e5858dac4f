/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the seam share. */
#ifndef RNL_SEAM_PVT_H
#define RNL_SEAM_PVT_H

#include "seam.h"

enum sock_kind { SOCK_FREE, SOCK_NEW, SOCK_LISTEN, SOCK_CONN };

struct sock {
	struct rnl_seam *seam;
	enum sock_kind kind;
	bool forgotten;   /* free the slot when `closed` comes */
	bool waiting;     /* accepted by the stack, not by the user */
	bool user_closed; /* rnl_close() or rnl_abort() was called */
	bool rd_peek;     /* the read in progress leaves the data there */
	uint8_t only;     /* a listener takes this IP version alone; 0: both */
	uint64_t order;   /* of arrival, for accept */
	int listener_fd;  /* of a waiting one */
	struct rnl_addr laddr;
	uint16_t lport;
	rnl_conn_t conn;
	rnl_listener_t listener;
	struct rnl_conn_opts opts;
	struct {
		uint32_t backlog;
		uint8_t syncookies;
		uint32_t fastopen_limit; /* its `fastopen` */
	} lopts; /* of a listener */
	struct rnl_conn_info last; /* as `closed` saw it */
	struct rnl_seam_status st;
	uint8_t *rd_buf; /* read in progress: where, how much still, how much so far */
	size_t rd_left, rd_got;
};

/* A packet that the stack sent. */
struct out_packet {
	struct out_packet *next;
	uint64_t time_ns;
	size_t len;
	uint8_t data[];
};

struct rnl_seam {
	struct rnl_stack *stack;
	struct rte_mempool *pkt_pool, *hdr_pool;
	enum rnl_seam_clock clock;
	uint64_t now_ns;
	unsigned int port;
	struct out_packet *out_head, *out_tail;
	unsigned int out_count;
	uint64_t next_order;
	struct sock socks[RNL_SEAM_SOCKETS];
};

/* Runs the stack at the present time until it finds nothing to do. @return 0, -ELOOP. */
int rnl_seam_settle(struct rnl_seam *s);
/* Hands what the sockets need of their callbacks to listen and connect. */
extern const struct rnl_app_ops rnl_seam_app_ops;

/* @return how many connections wait for accept on a listener. */
unsigned int rnl_seam_pending(const struct rnl_seam *s, int fd);
/* As rnl_seam_read(), but the data stays; may give less than there is. */
ssize_t rnl_seam_peek(struct rnl_seam *s, int fd, void *data, size_t len);

#endif /* RNL_SEAM_PVT_H */
