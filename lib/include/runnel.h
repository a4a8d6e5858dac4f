/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runnel - a poll-mode TCP endpoint on DPDK. The one public header.
 *
 * Threading: a stack belongs to one thread at a time (its worker). Every call that takes a
 * struct rnl_stack is made on that thread, except rnl_post() and rnl_counters_read(), which any
 * thread may call. Callbacks run on the worker, after a burst's protocol work, never inside it, so
 * they may call anything here unless their own text says otherwise.
 *
 * Time: monotonic nanoseconds, given by the caller. The library never reads a clock.
 * Errors: set-up calls and data calls return a negative errno; set-up calls also fill a
 * struct rnl_error with a sentence that says what is wrong and what to do. Nothing in the library
 * prints, exits or aborts.
 * Addresses: sixteen octets in network order; an IPv4 address is held as ::ffff:a.b.c.d.
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

#define RNL_VERSION_MAJOR 0
#define RNL_VERSION_MINOR 1
#define RNL_VERSION_PATCH 0
/** Version that this header was compiled with: 0xMMmmpp. */
#define RNL_VERSION                                                                                \
	((uint32_t)RNL_VERSION_MAJOR << 16 | (uint32_t)RNL_VERSION_MINOR << 8 | RNL_VERSION_PATCH)

/** Version of the linked library, as RNL_VERSION. */
uint32_t rnl_version(void);

/** One core's whole TCP world. */
struct rnl_stack;

/** A connection, checked by generation: late use of one that ended returns -ESTALE. 0 is never valid. */
typedef uint64_t rnl_conn_t;
/** A listener on one stack. 0 is never valid. */
typedef uint32_t rnl_listener_t;
/** A timer of the stack (not of a connection). 0 is never valid. */
typedef uint64_t rnl_timer_t;

/** Why a set-up call failed and what to do about it: one line, no newline. */
struct rnl_error {
	char text[256];
};

/* ---- addresses ------------------------------------------------------------------------------ */

struct rnl_addr {
	uint8_t b[16];
};

/** Local and remote end of a connection, as seen from this stack. */
struct rnl_tuple {
	struct rnl_addr laddr, raddr;
	uint16_t lport, rport;
};

/** Longest text of an address, with its terminating zero. */
#define RNL_ADDR_STRLEN 46

/** @return an IPv4 address from its four octets (a.b.c.d). */
struct rnl_addr rnl_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
/** Parses dotted IPv4 or IPv6 text. @return 0, or -EINVAL. */
int rnl_addr_parse(const char *text, struct rnl_addr *out);
/** Writes an address as text into buf (RNL_ADDR_STRLEN octets). @return buf. */
char *rnl_addr_format(const struct rnl_addr *addr, char *buf);
/** @return whether the address is IPv4 (::ffff:0:0/96). */
bool rnl_addr_is_v4(const struct rnl_addr *addr);

/* ---- ports ---------------------------------------------------------------------------------- */

/**
 * What a stack asks of a port: two bursts. Both run on the worker.
 *
 * rx: fills m[] with at most n packets and returns how many. They then belong to the stack. Packets
 * may be chains, padded, and carry any checksum verdict in ol_flags.
 * tx: takes packets in order and returns how many it took; those then belong to the port, the
 * others stay with the stack, which offers them again later.
 */
struct rnl_port_ops {
	uint16_t (*rx)(void *port, struct rte_mbuf **m, uint16_t n);
	uint16_t (*tx)(void *port, struct rte_mbuf **m, uint16_t n);
};

/** What a port can do for the sender (struct rnl_port.caps). */
enum rnl_port_cap {
	RNL_CAP_TX_IPV4_CKSUM = 1u << 0, /**< fills the IPv4 header checksum */
	RNL_CAP_TX_TCP_CKSUM = 1u << 1,  /**< fills the TCP checksum, given the pseudo header's */
	RNL_CAP_TX_MULTI_SEGS = 1u << 2, /**< sends chained packets */
	RNL_CAP_TX_TSO = 1u << 3,        /**< cuts TCP segments larger than tso_segsz */
	RNL_CAP_RAW_IP = 1u << 4,        /**< no Ethernet: packets start at the IP header, no neighbours */
};

/** A port as it is attached to one stack. */
struct rnl_port {
	uint32_t size; /**< sizeof(struct rnl_port) */
	const struct rnl_port_ops *ops;
	void *ctx;        /**< first argument of ops */
	uint8_t mac[6];   /**< own Ethernet address */
	uint16_t mtu;     /**< largest IP packet, octets; 0: 1500 */
	uint16_t vlan;    /**< VLAN that this stack lives in: 0 none, else 1-4094 */
	uint32_t caps;    /**< enum rnl_port_cap, or-ed */
	uint16_t tso_max_segs; /**< longest mbuf chain that a TSO packet may be; 0: 16 */
	uint32_t tso_max_bytes; /**< largest TSO payload, octets; 0: 61440 */
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
	RNL_REASON_LOCAL_ABORT,       /**< rnl_abort(), or rnl_close() with unread data */
	RNL_REASON_PRODUCE_FAILED,    /**< the producer of a pull send failed */
	RNL_REASON_DESTROYED,         /**< the stack was destroyed under it */
	RNL_REASON_COUNT
};

/** @return a short name, such as "reset by peer". Never NULL. */
const char *rnl_reason_text(enum rnl_reason reason);

/* ---- application callbacks ------------------------------------------------------------------ */

/** A piece of received, in-order data: it points into a packet buffer. */
struct rnl_span {
	const void *data;
	uint32_t len;         /**< octets */
	struct rte_mbuf *buf; /**< the buffer, for rnl_buf_hold() */
};

/**
 * What the stack tells an application about its connections. Any member may be NULL.
 * `ctx` is the connection's own pointer (rnl_set_ctx); until that is set, it is the pointer given to
 * rnl_listen() or rnl_connect(). Every callback may call anything in this header on any connection
 * of the same stack, rnl_close() and rnl_abort() of its own connection included, unless said here.
 */
struct rnl_app_ops {
	uint32_t size; /**< sizeof(struct rnl_app_ops) */

	/**
	 * A SYN arrived; no state exists yet. @return true to let it in; false answers with RST.
	 * `listener_ctx` is the pointer given to rnl_listen(). May call no function on connections.
	 */
	bool (*admit)(struct rnl_stack *st, void *listener_ctx, const struct rnl_tuple *tuple);
	/** A passive open finished. The place to call rnl_set_ctx(). */
	void (*accepted)(struct rnl_stack *st, rnl_conn_t c, void *listener_ctx);
	/** An active open finished. */
	void (*connected)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/**
	 * In-order data is there: `n` spans, `total` octets. @return how many octets are consumed, from
	 * the front, at most `total`. The rest stays queued, closes the receive window as it grows
	 * (backpressure), and is offered again with new data or after rnl_receive_resume().
	 * Spans are valid until the callback returns, unless held with rnl_buf_hold().
	 */
	size_t (*received)(struct rnl_stack *st, rnl_conn_t c, void *ctx,
			   const struct rnl_span *spans, unsigned int n, size_t total);
	/** There is room in the send buffer again, after a send took less than it was given. */
	void (*writable)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/** The peer sent FIN, and everything before it was consumed. Sending is still possible. */
	void (*peer_closed)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/** The connection's timer (rnl_conn_timer) fired. */
	void (*timer)(struct rnl_stack *st, rnl_conn_t c, void *ctx);
	/** The connection moved to this stack: `c` is its new handle. */
	void (*moved)(struct rnl_stack *st, rnl_conn_t old, rnl_conn_t c, void *ctx);
	/**
	 * The end: exactly once for each connection that was accepted or that rnl_connect() returned,
	 * and the last callback for it. At the entry of TIME-WAIT for an active closer. The handle is
	 * valid for rnl_conn_info() inside this call and stale after it.
	 */
	void (*closed)(struct rnl_stack *st, rnl_conn_t c, void *ctx, enum rnl_reason reason);
};

/* ---- congestion control --------------------------------------------------------------------- */

/** Why a congestion response is asked for. */
enum rnl_cc_cause {
	RNL_CC_LOSS, /**< loss detected by acknowledgements: fast recovery begins */
	RNL_CC_RTO,  /**< the retransmission timer expired */
	RNL_CC_ECN,  /**< congestion experienced was echoed */
};

/** What one acknowledgement told, gathered once and passed along ACK -> loss -> congestion control. */
struct rnl_ack_sample {
	uint64_t now_us;
	uint64_t delivered;       /**< octets delivered in this connection's life */
	uint32_t acked_bytes;     /**< newly cumulatively acknowledged */
	uint32_t sacked_bytes;    /**< newly selectively acknowledged */
	uint32_t lost_bytes;      /**< newly marked lost */
	uint32_t inflight_bytes;  /**< in flight before this acknowledgement */
	uint32_t rtt_us;          /**< round trip of this acknowledgement, 0: none */
	uint32_t srtt_us;         /**< smoothed round trip, 0: none yet */
	uint32_t rate_delivered_bytes; /**< octets of the delivery-rate sample, 0: none */
	uint32_t rate_interval_us;     /**< time of the delivery-rate sample */
	bool cwnd_limited;        /**< the sender was held by cwnd since the last sample */
	bool in_recovery;         /**< loss recovery is under way */
	bool ece;                 /**< the segment echoed congestion */
};

/** What every congestion control keeps; its private octets follow in priv. */
struct rnl_cc {
	uint32_t cwnd_bytes;
	uint32_t ssthresh_bytes;     /**< UINT32_MAX: not yet known */
	uint32_t mss;                /**< effective send MSS, octets */
	uint32_t pad;
	uint64_t pacing_bytes_per_s; /**< 0: not paced */
	uint64_t priv[13];
};

/** What a connection keeps of its congestion control while it is idle. */
struct rnl_cc_folded {
	uint32_t word[4];
};

/**
 * A congestion control: a const table of events, integers only, no clock. Runs inside protocol
 * work: may call nothing. All members are mandatory.
 */
struct rnl_cc_ops {
	uint32_t size;      /**< sizeof(struct rnl_cc_ops) */
	uint32_t priv_size; /**< octets used of rnl_cc.priv */
	const char *name;   /**< such as "newreno" */
	/** A connection begins: sets cwnd_bytes to initial_window. */
	void (*init)(struct rnl_cc *cc, uint32_t mss, uint32_t initial_window, uint64_t now_us);
	/** New data was acknowledged. */
	void (*on_ack)(struct rnl_cc *cc, const struct rnl_ack_sample *s);
	/** Congestion: lower ssthresh and cwnd. At most once per round trip for each episode. */
	void (*on_congestion)(struct rnl_cc *cc, enum rnl_cc_cause why,
			      const struct rnl_ack_sample *s);
	/** The recovery that on_congestion(LOSS) began is over. */
	void (*on_recovered)(struct rnl_cc *cc, const struct rnl_ack_sample *s);
	/** The last response was spurious: restore what it lowered. */
	void (*on_undo)(struct rnl_cc *cc);
	/** Sending resumes after idle_us without any (RFC 5681 4.1). */
	void (*on_restart)(struct rnl_cc *cc, uint32_t initial_window, uint64_t idle_us,
			   uint32_t rto_us);
	/** The connection goes idle: what must survive. */
	void (*fold)(const struct rnl_cc *cc, struct rnl_cc_folded *out);
	/** The connection is busy again; mss is set, the rest is the module's to restore. */
	void (*unfold)(struct rnl_cc *cc, const struct rnl_cc_folded *in, uint64_t now_us);
};

/** The congestion control of RFC 5681 and RFC 6582: "newreno". */
extern const struct rnl_cc_ops rnl_cc_newreno;

/* ---- per-connection options ----------------------------------------------------------------- */

/** Options of a connection; zero means the default given here. */
struct rnl_conn_opts {
	uint32_t size;               /**< sizeof(struct rnl_conn_opts) */
	uint32_t sndbuf_bytes;       /**< octets that may wait unacknowledged; 0: 262144 */
	uint32_t rcvbuf_bytes;       /**< largest receive window; 0: 262144; at most 1 GiB */
	uint32_t connect_timeout_ms; /**< 0: 180000 (RFC 9293 3.8.3: at least 3 minutes for SYN) */
	uint32_t user_timeout_ms;    /**< unacknowledged data older than this aborts; 0: R2 alone */
	uint32_t idle_timeout_ms;    /**< no segment from the peer for this long aborts; 0: never */
	uint32_t keepalive_idle_ms;  /**< 0: keepalive off (RFC 9293 3.8.4); SO_KEEPALIVE's is 7200000 */
	uint32_t keepalive_intvl_ms; /**< 0: 75000 */
	uint8_t keepalive_probes;    /**< 0: 9 */
	uint8_t retries2;            /**< R2 as a count of retransmissions; 0: 15 */
	uint8_t syn_retries;         /**< SYN retransmissions; 0: 7. SYN-ACK: at most 5 of them */
	uint8_t dscp;                /**< 0-63 */
	uint8_t ttl;                 /**< 0: 64 */
	bool nodelay;                /**< Nagle off (RFC 9293 3.7.4) */
	bool no_timestamps;          /**< do not offer or accept RFC 7323 timestamps */
	bool no_wscale;              /**< do not offer or accept window scaling */
	bool no_delayed_ack;         /**< acknowledge each burst at once */
	uint16_t mss;                /**< upper limit of the MSS that is offered; 0: from the MTU */
	uint32_t delayed_ack_us;     /**< 0: 40000; below 500000 (RFC 9293 3.8.6.3) */
	uint32_t rto_min_us;         /**< 0: 200000 */
	uint32_t fin_wait2_ms;       /**< how long a closed connection waits for FIN; 0: 60000 */
	uint32_t time_wait_ms;       /**< 2 MSL; 0: the stack's */
	const struct rnl_cc_ops *cc; /**< NULL: the stack's */
};

/* ---- the stack ------------------------------------------------------------------------------ */

/** Process-wide secrets, the same for every stack of one endpoint; 16 random octets each. */
struct rnl_secrets {
	uint8_t isn[16];  /**< initial sequence numbers (RFC 6528) */
	uint8_t ts[16];   /**< timestamp offsets */
	uint8_t port[16]; /**< source ports (RFC 6056) */
	uint8_t flow[16]; /**< flow-table hash */
};

/** Severity of a log line: the values of rte_log. */
enum rnl_log_level { RNL_LOG_ERR = 4, RNL_LOG_WARNING = 5, RNL_LOG_INFO = 7, RNL_LOG_DEBUG = 8 };

/** Where log lines go. `text` has no newline. Runs on the worker; must not block. */
typedef void (*rnl_log_fn)(void *ctx, enum rnl_log_level level, const char *module,
			   const char *text);

/**
 * A packet that is not for this stack (another protocol, another address). @return true if the hook
 * took the packet; false leaves it to be counted and freed.
 */
typedef bool (*rnl_unclaimed_fn)(void *ctx, struct rnl_stack *st, unsigned int port,
				 struct rte_mbuf *m);

struct rnl_stack_config {
	uint32_t size;        /**< sizeof(struct rnl_stack_config) */
	uint32_t id;          /**< number of this stack, 0-255: part of every handle */
	int socket_id;        /**< NUMA node of its memory, -1: any */
	uint32_t max_conns;   /**< established connections; 0: 65536 */
	uint32_t max_minis;   /**< half-open and TIME-WAIT ones; 0: as max_conns */
	uint32_t max_busy;    /**< connections with anything queued or in flight; 0: as max_conns */
	uint32_t max_held;    /**< received buffers that may wait for the application; 0: 3/4 of the
				   size of hdr_pool's sibling pkt_pool */
	uint16_t burst;       /**< packets per receive burst, 1-256; 0: 32 */
	uint16_t txq_size;    /**< packets that may wait for a full port, power of two; 0: 1024 */
	struct rte_mempool *pkt_pool; /**< buffers for copied data; room of at least 1600 octets */
	struct rte_mempool *hdr_pool; /**< buffers for headers and attached data; room of at least 256 */
	struct rnl_secrets secrets;   /**< must be random in production */
	uint64_t seed;                /**< of the stack's pseudo-random numbers (jitter) */
	uint64_t now_ns;              /**< the time: what is called before the first rnl_poll() uses it */
	uint32_t time_wait_ms;        /**< 2 MSL; 0: 60000 */
	uint32_t neigh_reachable_ms;  /**< age at which a neighbour is probed again; 0: 30000 */
	const struct rnl_cc_ops *cc;  /**< default congestion control; NULL: rnl_cc_newreno */
	rnl_log_fn log;               /**< NULL: rte_log */
	void *log_ctx;
	rnl_unclaimed_fn unclaimed; /**< NULL: such packets are counted and freed */
	void *unclaimed_ctx;
};

/**
 * Makes a stack: allocates everything that it will ever use, on the NUMA node asked for.
 * @return 0, -EINVAL, -ENOMEM; err says what to change.
 */
int rnl_stack_create(const struct rnl_stack_config *cfg, struct rnl_stack **out,
		     struct rnl_error *err);
/**
 * Aborts every connection (`closed` with RNL_REASON_DESTROYED, no packet sent) and frees everything.
 * @return 0; -EBUSY: packets that a device or a peer stack still holds point into zero-copy memory,
 * so its releases and those connections' `closed` have not run: stop the device, let the peer go on
 * or destroy it, and call again. Meanwhile no other call on this stack is allowed. NULL: 0.
 */
int rnl_stack_destroy(struct rnl_stack *st);
/** @return the id given in the configuration. */
uint32_t rnl_stack_id(const struct rnl_stack *st);
/** @return the time of the last rnl_poll(), ns. */
uint64_t rnl_now_ns(const struct rnl_stack *st);

/** Attaches a port. @return its index on this stack (0-7), or -EINVAL, -ENOSPC. */
int rnl_port_add(struct rnl_stack *st, const struct rnl_port *port, struct rnl_error *err);
/** Gives a port an address; its prefix becomes an on-link route. @return 0, -EINVAL, -EEXIST, -ENOSPC. */
int rnl_addr_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
		 unsigned int prefix_len, struct rnl_error *err);
/** Adds a route through a gateway that is on link (prefix_len 0: the default route; IPv4 prefix
 * lengths count from the IPv4 address). @return 0, -EINVAL, -ENETUNREACH, -ENOSPC. */
int rnl_route_add(struct rnl_stack *st, const struct rnl_addr *prefix, unsigned int prefix_len,
		  const struct rnl_addr *gateway, struct rnl_error *err);
/** Adds a neighbour that never ages. @return 0, -EINVAL, -ENOSPC. */
int rnl_neigh_add(struct rnl_stack *st, unsigned int port, const struct rnl_addr *addr,
		  const uint8_t mac[6], struct rnl_error *err);

/**
 * One iteration: receive -> parse -> look up -> TCP -> timers due -> application events -> output ->
 * transmit. now_ns must not go back.
 * @return how many packets and events were handled; 0: the iteration found no work.
 */
unsigned int rnl_poll(struct rnl_stack *st, uint64_t now_ns);
/** @return when rnl_poll() must run again at the latest if no packet comes, ns; UINT64_MAX: never. */
uint64_t rnl_next_deadline(const struct rnl_stack *st);
/**
 * Hands in packets that the caller received itself on `port`; they belong to the stack then. Handled
 * by the next rnl_poll(). @return how many were taken (a burst's worth at most between two polls).
 */
uint16_t rnl_input(struct rnl_stack *st, unsigned int port, struct rte_mbuf **m, uint16_t n);
/**
 * Runs fn(st, arg) on the stack's worker, in the next iteration. Any thread.
 * @return 0, or -ENOSPC when the queue is full: try again.
 */
int rnl_post(struct rnl_stack *st, void (*fn)(struct rnl_stack *st, void *arg), void *arg);

/* ---- listening and connecting --------------------------------------------------------------- */

struct rnl_listen_config {
	uint32_t size;        /**< sizeof(struct rnl_listen_config) */
	struct rnl_addr addr; /**< address or prefix */
	uint8_t prefix_len;   /**< 0: any address of either family; 128 (or, for IPv4, 32): one */
	uint16_t port_first;  /**< 0 with port_last 0: any port */
	uint16_t port_last;   /**< 0: as port_first */
	uint32_t backlog;     /**< half-open connections at once; 0: 1024 */
	const struct rnl_app_ops *ops;
	void *ctx; /**< listener_ctx, and ctx of its connections until rnl_set_ctx() */
	struct rnl_conn_opts opts;
};

/**
 * Listens. The most specific listener gets a SYN: longest prefix, then narrowest port range.
 * @return 0, -EINVAL, -EADDRINUSE (same addresses and ports), -ENOSPC.
 */
int rnl_listen(struct rnl_stack *st, const struct rnl_listen_config *cfg, rnl_listener_t *out,
	       struct rnl_error *err);
/** Stops listening; established connections live on, half-open ones are dropped. @return 0, -ENOENT. */
int rnl_unlisten(struct rnl_stack *st, rnl_listener_t l);

struct rnl_connect_config {
	uint32_t size;         /**< sizeof(struct rnl_connect_config) */
	struct rnl_addr raddr; /**< may not be broadcast, multicast or unspecified (RFC 9293 3.9.1.1) */
	uint16_t rport;
	struct rnl_addr laddr; /**< all zero: by the route */
	uint16_t lport;        /**< 0: chosen (RFC 6056) within the range below */
	uint16_t lport_first;  /**< 0: 32768 */
	uint16_t lport_last;   /**< 0: 60999 */
	const struct rnl_app_ops *ops;
	void *ctx;
	struct rnl_conn_opts opts;
};

/**
 * Begins an active open; `connected` or `closed` follows, never before this returns.
 * @return 0, -EINVAL, -ENETUNREACH (no route), -EADDRNOTAVAIL (no port is free, or the tuple is in
 * use), -ENOBUFS (a pool is empty).
 */
int rnl_connect(struct rnl_stack *st, const struct rnl_connect_config *cfg, rnl_conn_t *out);

/* ---- a connection --------------------------------------------------------------------------- */

/** Sets the pointer that callbacks get. @return 0, -ESTALE. */
int rnl_set_ctx(struct rnl_stack *st, rnl_conn_t c, void *ctx);
/** @return the connection's pointer, or NULL when the handle is stale. */
void *rnl_get_ctx(struct rnl_stack *st, rnl_conn_t c);
/** Replaces the options; those that are negotiated stay. @return 0, -ESTALE, -EINVAL, -ENOSPC. */
int rnl_set_opts(struct rnl_stack *st, rnl_conn_t c, const struct rnl_conn_opts *opts);
/** @return 0 and the options in force, or -ESTALE. */
int rnl_get_opts(struct rnl_stack *st, rnl_conn_t c, struct rnl_conn_opts *opts);

/**
 * Queues a copy of data. @return octets taken, 0 to len: less than len means that the send buffer
 * (or memory) is full, and `writable` follows. -ESTALE, -EPIPE (after shutdown or close),
 * -ENOTCONN (still connecting: data may be queued then, so this is only for a failed one).
 */
ssize_t rnl_send(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len);

/**
 * Called when the stack and the driver are done with the memory of a zero-copy send: on the worker,
 * exactly once for each send that took anything, always before `closed`. May call anything.
 */
typedef void (*rnl_release_fn)(struct rnl_stack *st, void *arg);
/* Where a port hands buffers to another stack of the process (net_ring), "the driver is done" means
 * that the peer's application let go of the data as well. */
/**
 * Queues data without copying it. The memory must stay unchanged until `release` (NULL: nobody is told) runs, and be known
 * to DPDK (hugepages, or rte_extmem_register) if the port does DMA.
 * @return len or 0 (never part of it; 0: no room, `writable` follows), or as rnl_send().
 */
ssize_t rnl_send_zc(struct rnl_stack *st, rnl_conn_t c, const void *data, size_t len,
		    rnl_release_fn release, void *arg);

/**
 * Writes exactly `len` octets of the stream's pull part, from `offset` on, to dst. Must write
 * identical octets whenever it is asked for the same offset again (retransmission). Calls no rnl_
 * function. @return 0; anything else aborts the connection with RNL_REASON_PRODUCE_FAILED.
 */
typedef int (*rnl_produce_fn)(void *arg, uint64_t offset, void *dst, uint32_t len);
/**
 * Queues `len` octets (UINT64_MAX: without end) that are asked of `produce` when they are sent; no
 * send buffer is held. `release` (may be NULL) as with rnl_send_zc(). Offsets count from 0 at the
 * begin of this call's data. @return 0, -ESTALE, -EPIPE, -ENOBUFS.
 */
int rnl_send_pull(struct rnl_stack *st, rnl_conn_t c, rnl_produce_fn produce, void *arg,
		  uint64_t len, rnl_release_fn release);
/** @return octets that rnl_send() would take now; 0 for a stale handle. */
size_t rnl_send_room(struct rnl_stack *st, rnl_conn_t c);

/** Offers queued received data again (after `received` consumed less than all). @return 0, -ESTALE. */
int rnl_receive_resume(struct rnl_stack *st, rnl_conn_t c);
/**
 * Keeps a span's buffer past `received`. It counts against max_held. @return 0, -ENOBUFS.
 * Only inside `received`, for one of its spans.
 */
int rnl_buf_hold(struct rnl_stack *st, const struct rnl_span *span);
/** Gives a held buffer back. On the worker. */
void rnl_buf_release(struct rnl_stack *st, struct rte_mbuf *buf);

/** Half-close: FIN after the queued data; receiving goes on. @return 0, -ESTALE, -EPIPE (done before). */
int rnl_shutdown(struct rnl_stack *st, rnl_conn_t c);
/**
 * Closes in order: queued data and FIN are still delivered; `closed` follows. Data that was received
 * and not consumed, or that arrives later, makes it an abort (RFC 9293 3.6.1); so does closing before
 * the peer answered an active open (RFC 9293 3.10.4). No callback but `closed` comes after this.
 * @return 0, -ESTALE.
 */
int rnl_close(struct rnl_stack *st, rnl_conn_t c);
/** Sends RST and forgets everything queued; `closed` follows. @return 0, -ESTALE. */
int rnl_abort(struct rnl_stack *st, rnl_conn_t c);

/** Arms the connection's one timer for at_ns (0: disarms it). Millisecond resolution. @return 0, -ESTALE. */
int rnl_conn_timer(struct rnl_stack *st, rnl_conn_t c, uint64_t at_ns);
/** Called when a stack timer is due. */
typedef void (*rnl_timer_fn)(struct rnl_stack *st, void *arg);
/** Arms a timer of the stack, microsecond resolution. @return 0, -ENOSPC. */
int rnl_timer_start(struct rnl_stack *st, uint64_t at_ns, rnl_timer_fn fn, void *arg,
		    rnl_timer_t *out);
/** Disarms it. @return 0, -ESTALE (it fired or was stopped). */
int rnl_timer_stop(struct rnl_stack *st, rnl_timer_t t);

/** State of RFC 9293 3.3.2; the values of Linux's tcpi_state. */
enum rnl_state {
	RNL_ESTABLISHED = 1,
	RNL_SYN_SENT,
	RNL_SYN_RECEIVED,
	RNL_FIN_WAIT_1,
	RNL_FIN_WAIT_2,
	RNL_TIME_WAIT,
	RNL_CLOSED,
	RNL_CLOSE_WAIT,
	RNL_LAST_ACK,
	RNL_LISTEN,
	RNL_CLOSING,
	RNL_STATE_COUNT
};

/** @return the RFC's name, such as "FIN-WAIT-1". Never NULL. */
const char *rnl_state_text(enum rnl_state state);

/** What is known of a connection: fields of Linux's struct tcp_info by the same names and units. */
struct rnl_conn_info {
	struct rnl_tuple tuple;
	uint8_t tcpi_state;       /**< enum rnl_state */
	uint8_t tcpi_ca_state;    /**< 0 open, 3 recovery, 4 loss */
	uint8_t tcpi_retransmits; /**< unanswered retransmissions now */
	uint8_t tcpi_probes;      /**< unanswered probes now */
	uint8_t tcpi_backoff;
	uint8_t tcpi_options;     /**< 1 timestamps, 2 SACK, 4 window scale, 8 ECN */
	uint8_t tcpi_snd_wscale, tcpi_rcv_wscale;
	uint32_t tcpi_rto;        /**< us */
	uint32_t tcpi_ato;        /**< us */
	uint32_t tcpi_snd_mss, tcpi_rcv_mss;
	uint32_t tcpi_unacked;    /**< segments in flight */
	uint32_t tcpi_sacked, tcpi_lost, tcpi_retrans;
	uint32_t tcpi_pmtu;
	uint32_t tcpi_rtt, tcpi_rttvar; /**< us */
	uint32_t tcpi_snd_ssthresh, tcpi_snd_cwnd; /**< segments, as Linux counts them */
	uint32_t tcpi_advmss;
	uint32_t tcpi_total_retrans; /**< segments */
	uint64_t tcpi_bytes_acked, tcpi_bytes_received;
	uint32_t tcpi_notsent_bytes;
	uint32_t tcpi_min_rtt;    /**< us, 0: none */
	uint32_t tcpi_snd_wnd, tcpi_rcv_wnd; /**< octets */
	uint32_t tcpi_rcv_ooopack; /**< octets waiting out of order */
	uint32_t unread_bytes;    /**< in order, not consumed */
	uint32_t unacked_bytes;   /**< in flight */
	const char *cc;           /**< name of the congestion control */
	int soft_error;           /**< last soft error as errno, 0: none (RFC 9293 3.9.1.8) */
};

/** @return 0 and what is known, or -ESTALE. */
int rnl_conn_info(struct rnl_stack *st, rnl_conn_t c, struct rnl_conn_info *info);
/** Calls fn for each connection (not half-open or TIME-WAIT ones) until it returns false. fn may not
 * close or abort. */
void rnl_conn_foreach(struct rnl_stack *st,
		      bool (*fn)(void *arg, rnl_conn_t c, const struct rnl_conn_info *info),
		      void *arg);

/* ---- numbers -------------------------------------------------------------------------------- */

/** @return how many counters a stack has. */
unsigned int rnl_counters_count(void);
/** @return the name of counter i, such as "tcp_rx_bad_checksum"; NULL past the last. */
const char *rnl_counter_name(unsigned int i);
/** @return what counter i means, one sentence; NULL past the last. */
const char *rnl_counter_text(unsigned int i);
/** Copies the first n counters. Any thread: each is read whole, not all of one instant. */
void rnl_counters_read(const struct rnl_stack *st, uint64_t *out, unsigned int n);

/** What a stack holds now. */
struct rnl_usage {
	uint32_t conns, conns_max;  /**< connections */
	uint32_t minis, minis_max;  /**< half-open and TIME-WAIT */
	uint32_t busy, busy_max;    /**< with anything queued or in flight */
	uint32_t held, held_max;    /**< received buffers waiting for the application */
	uint32_t txq;               /**< packets waiting for a port */
	uint32_t listeners, neighbours, routes;
	uint32_t bytes_per_conn;    /**< resident octets of an idle connection, flow table's share included */
};
/** Reads it. On the worker. */
void rnl_usage(const struct rnl_stack *st, struct rnl_usage *out);

/* ---- DPDK devices and workers --------------------------------------------------------------- */
/*
 * For those who own neither a port nor a loop. Needs an initialised EAL. Appliances with their own
 * receive path use rnl_port_add() and rnl_input() directly and none of this.
 */

/** A configured and started ethdev port. */
struct rnl_dev;

struct rnl_dev_config {
	uint32_t size;         /**< sizeof(struct rnl_dev_config) */
	uint16_t port_id;      /**< ethdev port */
	uint16_t nb_rxq;       /**< receive queues; 0: 1 */
	uint16_t nb_txq;       /**< transmit queues, at least nb_rxq; 0: nb_rxq */
	uint16_t nb_rxd;       /**< receive descriptors; 0: 1024, within the device's limits */
	uint16_t nb_txd;       /**< transmit descriptors; 0: 1024, within the device's limits */
	uint16_t mtu;          /**< largest IP packet; 0: the device's */
	uint16_t vlan;         /**< 0: untagged */
	uint32_t extra_mbufs;  /**< receive buffers per queue beyond descriptors and bursts, for data that
				    waits for the application; 0: 8192 */
	bool no_tx_offloads;   /**< make checksums and cut segments in software */
	bool promiscuous;
	uint16_t link_wait_ms; /**< how long to wait for link up; 0: 9000 */
};

/**
 * Configures and starts a device, with a receive pool for each queue on the device's NUMA node.
 * @return 0, -EINVAL, -ENODEV, -ENOMEM, -EIO; on failure the device is as it was.
 */
int rnl_dev_open(const struct rnl_dev_config *cfg, struct rnl_dev **out, struct rnl_error *err);
/** Describes queue pair `queue` as a port to attach to one stack. @return 0, -EINVAL. */
int rnl_dev_queue(struct rnl_dev *dev, unsigned int queue, struct rnl_port *out);
/** @return how many queue pairs the device got: may be fewer than were asked for. */
unsigned int rnl_dev_queues(const struct rnl_dev *dev);
/** Stops and closes the device. No stack may use its queues any more. */
void rnl_dev_close(struct rnl_dev *dev);

/**
 * Makes the two pools of a stack: `count` data buffers, and twice as many header buffers. Names are
 * derived from `name` (unique in the process, at most 16 characters).
 * @return 0, -EINVAL, -ENOMEM, -EEXIST.
 */
int rnl_pools_create(const char *name, uint32_t count, int socket_id, struct rte_mempool **pkt_pool,
		     struct rte_mempool **hdr_pool, struct rnl_error *err);
/** Frees the pools of rnl_pools_create(). */
void rnl_pools_free(struct rte_mempool *pkt_pool, struct rte_mempool *hdr_pool);

/** @return a monotonic clock for rnl_poll(): the TSC in ns. */
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
	void (*tick)(void *ctx);     /**< called every tick_us on the worker, NULL: none */
	void *tick_ctx;
	uint32_t tick_us;
	struct rnl_worker_stats stats[8]; /**< per stack; written by the worker */
	volatile bool stop;          /**< set by rnl_stop() */
};

/** Starts each worker on its lcore; one on the main lcore waits for rnl_run_main(). @return 0, -EINVAL, -EBUSY. */
int rnl_run(struct rnl_worker *workers, unsigned int n, struct rnl_error *err);
/** Runs the main lcore's worker, if there is one, on the calling (main) thread until rnl_stop(). */
void rnl_run_main(struct rnl_worker *workers, unsigned int n);
/** Asks the workers to stop after the iteration they are in. Safe in a signal handler. */
void rnl_stop(struct rnl_worker *workers, unsigned int n);
/** Waits for them. On the main thread. */
void rnl_wait(struct rnl_worker *workers, unsigned int n);

#ifdef __cplusplus
}
#endif
#endif /* RUNNEL_H */
