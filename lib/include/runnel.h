/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * runnel - a poll-mode TCP endpoint on DPDK. The one public header.
 *
 * Threading: a stack belongs to one thread at a time (its worker). Every call that takes a
 * struct rnl_stack is made on that thread, except rnl_post() and rnl_counters_read(), which any
 * thread may call. Callbacks run on the worker, after a burst's protocol work, never inside it,
 * except `admit` and rnl_unclaimed_fn. Each names the set of calls that it may make (on its own
 * stack):
 * - **reading**: rnl_now_ns(), rnl_stack_id(), rnl_get_ctx(), rnl_get_opts(), rnl_send_room(),
 *   rnl_conn_info(), rnl_conn_foreach(), rnl_usage(), the counters, and what takes no stack;
 * - **ending**: rnl_close() and rnl_abort() of any connection; every callback of
 *   struct rnl_app_ops may;
 * - **any**: these, and all others but rnl_poll() and rnl_stack_destroy(). rnl_buf_hold() belongs
 *   to `received` alone.
 *
 * While rnl_stack_destroy() runs callbacks, only reading and rnl_buf_release() are allowed.
 *
 * Time: monotonic nanoseconds, given by the caller. The library never reads a clock.
 * Errors: set-up calls and data calls return a negative errno; set-up calls also fill a
 * struct rnl_error with a sentence that says what is wrong and what to do. Nothing in the library
 * prints, exits or aborts.
 * Addresses: sixteen octets in network order; IPv4 ones are held IPv4-mapped (RFC 4291 2.5.5.2).
 * Ports: host order.
 * Structs that the caller fills carry their own size in `size`; fields past it read as zero, and
 * zero in a field means its documented default.
 */
#ifndef RUNNEL_H
#define RUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_mbuf;
struct rte_mempool;

#define RNL_VERSION_MAJOR 0 /**< changes when old source no longer builds or works */
#define RNL_VERSION_MINOR 1 /**< changes when something is added; while MAJOR is 0, as MAJOR */
#define RNL_VERSION_PATCH 0 /**< changes when nothing but the inside does */
/** Version that this header was compiled with: 0xMMmmpp. */
#define RNL_VERSION                                                                                \
	((uint32_t)RNL_VERSION_MAJOR << 16 | (uint32_t)RNL_VERSION_MINOR << 8 | RNL_VERSION_PATCH)

/** @return the version of the linked library, as RNL_VERSION. Any thread. */
uint32_t rnl_version(void);

/** One core's whole TCP world: its connections, listeners, timers, ports, routes, neighbours. */
struct rnl_stack;

/**
 * A connection, checked by generation: late use of one that ended returns -ESTALE. 0 is never valid.
 * Holds the id of its stack; another stack answers -ESTALE if its id differs.
 */
typedef uint64_t rnl_conn_t;
/** A listener on one stack: late use of one that was removed returns -ENOENT. 0 is never valid. */
typedef uint32_t rnl_listener_t;
/** A timer of the stack (not of a connection): late use returns -ESTALE. 0 is never valid. */
typedef uint64_t rnl_timer_t;

/**
 * Why a set-up call failed and what to do about it. Filled only when the call fails; where it is a
 * parameter it may be NULL.
 */
struct rnl_error {
	char text[256]; /**< one line, no newline, ends with a zero */
};

/* ---- addresses ------------------------------------------------------------------------------ */

/** An IPv4 or IPv6 address. */
struct rnl_addr {
	uint8_t b[16]; /**< network order; IPv4 is mapped (RFC 4291 2.5.5.2); all zero: unspecified */
};

/** Local and remote end of a connection, as seen from this stack. */
struct rnl_tuple {
	struct rnl_addr laddr, /**< local address */
		raddr;         /**< remote address */
	uint16_t lport,        /**< local port, host order */
		rport;         /**< remote port, host order */
};

/** Longest text of an address, with its terminating zero. */
#define RNL_ADDR_STRLEN 46

/** @return an IPv4 address from its four octets (a.b.c.d). */
struct rnl_addr rnl_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
/** Parses dotted IPv4 or IPv6 text (RFC 4291 2.2). @return 0, or -EINVAL: out is as it was. */
int rnl_addr_parse(const char *text, struct rnl_addr *out);
/** Writes an address as text into buf (RNL_ADDR_STRLEN octets). @return buf. */
char *rnl_addr_format(const struct rnl_addr *addr, char *buf);
/** @return whether the address is an IPv4 one. */
bool rnl_addr_is_v4(const struct rnl_addr *addr);

/** State of an own address. IPv4 ones are always RNL_ADDR_PREFERRED. */
enum rnl_addr_state {
	RNL_ADDR_PREFERRED = 0, /**< in use */
	RNL_ADDR_DEPRECATED,    /**< in use, but not for new connections if there is another (RFC 4862) */
	RNL_ADDR_TENTATIVE,     /**< being checked whether another host has it: not used yet */
	RNL_ADDR_DUPLICATE      /**< another host has it: not used */
};

/* ---- ports ---------------------------------------------------------------------------------- */

/**
 * What a stack asks of a port: two bursts. Both run on the worker, inside rnl_poll(); both are
 * mandatory and may call no function on the stack. `port` is struct rnl_port.ctx.
 */
struct rnl_port_ops {
	/**
	 * Fills m[] with at most n packets. @return how many; they then belong to the stack. Packets
	 * may be chains, padded, shared, and carry any checksum verdict in ol_flags.
	 */
	uint16_t (*rx)(void *port, struct rte_mbuf **m, uint16_t n);
	/**
	 * Takes packets from the front of m[]. @return how many; those then belong to the port, which
	 * frees them when they were sent and does not change them while their reference count is above
	 * one. The others stay with the stack, which offers them again, in the same order.
	 */
	uint16_t (*tx)(void *port, struct rte_mbuf **m, uint16_t n);
	/**
	 * Receive from these groups from now on, besides broadcast and the own address: macs[0..n), all
	 * of them each time. Comes when IPv6 addresses come and go, inside rnl_poll(). May be
	 * NULL: the port receives every group anyway.
	 */
	void (*groups)(void *port, const uint8_t (*macs)[6], unsigned int n);
};

/** What a port can do for the sender (struct rnl_port.caps). */
enum rnl_port_cap {
	RNL_CAP_TX_IPV4_CKSUM = 1u << 0, /**< fills the IPv4 header checksum */
	RNL_CAP_TX_TCP_CKSUM = 1u << 1,  /**< fills the TCP checksum, given the pseudo header's */
	RNL_CAP_TX_MULTI_SEGS = 1u << 2, /**< sends chained packets */
	RNL_CAP_TX_TSO = 1u << 3,        /**< cuts TCP segments larger than tso_segsz */
	RNL_CAP_TX_TSO_ECN = 1u << 5,    /**< what it cuts keeps AE, CWR and ECE on every segment, as
					      RFC 9768 3.3.4 wants; devices made for RFC 3168 do not */
	RNL_CAP_RAW_IP = 1u << 4,        /**< no Ethernet: packets start at the IP header, no neighbours */
};

/** What an Ethernet port does for IPv6 by itself (struct rnl_port.ipv6); 0: what addresses need. */
enum rnl_port_ipv6 {
	RNL_IPV6_ROUTERS = 1u << 0,  /**< asks for routers, and takes what they advertise: default
					  routes, prefixes on link, MTU, hop limit, timers (RFC 4861) */
	RNL_IPV6_AUTOCONF = 1u << 1, /**< and makes addresses of their prefixes (RFC 4862) */
	RNL_IPV6_EUI64 = 1u << 2,    /**< interface identifiers from the Ethernet address (RFC 4291)
					  instead of stable opaque ones (RFC 7217) */
	RNL_IPV6_NO_DAD = 1u << 3,   /**< uses addresses at once, unchecked (DupAddrDetectTransmits 0) */
};

/** A port as it is attached to one stack. rnl_port_add() copies it; ops and ctx must live on. */
struct rnl_port {
	uint32_t size; /**< sizeof(struct rnl_port) */
	const struct rnl_port_ops *ops; /**< its two bursts */
	void *ctx;        /**< first argument of ops */
	uint8_t mac[6];   /**< own Ethernet address */
	uint16_t mtu;     /**< largest IP packet, octets, at least 576; 0: 1500 */
	uint16_t vlan;    /**< VLAN that this stack lives in: 0 none, else 1-4094 */
	uint32_t caps;    /**< enum rnl_port_cap, or-ed */
	uint16_t tso_max_segs; /**< longest mbuf chain that a TSO packet may be; 0: 16 */
	uint32_t tso_max_bytes; /**< largest TSO payload, octets; 0: 61440 */
	uint32_t ipv6;    /**< enum rnl_port_ipv6, or-ed; not for ports with RNL_CAP_RAW_IP */
};

/* ---- outcomes ------------------------------------------------------------------------------- */

/** Why a connection ended: the argument of `closed`. Frozen: values are only ever added. */
enum rnl_reason {
	RNL_REASON_NORMAL = 0,        /**< both directions were closed in order */
	RNL_REASON_REFUSED,           /**< RST answered our SYN */
	RNL_REASON_RESET,             /**< the peer sent RST */
	RNL_REASON_TIMEOUT_CONNECT,   /**< no answer to our SYN in time */
	RNL_REASON_TIMEOUT_RETRANSMIT,/**< R2 reached: data or FIN unacknowledged (RFC 9293 3.8.3) */
	RNL_REASON_TIMEOUT_USER,      /**< user timeout (RFC 9293 3.9.1.8) */
	RNL_REASON_TIMEOUT_KEEPALIVE, /**< keepalive probes unanswered (RFC 9293 3.8.4) */
	RNL_REASON_TIMEOUT_IDLE,      /**< idle timeout that the application asked for */
	RNL_REASON_UNREACHABLE,       /**< no route or neighbour, or the network said so */
	RNL_REASON_NO_RESOURCES,      /**< a pool ran out */
	RNL_REASON_NOT_ADMITTED,      /**< `admit` said no */
	RNL_REASON_LOCAL_ABORT,       /**< rnl_abort(), or rnl_close() with unread data or a linger
					   time that passed */
	RNL_REASON_PRODUCE_FAILED,    /**< the producer of a pull send failed */
	RNL_REASON_DESTROYED,         /**< the stack was destroyed under it */
	RNL_REASON_COUNT              /**< how many there are in this version */
};

/** @return a short name, such as "reset by peer". Never NULL; "unknown" for no reason. Any thread. */
const char *rnl_reason_text(enum rnl_reason reason);

/* ---- application callbacks ------------------------------------------------------------------ */

/** A piece of received, in-order data: it points into a packet buffer. */
struct rnl_span {
	const void *data;     /**< its first octet; not to be written to */
	uint32_t len;         /**< octets */
	struct rte_mbuf *buf; /**< the buffer, for rnl_buf_hold() */
};

/**
 * What the stack tells an application about its connections. The table must outlive everything that
 * uses it. Any member may be NULL: `received` then consumes everything, `peer_closed` then sends FIN
 * as well. `ctx` is the connection's own pointer (rnl_set_ctx); until that is set, it is the pointer
 * given to rnl_listen() or rnl_connect(). Which calls each may make: see the head of this file for
 * the sets' names.
 *
 * Order for one connection in one iteration: accepted or connected, urgent, received, writable, peer_closed,
 * timer, closed. After rnl_close() or rnl_abort() only `closed` comes.
 */
struct rnl_app_ops {
	uint32_t size; /**< sizeof(struct rnl_app_ops) */

	/**
	 * A SYN arrived; no state exists yet. @return true to let it in; false answers with RST.
	 * `listener_ctx` is the pointer given to rnl_listen(). A SYN that is retransmitted after its
	 * state went away is asked about again; so is the ACK that completes a handshake of which a SYN
	 * cookie was all that was kept. Runs inside protocol work.
	 * Calls allowed: reading, ending (of other connections), rnl_post().
	 */
	bool (*admit)(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple);
	/** A passive open finished, or with Fast Open: began with data (state SYN-RECEIVED). The place to
	 * call rnl_set_ctx(). Calls allowed: any. */
	void (*accepted)(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx);
	/** An active open finished. Calls allowed: any. */
	void (*connected)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/**
	 * In-order data is there: `n` spans, `total` octets. @return how many octets are consumed, from
	 * the front, at most `total`. The rest stays queued, closes the receive window as it grows
	 * (backpressure), and is offered again with new data or after rnl_receive_resume().
	 * Spans are valid until the callback returns, unless held with rnl_buf_hold().
	 * Calls allowed: any, and rnl_buf_hold(). rnl_close() of `c` takes effect on return, when it is
	 * known what was consumed; after rnl_abort() of `c` the spans are gone at once.
	 * rnl_receive_resume() of `c` does nothing here.
	 */
	size_t (*received)(struct rnl_stack *st, rnl_conn_t c, void *ctx,
			   const struct rnl_span *spans, unsigned int n, size_t total);
	/**
	 * A third of the send buffer is free again, or memory may be, after a send took less than it was
	 * given. Calls allowed: any.
	 */
	void (*writable)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/**
	 * The peer sent FIN, and everything before it was consumed. Sending is still possible.
	 * Calls allowed: any.
	 */
	void (*peer_closed)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/** The connection's timer (rnl_conn_timer) fired; it is off then. Calls allowed: any. */
	void (*timer)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/**
	 * The connection moved to this stack: `c` is its new handle, `old` is stale. This version moves
	 * none. Calls allowed: any.
	 */
	void (*moved)(struct rnl_stack *st, rnl_conn_t old, rnl_conn_t c, void *ctx);
	/**
	 * The end: exactly once for each connection that was accepted or that rnl_connect() returned,
	 * and the last callback for it. At the entry of TIME-WAIT for an active closer. The handle is
	 * valid for reading inside this call and stale after it.
	 * Calls allowed: any; those that would act on `c` do nothing or fail.
	 */
	void (*closed)(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason);
	/**
	 * The peer has urgent data (RFC 9293 3.8.5): the next `bytes` octets, of which none may be here
	 * yet, end where it ends. They come in line, by `received`, like all others (RFC 6093). Called
	 * before `received`, whenever the end moves; rnl_conn_info() tells how much remains. New protocols
	 * should not use it. Calls allowed: any.
	 */
	void (*urgent)(struct rnl_stack *st, rnl_conn_t c, void *ctx, uint32_t bytes);
};

/* ---- congestion control --------------------------------------------------------------------- */

/** Why a congestion response is asked for. */
enum rnl_cc_cause {
	RNL_CC_LOSS, /**< loss detected by acknowledgements: fast recovery begins */
	RNL_CC_RTO,  /**< the retransmission timer expired */
	RNL_CC_ECN,  /**< the peer echoed congestion experienced (RFC 3168, RFC 9768) */
};

/**
 * What one acknowledgement told, gathered once and passed along ACK -> loss -> congestion control.
 * For RNL_CC_RTO, where there was none, only the members that describe the connection are set:
 * now_us, delivered, lost, inflight_bytes, pipe_bytes, srtt_us, min_rtt_us.
 */
struct rnl_ack_sample {
	uint64_t now_us;          /**< time of the iteration, us */
	uint64_t delivered;       /**< octets delivered in this connection's life */
	uint64_t prior_delivered; /**< what it was when the newest segment that this acknowledgement
				       delivered was sent: a round trip is over once it reaches a
				       remembered value of `delivered` */
	uint64_t lost;            /**< octets marked lost in this connection's life */
	uint32_t acked_bytes;     /**< octets newly cumulatively acknowledged */
	uint32_t sacked_bytes;    /**< octets newly selectively acknowledged */
	uint32_t lost_bytes;      /**< octets newly marked lost */
	uint32_t ce_bytes;        /**< octets newly reported as marked with congestion experienced */
	uint32_t inflight_bytes;  /**< SND.NXT - SND.UNA before this acknowledgement (FlightSize) */
	uint32_t pipe_bytes;      /**< octets thought to be in the network after it */
	uint32_t rtt_us;          /**< round trip of this acknowledgement, us; 0: none */
	uint32_t srtt_us;         /**< smoothed round trip, us; 0: none yet */
	uint32_t min_rtt_us;      /**< shortest round trip of late, us; 0: none yet */
	uint32_t rate_delivered_bytes; /**< octets of the delivery-rate sample; 0: no sample */
	uint32_t rate_lost_bytes;      /**< octets lost in the sample's time */
	uint32_t rate_inflight_bytes;  /**< octets in the network when its segment had been sent */
	uint32_t rate_interval_us;     /**< time of the delivery-rate sample, us */
	bool cwnd_limited;        /**< the sender was held by cwnd since the last sample */
	bool app_limited;         /**< the rate sample's segment was sent when no more data waited */
	bool in_recovery;         /**< loss recovery is under way */
	bool ece;                 /**< the segment echoed congestion */
	bool sack_ok;             /**< the peer sends selective acknowledgements */
};

/** A range that was just marked lost (rnl_cc_ops.on_lost). */
struct rnl_lost_sample {
	uint64_t now_us;         /**< time of the iteration, us */
	uint64_t delivered;      /**< octets delivered in this connection's life */
	uint32_t seq,            /**< first sequence number of the range */
		end;             /**< one past its last */
	uint32_t inflight_bytes; /**< octets in the network when it had been sent */
	uint32_t lost_bytes;     /**< octets marked lost since it was sent, its own included */
	bool app_limited;        /**< it was sent when no more data waited */
	bool sack_ok;            /**< the peer sends selective acknowledgements */
};

/** What every congestion control keeps; its private octets follow in priv. */
struct rnl_cc {
	uint32_t cwnd_bytes;         /**< congestion window, octets, never 0; the module's to set */
	uint32_t ssthresh_bytes;     /**< slow-start threshold, octets; UINT32_MAX: not yet known */
	uint32_t mss;                /**< effective send MSS, octets */
	uint32_t quantum_bytes;      /**< most that may leave at once when paced; 0: two segments */
	uint64_t pacing_bytes_per_s; /**< 0: the module does not pace */
	uint64_t priv[24];           /**< the module's own; zero before init and unfold */
};

/** What a connection keeps of its congestion control while it is idle. */
struct rnl_cc_folded {
	uint32_t word[4]; /**< the module's own; word[0] must not be 0: that means "never folded" */
};

/** The module sets cwnd in fast recovery itself; otherwise RFC 9937 bounds what is sent there. */
#define RNL_CC_OWN_RECOVERY 0x1u
/** The module answers to single marks: ECN is asked for even if the options do not (RFC 8257). */
#define RNL_CC_NEEDS_ECN 0x2u
/** on_restart comes whenever sending begins with nothing in flight, however short the pause was. */
#define RNL_CC_EACH_RESTART 0x4u

/**
 * A congestion control: a const table of events, integers only, no clock. Runs inside protocol
 * work: no call of this header is allowed. All members but
 * on_lost are mandatory. The table must outlive the
 * stacks that use it.
 */
struct rnl_cc_ops {
	uint32_t size;      /**< sizeof(struct rnl_cc_ops) */
	uint32_t priv_size; /**< octets used of rnl_cc.priv, at most all of it */
	uint32_t flags;     /**< RNL_CC_* bits, 0 for most */
	const char *name;   /**< such as "newreno" */
	/** A connection begins: sets everything; cwnd_bytes to initial_window, octets (RFC 6928). */
	void (*init)(struct rnl_cc *cc, uint32_t mss, uint32_t initial_window, uint64_t now_us);
	/** Something was delivered, cumulatively or selectively, or lost; in recovery too. */
	void (*on_ack)(struct rnl_cc *cc, const struct rnl_ack_sample *s);
	/** Congestion: lower ssthresh and cwnd. At most once per round trip for each episode. */
	void (*on_congestion)(struct rnl_cc *cc, enum rnl_cc_cause why,
			      const struct rnl_ack_sample *s);
	/** The recovery that on_congestion(LOSS) began is over. */
	void (*on_recovered)(struct rnl_cc *cc, const struct rnl_ack_sample *s);
	/** The last response was spurious: restore what it lowered. */
	void (*on_undo)(struct rnl_cc *cc);
	/** Sending resumes after idle_us with nothing in flight: at least one RTO (RFC 5681 4.1), unless
	 * RNL_CC_EACH_RESTART asks for all. */
	void (*on_restart)(struct rnl_cc *cc, uint32_t initial_window, uint64_t idle_us,
			   uint32_t rto_us);
	/** The connection goes idle, cc is about to be freed: write down what must survive. */
	void (*fold)(const struct rnl_cc *cc, struct rnl_cc_folded *out);
	/** The connection is busy again; mss is set, the rest is the module's to restore. */
	void (*unfold)(struct rnl_cc *cc, const struct rnl_cc_folded *in, uint64_t now_us);
	/** A range was marked lost: before on_congestion() and on_ack() of the same event. NULL: not
	 * told. */
	void (*on_lost)(struct rnl_cc *cc, const struct rnl_lost_sample *l);
};

/** "cubic", the default: RFC 9438, with HyStart++ (RFC 9406). */
extern const struct rnl_cc_ops rnl_cc_cubic;
/** "newreno": the congestion control of RFC 5681 and RFC 6582, with HyStart++ (RFC 9406). */
extern const struct rnl_cc_ops rnl_cc_newreno;
/**
 * "dctcp": RFC 8257, with newreno's answer to losses. Only where the network marks early and every
 * end was set up for it (RFC 8257 5).
 */
extern const struct rnl_cc_ops rnl_cc_dctcp;

/** @return the congestion control of that name, or NULL: of those of the library. Any thread. */
const struct rnl_cc_ops *rnl_cc_find(const char *name);
/** @return congestion control i of the library; 0: the default; NULL past the last. Any thread. */
const struct rnl_cc_ops *rnl_cc_nth(unsigned int i);

/**
 * "bbr": draft-ietf-ccwg-bbr (version 3 of BBR): sends at the rate that the network was seen to
 * deliver, paced, and keeps its queues short.
 */
extern const struct rnl_cc_ops rnl_cc_bbr;

/** May the peer's user timeout option change ours (RFC 5482 3)? */
enum rnl_uto_change {
	RNL_UTO_DEFAULT,    /**< yes, unless user_timeout_ms is set */
	RNL_UTO_CHANGEABLE, /**< yes */
	RNL_UTO_FIXED       /**< no: rnl_conn_info() tells what the peer wishes */
};

/** linger_ms of a connection whose rnl_close() sends RST: SO_LINGER with a time of 0. */
#define RNL_LINGER_RESET UINT32_MAX

/* ---- per-connection options ----------------------------------------------------------------- */

/**
 * Explicit congestion notification (RFC 3168; RFC 9768: accurate, AccECN). A congestion control with
 * RNL_CC_NEEDS_ECN asks for AccECN whatever this says.
 */
enum rnl_ecn_mode {
	RNL_ECN_DEFAULT = 0, /**< agrees to what a peer asks for, of both kinds, and asks for nothing:
				  what accepts costs nothing, for the peer's SYN has come through;
				  where a path drops a SYN that asks, connecting takes seconds longer */
	RNL_ECN_OFF,         /**< neither asks nor agrees */
	RNL_ECN_ON,          /**< asks for, and agrees to, RFC 3168 alone */
	RNL_ECN_ACCURATE,    /**< asks for AccECN, takes RFC 3168 for an answer; agrees to both */
};

/**
 * Options of a connection; zero means the default given here. Connections with equal options share
 * them: a stack has room for 4096 different sets of options and callbacks.
 */
struct rnl_conn_opts {
	uint32_t size;               /**< sizeof(struct rnl_conn_opts) */
	uint32_t sndbuf_bytes;       /**< octets of rnl_send() and rnl_send_zc() that may wait
					  unacknowledged, at first; 0: 262144 */
	uint32_t rcvbuf_bytes;       /**< largest receive window at first, octets; 0: 262144; at most
					  1 GiB (RFC 7323 2.3) */
	uint32_t connect_timeout_ms; /**< 0: 180000 (RFC 9293 3.8.3: at least 3 minutes for SYN) */
	uint32_t user_timeout_ms;    /**< unacknowledged data older than this aborts (RFC 9293 3.9.1.8);
					  0: R2 alone */
	uint32_t idle_timeout_ms;    /**< no segment from the peer for this long aborts; 0: never */
	uint32_t keepalive_idle_ms;  /**< silence before the first probe; 0: keepalive off
					  (RFC 9293 3.8.4); SO_KEEPALIVE's is 7200000 */
	uint32_t keepalive_intvl_ms; /**< between probes; 0: 75000 */
	uint8_t keepalive_probes;    /**< unanswered ones that end the connection; 0: 9 */
	uint8_t retries2;            /**< R2 as a count of retransmissions (RFC 9293 3.8.3); 0: 15 */
	uint8_t syn_retries;         /**< SYN retransmissions; 0: 7. SYN-ACK: at most 5 of them */
	uint8_t dscp;                /**< of the packets sent (RFC 2474), 0-63 */
	uint8_t ttl;                 /**< TTL or hop limit of the packets sent; 0: 64 */
	bool nodelay;                /**< Nagle off (RFC 9293 3.7.4) */
	bool no_timestamps;          /**< do not offer or accept RFC 7323 timestamps */
	bool no_wscale;              /**< do not offer or accept window scaling */
	bool no_sack;                /**< do not offer or accept selective acknowledgements (RFC 2018) */
	bool no_delayed_ack;         /**< acknowledge each burst at once */
	bool pacing;                 /**< spread a window over the round trip, at 2 cwnd/srtt in slow
					  start and 1.2 later; congestion controls that set a rate, such
					  as "bbr", are paced without it */
	bool no_black_hole;          /**< keep the size of segments that time out again and again; else
					  after three timeouts they go on in packets of 1024 octets
					  (IPv6: 1280), later of 552 (RFC 4821 7.7) */
	bool no_soft_errors;         /**< do not report ICMP errors in soft_error (RFC 9293 3.9.1.8) */
	uint16_t mss;                /**< upper limit of the MSS that is offered; 0: from the MTU */
	uint32_t delayed_ack_us;     /**< longest delay; 0: 40000; below 500000 (RFC 9293 3.8.6.3) */
	uint32_t rto_min_us;         /**< shortest retransmission timeout; 0: 200000 */
	uint32_t fin_wait2_ms;       /**< how long a closed connection waits for FIN; 0: 60000 */
	uint32_t time_wait_ms;       /**< 2 MSL; 0: the stack's */
	uint64_t max_pacing_bytes_per_s; /**< payload is sent no faster, as with SO_MAX_PACING_RATE; 0: no
					  limit; at least 256 */
	const struct rnl_cc_ops *cc; /**< NULL: the stack's */
	uint32_t sndbuf_max_bytes;   /**< the send buffer grows up to this, to twice the congestion
					  window; 0: 4194304 if sndbuf_bytes is 0, else as that: no
					  autotuning */
	uint32_t rcvbuf_max_bytes;   /**< the receive window grows up to this while the application
					  takes in a round trip what the window allows; the window scale
					  is offered for it; 0: 6291456 if rcvbuf_bytes is 0, else as
					  that: no autotuning; at most 1 GiB */
	uint32_t linger_ms;          /**< how long rnl_close() tries to deliver data and FIN before it
					  aborts; 0: as long as retransmission goes on;
					  RNL_LINGER_RESET: RST at once */
	uint32_t uto_adv_s;          /**< user timeout that is advertised; 0: user_timeout_ms, or 300 */
	uint32_t uto_min_s;          /**< least user timeout that is adopted; 0: 100 (RFC 5482 3.1) */
	uint32_t uto_max_s;          /**< greatest; 0: 3600 or uto_min_s; at most 14400 */
	uint16_t min_mss;            /**< a peer that offers a smaller MSS is sent segments of this
					  size: bounded packets per octet; 0: 64; at least 28 */
	bool uto;                    /**< use the user timeout option (RFC 5482): advertise ours, note
					  the peer's. What is adopted replaces R2 */
	uint8_t uto_change;          /**< enum rnl_uto_change */
	uint8_t orphan_retries;      /**< R2 of a connection that the application has closed, if less
					  than retries2; 0: 8, some 100 s */
	uint8_t ecn;                 /**< enum rnl_ecn_mode; of SYNs to come */
};

/* ---- the stack ------------------------------------------------------------------------------ */

/** Process-wide secrets, the same for every stack of one endpoint; 16 random octets each. */
struct rnl_secrets {
	uint8_t isn[16];  /**< initial sequence numbers (RFC 6528) */
	uint8_t ts[16];   /**< timestamp offsets */
	uint8_t port[16]; /**< source ports (RFC 6056) */
	uint8_t flow[16]; /**< flow-table hash */
	uint8_t iid[16];  /**< interface identifiers (RFC 7217): the same key gives a host the same
			       IPv6 addresses again, so keep it from one start to the next */
	uint8_t cookie[16]; /**< SYN cookies (RFC 4987 3.6) */
	uint8_t tfo[16];    /**< Fast Open cookies (RFC 7413 4.1.2): keep it from one start to the next,
			       and clients keep their round trip */
};

/**
 * When a listener answers a SYN with a cookie instead of keeping a half-open connection (RFC 4987
 * 3.6). With a cookie, the peer's MSS is rounded down to a common one; window scale, SACK and ECN
 * survive when the peer sent timestamps; a SYN-ACK is not retransmitted; a peer that waits for us to
 * speak first hangs if its ACK is lost; an ACK that is replayed within 192 s opens a connection again.
 */
enum rnl_syncookies {
	RNL_SYNCOOKIES_DEFAULT = 0, /**< of a listener: the stack's; of a stack: auto */
	RNL_SYNCOOKIES_AUTO,        /**< when the backlog is full or no half-open block is free */
	RNL_SYNCOOKIES_ALWAYS,      /**< each SYN, but one that reuses a TIME-WAIT connection */
	RNL_SYNCOOKIES_NEVER,       /**< what finds no room is dropped; no ACK is taken for a cookie */
	RNL_SYNCOOKIES_COUNT        /**< one past the last */
};

/** Severity of a log line: the values of rte_log. */
enum rnl_log_level {
	RNL_LOG_ERR = 4,     /**< something that was asked for does not work */
	RNL_LOG_WARNING = 5, /**< something works worse than it should */
	RNL_LOG_INFO = 7,    /**< something changed */
	RNL_LOG_DEBUG = 8    /**< for finding faults */
};

/**
 * Where log lines go: at most once a second, which of the outcomes that somebody should act on
 * happened (a pool that is empty, an address that another host uses), how often, and what to do.
 * `text` has no newline. Runs on the worker; must not block. Calls allowed: reading.
 */
typedef void (*rnl_log_fn)(void *ctx, enum rnl_log_level level, const char *module,
			   const char *text);

/**
 * A packet that is not for this stack: another protocol, Ethernet type, VLAN, Ethernet or IP
 * address. It starts as it was received on `port`, the index on this stack. @return true if the hook
 * took the packet, which belongs to the caller then; false leaves it to be counted and freed.
 * Runs inside protocol work. Calls allowed: reading, ending, rnl_post().
 */
typedef bool (*rnl_unclaimed_fn)(void *ctx, struct rnl_stack *st, unsigned int port,
				 struct rte_mbuf *m);

/** What rnl_stack_create() needs; copied. */
struct rnl_stack_config {
	uint32_t size;        /**< sizeof(struct rnl_stack_config) */
	uint32_t id;          /**< number of this stack, 0-255: part of every rnl_conn_t */
	int socket_id;        /**< NUMA node of its memory, -1: any */
	uint32_t max_conns;   /**< established connections; 0: 65536 */
	uint32_t max_minis;   /**< half-open and TIME-WAIT ones; 0: as max_conns */
	uint32_t max_busy;    /**< connections with anything queued or in flight; 0: as max_conns */
	uint32_t max_held;    /**< received buffers that connections and the application may keep;
				   below the size of the pools that ports receive into;
				   0: 3/4 of pkt_pool's size; at least 8 */
	uint16_t burst;       /**< packets per receive burst, 1-256; 0: 32 */
	uint16_t txq_size;    /**< packets that may wait for a full port, power of two; 0: 1024 */
	struct rte_mempool *pkt_pool; /**< buffers for copied data; room of at least 1600 octets
					   beyond RTE_PKTMBUF_HEADROOM */
	struct rte_mempool *hdr_pool; /**< buffers for headers and attached data; room of at least 64
					   beyond RTE_PKTMBUF_HEADROOM */
	struct rnl_secrets secrets;   /**< must be random in production */
	uint64_t seed;                /**< of the stack's pseudo-random numbers (jitter) */
	uint64_t now_ns;              /**< the time: what is called before the first rnl_poll() uses it */
	uint32_t time_wait_ms;        /**< 2 MSL; 0: 60000 */
	uint32_t neigh_reachable_ms;  /**< age at which a neighbour is probed again; 0: 30000 */
	const struct rnl_cc_ops *cc;  /**< default congestion control; NULL: rnl_cc_cubic */
	rnl_log_fn log;               /**< NULL: rte_log */
	void *log_ctx;                /**< first argument of log */
	rnl_unclaimed_fn unclaimed;   /**< NULL: such packets are counted and freed */
	void *unclaimed_ctx;          /**< first argument of unclaimed */
	uint32_t max_hosts;           /**< remote hosts whose path MTU and Fast Open cookie are
					   remembered, at most 2^24; 0: 4096 */
	uint32_t pmtu_ms;             /**< how long a path MTU that was lowered counts before larger
					   packets are tried (RFC 1191 6.3), ms, at least 300000 (RFC
					   8201 4); UINT32_MAX: for ever; 0: 600000 */
	uint8_t syncookies;           /**< enum rnl_syncookies; 0: auto */
	uint32_t max_fragments;       /**< packets of TCP that may be incomplete at once because they
					   arrive in fragments (RFC 791 3.2, RFC 8200 4.5), at most 65536;
					   they hold at most a quarter of max_held, for 15 s; UINT32_MAX:
					   fragments are dropped; 0: 64 */
};

/**
 * Makes a stack: reserves everything that it will ever use, on the NUMA node asked for; pages that
 * are never touched cost nothing. Needs an initialised EAL for the pools alone. The pools may be
 * shared by stacks and must outlive them.
 * @return 0, -EINVAL, -ENOMEM; err says what to change.
 */
int rnl_stack_create(const struct rnl_stack_config *cfg, struct rnl_stack **out,
		     struct rnl_error *err);
/**
 * Aborts every connection (`closed` with RNL_REASON_DESTROYED, no packet sent) and frees everything.
 * The calling thread is the worker for this call; not inside a callback. Buffers held with
 * rnl_buf_hold() are to be released before.
 * @return 0; -EBUSY: packets that a device or a peer stack still holds point into zero-copy memory,
 * so its releases and those connections' `closed` have not run: stop the device, let the peer go on
 * or destroy it, and call again. Meanwhile no other call on this stack is allowed. NULL: 0.
 */
int rnl_stack_destroy(struct rnl_stack *st);
/**
 * Replaces the secrets of cookies. SYN cookies of the old one are taken for 192 s more, Fast Open
 * cookies until the next rotation (RFC 7413 4.1.2): a client that brings one gets a new one. Post it to
 * every stack of the endpoint (rnl_post()), every few hours at most: two rotations within 192 s fail
 * the handshakes under way. On the worker.
 * @param st its stack
 * @param cookie 16 random octets for SYN cookies, the same for every stack; NULL: stays
 * @param tfo likewise for Fast Open cookies
 */
void rnl_secrets_rotate(struct rnl_stack *st, const uint8_t *cookie, const uint8_t *tfo);
/** @return the id given in the configuration. */
uint32_t rnl_stack_id(const struct rnl_stack *st);
/** @return the time of the last rnl_poll() (before it: now_ns of the configuration), ns. */
uint64_t rnl_now_ns(const struct rnl_stack *st);

/**
 * Attaches a port, for the stack's life. @return its index on this stack (0-7), or -EINVAL, -ENOMEM,
 * -ENOSPC (8 are there).
 */
int rnl_port_add(struct rnl_stack *st, const struct rnl_port *port, struct rnl_error *err);
/**
 * Gives a port an address; its prefix becomes an on-link route. prefix_len counts from the address's
 * own first bit: at most 32 for IPv4, 128 for IPv6. On an Ethernet port an IPv6 address is checked
 * for duplicates first (RFC 4862 5.4): rnl_poll() takes one to two seconds for that, in which it is
 * not used; see rnl_usage.addrs_tentative and RNL_IPV6_NO_DAD. The first one also gives the port a
 * link-local address. @return 0, -EINVAL, -EEXIST, -ENOSPC (1024 addresses, 64 routes).
 */
int rnl_addr_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
		 unsigned int prefix_len, struct rnl_error *err);
/**
 * Adds a route through a gateway that is on link (prefix_len 0: the default route of the gateway's
 * family; IPv4 prefix lengths count from the IPv4 address).
 * @return 0, -EINVAL, -ENETUNREACH (the gateway is not on link), -EEXIST, -ENOSPC (64 routes).
 */
int rnl_route_add(struct rnl_stack *st, const struct rnl_addr *prefix, unsigned int prefix_len,
		  const struct rnl_addr *gateway, struct rnl_error *err);
/** Adds a neighbour that never ages and is never asked for. @return 0, -EINVAL, -ENOSPC. */
int rnl_neigh_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
		  const uint8_t mac[6], struct rnl_error *err);

/**
 * One iteration: receive -> parse -> look up -> TCP -> timers due -> application events -> output ->
 * transmit. Functions posted with rnl_post() run first. now_ns must not go back. Not inside a
 * callback.
 * @return how many packets and events were handled; 0: the iteration found no work.
 */
unsigned int rnl_poll(struct rnl_stack *st, uint64_t now_ns);
/**
 * @return when rnl_poll() must run again at the latest if no packet comes, ns; UINT64_MAX: never. May
 * be early, never late. rnl_post() and rnl_input() do not wake a loop that sleeps: their caller must.
 */
uint64_t rnl_next_deadline(const struct rnl_stack *st);
/**
 * Hands in packets that the caller received itself on `port` (its index); they belong to the stack
 * then. Handled by the next rnl_poll(), after what the port's rx gives.
 * @return how many were taken: at most 256 between two polls, 0 for no such port. The rest stay the
 * caller's.
 */
uint16_t rnl_input(struct rnl_stack *st, unsigned int port, struct rte_mbuf **m, uint16_t n);
/**
 * Runs fn(st, arg) on the stack's worker, at the begin of the next iteration (32 in each, in order).
 * Any thread. fn may make any call. @return 0, or -ENOSPC when the queue is full: try again.
 */
int rnl_post(struct rnl_stack *st, void (*fn)(struct rnl_stack *st, void *arg), void *arg);

/* ---- listening and connecting --------------------------------------------------------------- */

/** What rnl_listen() needs; copied, but ops and ctx must live on. */
struct rnl_listen_config {
	uint32_t size;        /**< sizeof(struct rnl_listen_config) */
	struct rnl_addr addr; /**< address or prefix; no bit is set behind prefix_len */
	uint8_t prefix_len;   /**< 0: any address of either family; 128 (or, for IPv4, 32): one */
	uint16_t port_first;  /**< 0 with port_last 0: any port */
	uint16_t port_last;   /**< 0: as port_first */
	uint32_t backlog;     /**< half-open connections at once, SYNs beyond get cookies or are
				   dropped (`syncookies`); 0: 1024. Established ones do not count: there is
				   no accept queue, `accepted` is called at once */
	const struct rnl_app_ops *ops; /**< callbacks of its connections */
	void *ctx; /**< listener_ctx, and ctx of its connections until rnl_set_ctx() */
	struct rnl_conn_opts opts; /**< options of its connections */
	uint8_t syncookies; /**< enum rnl_syncookies; 0: the stack's */
	uint32_t fastopen;  /**< TCP Fast Open (RFC 7413): connections that may be open at once before
			       their handshake is complete, `accepted` called and data of their SYN given
			       to the application; those that the peer reset count for a minute more.
			       Only for protocols that bear the same request twice: a SYN that the network
			       doubled may come after the connection ended. 0: off */
};

/**
 * Listens. The most specific listener gets a SYN: longest prefix, then narrowest port range.
 * @return 0, -EINVAL, -EADDRINUSE (same addresses and ports), -ENOSPC (1024 listeners, or too many
 * sets of options).
 */
int rnl_listen(struct rnl_stack *st, const struct rnl_listen_config *cfg, rnl_listener_t *out,
	       struct rnl_error *err);
/**
 * Replaces the options of the connections that a listener accepts from now on, half-open ones
 * excepted. @return 0, -ENOENT, -EINVAL, -ENOSPC (too many sets of options).
 */
int rnl_listener_set_opts(struct rnl_stack *st, rnl_listener_t l, const struct rnl_conn_opts *opts,
			  struct rnl_error *err);
/** Stops listening; established connections live on, half-open ones are dropped. @return 0, -ENOENT. */
int rnl_unlisten(struct rnl_stack *st, rnl_listener_t l);

/** What rnl_connect() needs; copied, but ops and ctx must live on. */
struct rnl_connect_config {
	uint32_t size;         /**< sizeof(struct rnl_connect_config) */
	struct rnl_addr raddr; /**< may not be broadcast, multicast or unspecified (RFC 9293 3.9.1.1) */
	uint16_t rport;        /**< not 0 */
	struct rnl_addr laddr; /**< one of this stack's addresses; all zero: by the route, for IPv6 as
				    RFC 6724 5 has it. A link-local raddr is on laddr's port, else on
				    the first */
	uint16_t lport;        /**< 0: chosen (RFC 6056) within the range below */
	uint16_t lport_first;  /**< 0: 32768 */
	uint16_t lport_last;   /**< 0: 60999 */
	const struct rnl_app_ops *ops; /**< its callbacks */
	void *ctx;                     /**< its pointer, as rnl_set_ctx() */
	struct rnl_conn_opts opts;     /**< its options */
};

/**
 * Begins an active open; `connected` or `closed` follows, never before this returns.
 * @return 0, -EINVAL, -ENETUNREACH (no route), -EADDRNOTAVAIL (no port is free, or the tuple is in
 * use, or the route's port has no address of that family, or that is being checked or a duplicate),
 * -ENOBUFS (a pool is empty, or the stack is being destroyed), -ENOSPC (too many neighbours or
 * sets of options).
 */
int rnl_connect(struct rnl_stack *st, const struct rnl_connect_config *cfg, rnl_conn_t *out);

/* ---- a connection --------------------------------------------------------------------------- */

/** Sets the pointer that callbacks get. @return 0, -ESTALE. */
int rnl_set_ctx(struct rnl_stack *st, rnl_conn_t c, void *ctx);
/** @return the connection's pointer, or NULL when the handle is stale. */
void *rnl_get_ctx(struct rnl_stack *st, rnl_conn_t c);
/**
 * Replaces the options; those behind opts->size stay. What was negotiated stays, and so does the
 * congestion control. @return 0, -ESTALE, -EINVAL, -ENOSPC.
 */
int rnl_set_opts(struct rnl_stack *st, rnl_conn_t c, const struct rnl_conn_opts *opts);
/** @return 0 and the options in force, defaults filled in, of which opts->size octets; or -ESTALE. */
int rnl_get_opts(struct rnl_stack *st, rnl_conn_t c, struct rnl_conn_opts *opts);

/**
 * Queues a copy of data. @return octets taken, 0 to len: less than len means that the send buffer
 * (or memory) is full, and `writable` follows. While connecting, data is queued.
 * -ESTALE, -EPIPE (after shutdown or close), -ENOTCONN (it has ended; `closed` follows).
 */
ssize_t rnl_send(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len);

/**
 * As rnl_send(), and calls the octets taken, with all before them that are not acknowledged, urgent
 * (RFC 9293 3.10.2): the peer's application is told, even when its window is closed. Which of them are
 * meant is for the application's protocol to say: receivers differ (RFC 6093 3).
 */
ssize_t rnl_send_urgent(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len);

/**
 * Called when the stack and the driver are done with the memory of a zero-copy or pull send: on the
 * worker, exactly once for each send that took anything, always before `closed`, after an abort and
 * in rnl_stack_destroy() too. Where a port hands buffers to another stack of the process (net_ring),
 * "the driver is done" means that the peer's application let go of the data as well.
 * Calls allowed: any.
 */
typedef void (*rnl_release_fn)(struct rnl_stack *st, void *arg);
/**
 * Queues data without copying it. The memory must stay unchanged until `release` (NULL: nobody is
 * told) runs, and be known to DPDK (hugepages, or rte_extmem_register) if the port does DMA.
 * @return len or 0, never part of it. 0: no room, `writable` follows; data longer than the whole send
 * buffer is taken when that is empty. Or as rnl_send(), or -EINVAL (len is 2 GiB or more).
 */
ssize_t rnl_send_zc(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len,
		    rnl_release_fn release, void *arg);

/**
 * Writes exactly `len` octets of the stream's pull part, from `offset` on, to dst. Must write
 * identical octets whenever it is asked for the same offset again (retransmission), until `release`.
 * Runs inside protocol work: no call of this header is allowed.
 * @return 0; anything else aborts the connection with RNL_REASON_PRODUCE_FAILED.
 */
typedef int (*rnl_produce_fn)(void *arg, uint64_t offset, void *dst, uint32_t len);
/**
 * Queues `len` octets (UINT64_MAX: without end) that are asked of `produce` when they are sent; no
 * send buffer is held, so that sndbuf_bytes does not limit it. `release` (may be NULL) as with
 * rnl_send_zc(). Offsets count from 0 at the begin of this call's data. What is sent afterwards
 * follows it in the stream.
 * @return 0, -ESTALE, -EPIPE, -ENOTCONN, -EINVAL (len is 0), -ENOBUFS (a pool is empty).
 */
int rnl_send_pull(struct rnl_stack *st, rnl_conn_t c, rnl_produce_fn produce, void *arg,
		  uint64_t len, rnl_release_fn release);
/**
 * @return octets of room in the send buffer: what rnl_send() would take now if memory lasts; 0 when a
 * send would fail.
 */
size_t rnl_send_room(struct rnl_stack *st, rnl_conn_t c);

/** Offers queued received data again (after `received` consumed less than all). @return 0, -ESTALE. */
int rnl_receive_resume(struct rnl_stack *st, rnl_conn_t c);
/**
 * Keeps a span's buffer past `received`, whether its octets are consumed or not. It counts against
 * max_held. Only inside `received`, for one of its spans; each hold needs its rnl_buf_release().
 * @return 0, -ENOBUFS (max_held is reached: copy instead).
 */
int rnl_buf_hold(struct rnl_stack *st, const struct rnl_span *span);
/** Gives a held buffer (rnl_span.buf) back. On the worker, before the stack is destroyed. */
void rnl_buf_release(struct rnl_stack *st, struct rte_mbuf *buf);

/**
 * Half-close: FIN after the queued data; receiving goes on (RFC 9293 3.6).
 * @return 0, -ESTALE, -EPIPE (done before).
 */
int rnl_shutdown(struct rnl_stack *st, rnl_conn_t c);
/**
 * Closes in order: queued data and FIN are still delivered; `closed` follows. Data that was received
 * and not consumed, or that arrives later, makes it an abort (RFC 9293 3.6.1); so does closing before
 * the peer answered an active open (RFC 9293 3.10.4). No callback but `closed` (and releases) comes
 * after this; never inside this call. A peer that is silent, or keeps its window shut, is given up after
 * opts.orphan_retries (at most 16 probes); opts.linger_ms bounds the whole. @return 0, -ESTALE.
 */
int rnl_close(struct rnl_stack *st, rnl_conn_t c);
/**
 * Sends RST (RFC 9293 3.10.5) and forgets everything queued; `closed` follows, never inside this
 * call. @return 0, -ESTALE.
 */
int rnl_abort(struct rnl_stack *st, rnl_conn_t c);

/**
 * Arms the connection's one timer for at_ns (0: disarms it), anew if it was armed. Millisecond
 * resolution, never early; at most 24 days away. @return 0, -ESTALE.
 */
int rnl_conn_timer(struct rnl_stack *st, rnl_conn_t c, uint64_t at_ns);
/** Called once when a stack timer is due; its handle is stale then. Calls allowed: any. */
typedef void (*rnl_timer_fn)(struct rnl_stack *st, void *arg);
/**
 * Arms a timer of the stack for at_ns, microsecond resolution, never early. `out` may be NULL.
 * @return 0, -ENOSPC (4096 are armed).
 */
int rnl_timer_start(struct rnl_stack *st, uint64_t at_ns, rnl_timer_fn fn, void *arg,
		    rnl_timer_t *out);
/** Disarms it. @return 0, -ESTALE (it fired or was stopped). */
int rnl_timer_stop(struct rnl_stack *st, rnl_timer_t t);

/** State of RFC 9293 3.3.2; the values of Linux's tcpi_state. */
enum rnl_state {
	RNL_ESTABLISHED = 1, /**< data flows both ways */
	RNL_SYN_SENT,        /**< our SYN waits for its answer */
	RNL_SYN_RECEIVED,    /**< both SYNs went by, ours is unacknowledged */
	RNL_FIN_WAIT_1,      /**< our FIN is queued or unacknowledged, the peer's is not here */
	RNL_FIN_WAIT_2,      /**< our FIN is acknowledged, the peer's is not here */
	RNL_TIME_WAIT,       /**< both FINs are acknowledged, ours came first: waits for 2 MSL */
	RNL_CLOSED,          /**< no connection any more; `closed` is about to be called */
	RNL_CLOSE_WAIT,      /**< the peer's FIN is here, ours is not asked for yet */
	RNL_LAST_ACK,        /**< the peer's FIN came first, ours is queued or unacknowledged */
	RNL_LISTEN,          /**< never the state of a connection: rnl_listener_t */
	RNL_CLOSING,         /**< the FINs crossed, ours is unacknowledged */
	RNL_STATE_COUNT      /**< one past the last */
};

/** @return the RFC's name, such as "FIN-WAIT-1". Never NULL; "unknown" for no state. Any thread. */
const char *rnl_state_text(enum rnl_state state);

/**
 * What is known of a connection: the fields of Linux's struct tcp_info by the same names and in the
 * same units. Those that "count while busy" belong to the working set: they begin anew when the
 * connection had been idle (nothing queued or in flight for a retransmission timeout), and are 0
 * while it is. A field that nothing feeds in this version says so and is 0. Left out, because nothing
 * here has their meaning: tcpi_fackets, tcpi_last_ack_sent, tcpi_rehash, tcpi_fastopen_client_fail.
 */
struct rnl_conn_info {
	struct rnl_tuple tuple;   /**< both ends */
	uint8_t tcpi_state;       /**< enum rnl_state */
	uint8_t tcpi_ca_state;    /**< 0 open, 3 recovery, 4 loss */
	uint8_t tcpi_retransmits; /**< unanswered retransmissions now */
	uint8_t tcpi_probes;      /**< unanswered probes now */
	uint8_t tcpi_backoff;     /**< how often the retransmission timeout was doubled */
	uint8_t tcpi_options;     /**< 1 timestamps, 2 SACK, 4 window scale, 8 ECN, 16 a packet with
				       an ECN mark was received, 32 data on the SYN was acknowledged
				       (RFC 7413) */
	uint8_t tcpi_snd_wscale,  /**< the peer's window shift (RFC 7323 2) */
		tcpi_rcv_wscale;  /**< our window shift */
	uint32_t tcpi_rto;        /**< retransmission timeout, us */
	uint32_t tcpi_ato;        /**< delay of a delayed ACK, us */
	uint32_t tcpi_snd_mss,    /**< most payload octets that a segment of ours has */
		tcpi_rcv_mss;     /**< most payload octets that a segment of the peer had */
	uint32_t tcpi_unacked;    /**< segments in flight */
	uint32_t tcpi_sacked,     /**< segments of these that left the network, by duplicate ACKs */
		tcpi_lost,        /**< segments of these taken for lost */
		tcpi_retrans;     /**< segments of these that were sent again */
	uint32_t tcpi_last_data_sent, /**< since we last sent payload, ms; 0 while idle */
		tcpi_last_data_recv,  /**< since payload last came, ms; 0 while idle */
		tcpi_last_ack_recv;   /**< since the last acceptable segment came, ms */
	uint32_t tcpi_pmtu;       /**< largest IP packet that the path takes, as far as is known, octets */
	uint32_t tcpi_rcv_ssthresh; /**< receive buffer in force, octets: autotuning moves it */
	uint32_t tcpi_rtt,        /**< smoothed round trip, us; 0: not measured (RFC 6298 2) */
		tcpi_rttvar;      /**< its variation, us */
	uint32_t tcpi_snd_ssthresh, /**< slow-start threshold, segments; UINT32_MAX: not yet known */
		tcpi_snd_cwnd;    /**< congestion window, segments. Both are 0 while idle */
	uint32_t tcpi_advmss;     /**< payload octets that a packet of ours has room for */
	uint32_t tcpi_rcv_rtt,    /**< round trip as the receiver sees it, us; 0: not measured */
		tcpi_rcv_space;   /**< octets that the application took in one round trip, at most */
	uint32_t tcpi_total_retrans; /**< segments retransmitted; counts while busy */
	uint64_t tcpi_bytes_acked, /**< payload octets acknowledged in the connection's life */
		tcpi_bytes_received; /**< payload octets received in order in the connection's life */
	uint32_t tcpi_segs_out,   /**< segments sent, SYN left out; counts while busy */
		tcpi_segs_in;     /**< acceptable segments received; counts while busy */
	uint32_t tcpi_notsent_bytes; /**< octets queued and not sent once */
	uint32_t tcpi_min_rtt;    /**< shortest round trip of the last half to whole minute, us; 0: none */
	uint32_t tcpi_data_segs_in, /**< segments with payload received; counts while busy */
		tcpi_data_segs_out; /**< segments with payload sent, again or not; counts while busy */
	uint64_t tcpi_busy_time,  /**< with data queued or in flight, us; counts while busy */
		tcpi_rwnd_limited, /**< of it: held by the peer's window, us */
		tcpi_sndbuf_limited; /**< of it: the application waited for room to send, us */
	uint32_t tcpi_delivered;  /**< segments' worth of payload delivered; counts while busy */
	uint64_t tcpi_bytes_sent, /**< payload octets sent, again or not; counts while busy */
		tcpi_bytes_retrans; /**< of them: sent again */
	uint32_t tcpi_dsack_dups, /**< D-SACKs received; counts while busy */
		tcpi_reord_seen,  /**< how often the order of delivery was seen to change; while busy */
		tcpi_reordering;  /**< segments that one came late, at least 3 */
	uint32_t tcpi_rcv_ooopack; /**< segments that came out of order; counts while busy */
	uint32_t tcpi_snd_wnd,    /**< the peer's window, octets */
		tcpi_rcv_wnd;     /**< our window, octets */
	uint16_t tcpi_total_rto,  /**< retransmission timeouts; counts while busy */
		tcpi_total_rto_recoveries; /**< rows of timeouts of which the first is the begin */
	uint64_t tcpi_pacing_rate, /**< octets per second; UINT64_MAX: not paced */
		tcpi_max_pacing_rate; /**< opts.max_pacing_bytes_per_s; UINT64_MAX: no limit */
	uint64_t tcpi_delivery_rate; /**< octets per second that arrived of late; 0: not measured */
	bool tcpi_delivery_rate_app_limited; /**< the application gave no more when that was measured */
	uint32_t unread_bytes;    /**< octets in order, not consumed */
	uint32_t ooo_bytes;       /**< octets waiting out of order */
	uint32_t unacked_bytes;   /**< sequence numbers in flight */
	uint32_t urgent_bytes;    /**< octets that the peer calls urgent, not consumed
				       (RFC 9293 3.8.5, MUST-33); 0 while idle */
	uint32_t user_timeout_ms; /**< user timeout in force: own, or adopted (RFC 5482); 0: none */
	uint32_t peer_uto_s;      /**< the peer's, rounded up by at most 1/16; 0: none came */
	uint32_t sndbuf_bytes;    /**< send buffer in force, octets: autotuning moves it */
	uint8_t tcpi_ecn_mode;    /**< 0 none, 1 RFC 3168, 2 AccECN, 3 asked for */
	uint32_t tcpi_delivered_ce, /**< packets of ours reported as marked with congestion experienced;
					 with RFC 3168: acknowledgements that echoed it */
		tcpi_received_ce; /**< packets received with that mark */
	uint32_t tcpi_delivered_ce_bytes, /**< payload octets of ours reported as marked so: the
					       counters of AccECN are modulo 2^24 */
		tcpi_delivered_e0_bytes, /**< as ECT(0), since the connection was last idle */
		tcpi_delivered_e1_bytes; /**< as ECT(1), since the connection was last idle */
	uint32_t tcpi_received_ce_bytes, /**< payload octets received so marked, modulo 2^24 */
		tcpi_received_e0_bytes, /**< received with ECT(0), modulo 2^24 */
		tcpi_received_e1_bytes; /**< received with ECT(1), modulo 2^24 */
	const char *cc;           /**< name of the congestion control */
	int soft_error;           /**< last soft error as errno, 0: none (RFC 9293 3.9.1.8) */
};

/** @return 0 and what is known, or -ESTALE. */
int rnl_conn_info(struct rnl_stack *st, rnl_conn_t c, struct rnl_conn_info *info);
/**
 * Calls fn for each connection (not half-open or TIME-WAIT ones) until it returns false. Slow: looks
 * at every block. fn may make the reading calls; it may not close or abort.
 */
void rnl_conn_foreach(struct rnl_stack *st,
		      bool (*fn)(void *arg, rnl_conn_t c, const struct rnl_conn_info *info),
		      void *arg);

/* ---- numbers -------------------------------------------------------------------------------- */

/** @return how many counters a stack has. Any thread, as the two below. */
unsigned int rnl_counters_count(void);
/** @return the name of counter i, such as "tcp_rx_bad_checksum"; NULL past the last. */
const char *rnl_counter_name(unsigned int i);
/** @return what counter i means, one sentence; NULL past the last. */
const char *rnl_counter_text(unsigned int i);
/** Copies the first n counters, or all. Any thread: each is read whole, not all of one instant. */
void rnl_counters_read(const struct rnl_stack *st, uint64_t *out, unsigned int n);

/** What a stack holds now. */
struct rnl_usage {
	uint32_t conns,             /**< connections */
		conns_max;          /**< their limit */
	uint32_t minis,             /**< half-open and TIME-WAIT ones */
		minis_max;          /**< their limit */
	uint32_t busy,              /**< connections with anything queued or in flight */
		busy_max;           /**< their limit */
	uint32_t held,              /**< received buffers waiting for, or held by, the application */
		held_max;           /**< their limit */
	uint32_t hosts,             /**< remote hosts remembered */
		hosts_max;          /**< their limit */
	uint32_t txq;               /**< packets waiting for a port */
	uint32_t listeners,         /**< listeners */
		neighbours,         /**< neighbours known or asked for */
		routes;             /**< routes */
	uint32_t addrs,             /**< own addresses */
		addrs_tentative,    /**< of these, IPv6 ones that are being checked: not used yet */
		addrs_duplicate;    /**< of these, IPv6 ones that another host has: not used */
	uint32_t bytes_per_conn;    /**< resident octets of an idle connection, flow table's share included */
};
/** An own address, as rnl_addr_foreach() tells it. */
struct rnl_addr_info {
	struct rnl_addr addr; /**< the address */
	uint8_t prefix_len; /**< of its family: at most 32 or 128 */
	uint8_t state;      /**< enum rnl_addr_state */
	uint16_t port;      /**< index on this stack */
};
/** Calls fn for each own address, given or made here, until it returns false. */
void rnl_addr_foreach(const struct rnl_stack *st,
		      bool (*fn)(void *arg, const struct rnl_addr_info *info), void *arg);

/** Reads it. On the worker. */
void rnl_usage(const struct rnl_stack *st, struct rnl_usage *out);

/* ---- DPDK devices and workers --------------------------------------------------------------- */
/*
 * For those who own neither a port nor a loop. Needs an initialised EAL. Appliances with their own
 * receive path use rnl_port_add() and rnl_input() directly and none of this.
 */

/** A configured and started ethdev port. */
struct rnl_dev;

/** What rnl_dev_open() needs; copied. */
struct rnl_dev_config {
	uint32_t size;         /**< sizeof(struct rnl_dev_config) */
	uint16_t port_id;      /**< ethdev port */
	uint16_t nb_rxq;       /**< receive queues; 0: 1 */
	uint16_t nb_txq;       /**< transmit queues, at least nb_rxq; 0: nb_rxq */
	uint16_t nb_rxd;       /**< receive descriptors, moved within the device's limits; 0: 1024 */
	uint16_t nb_txd;       /**< transmit descriptors, moved within the device's limits; 0: 1024 */
	uint16_t mtu;          /**< largest IP packet, octets; 0: the device's */
	uint16_t vlan;         /**< VLAN that the endpoint lives in, 1-4094; 0: untagged */
	uint32_t extra_mbufs;  /**< receive buffers per queue beyond descriptors and bursts, for data that
				    waits for the application; 0: 8192 */
	bool no_tx_offloads;   /**< make checksums and cut segments in software */
	bool promiscuous;      /**< receive frames for other Ethernet addresses too */
	uint16_t link_wait_ms; /**< how long to wait for link up, no error if it stays down; 0: 9000 */
};

/**
 * Configures and starts a device, with a receive pool for each queue on the device's NUMA node. It
 * must be stopped. Uses what the device has of checksums, TSO and chains. Blocks up to link_wait_ms.
 * @return 0, -EINVAL, -ENODEV, -ENOMEM, -EIO; on failure the device is stopped, with its old MTU.
 */
int rnl_dev_open(const struct rnl_dev_config *cfg, struct rnl_dev **out, struct rnl_error *err);
/**
 * Describes queue pair `queue` (from 0) as a port to attach to one stack; fills all of out.
 * @return 0, -EINVAL.
 */
int rnl_dev_queue(struct rnl_dev *dev, unsigned int queue, struct rnl_port *out);
/** @return how many queue pairs the device got: may be fewer than were asked for. */
unsigned int rnl_dev_queues(const struct rnl_dev *dev);
/**
 * Stops and closes the device and frees its receive pools. No stack may use its queues any more. A
 * pool of which buffers are still out is not freed. NULL does nothing.
 */
void rnl_dev_close(struct rnl_dev *dev);

/**
 * Makes the two pools of a stack: `count` data buffers, and twice as many header buffers. Names are
 * derived from `name` (unique in the process, at most 16 characters).
 * @return 0, -EINVAL, -ENOMEM, -EEXIST.
 */
int rnl_pools_create(const char *name, uint32_t count, int socket_id, struct rte_mempool **pkt_pool,
		     struct rte_mempool **hdr_pool, struct rnl_error *err);
/**
 * Frees the pools of rnl_pools_create(), after the stacks and devices that used them. A pool of which
 * buffers are still out is not freed. NULL does nothing.
 */
void rnl_pools_free(struct rte_mempool *pkt_pool, struct rte_mempool *hdr_pool);

/** @return a monotonic clock for rnl_poll(): the TSC in ns. Needs an initialised EAL. Any thread. */
uint64_t rnl_clock_ns(void);

/** What a worker did, read by any thread. */
struct rnl_worker_stats {
	uint64_t polls;       /**< iterations */
	uint64_t busy_polls;  /**< iterations that found work */
	uint64_t busy_cycles; /**< TSC cycles of those */
	uint64_t total_cycles;/**< TSC cycles since rnl_run() */
};

/** Stacks that one lcore polls, in turn. */
struct rnl_worker {
	uint32_t size;               /**< sizeof(struct rnl_worker) */
	unsigned int lcore;          /**< an lcore of the EAL; the main lcore runs inside rnl_run_main() */
	struct rnl_stack *stacks[8]; /**< up to the first NULL */
	void (*tick)(void *ctx);     /**< called every tick_us on the worker, between two iterations;
					  may make any call on its stacks; NULL: none */
	void *tick_ctx;              /**< argument of tick */
	uint32_t tick_us;            /**< at the soonest; 0: after each iteration */
	struct rnl_worker_stats stats[8]; /**< per stack; written by the worker */
	volatile bool stop;          /**< set by rnl_stop() */
};

/**
 * Starts each worker on its lcore; one on the main lcore waits for rnl_run_main(). On the main
 * thread. The workers must live until rnl_wait() returned.
 * @return 0, -EINVAL, -EBUSY (an lcore runs something); on failure none runs.
 */
int rnl_run(struct rnl_worker *workers, unsigned int n, struct rnl_error *err);
/** Runs the main lcore's worker, if there is one, on the calling (main) thread until rnl_stop(). */
void rnl_run_main(struct rnl_worker *workers, unsigned int n);
/** Asks the workers to stop after the iteration they are in. Safe in a signal handler. */
void rnl_stop(struct rnl_worker *workers, unsigned int n);
/** Waits until all have stopped, but one on the main lcore. On the main thread. */
void rnl_wait(struct rnl_worker *workers, unsigned int n);

#ifdef __cplusplus
}
#endif
#endif /* RUNNEL_H */
