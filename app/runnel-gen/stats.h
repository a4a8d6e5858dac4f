/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one lane counts. One writer, the lane's worker; the live line reads single words of it from
 * another thread (GEN_STAT_ADD stores whole words). Every failure has a name.
 * Floor: 6 (application). Pure.
 *
 * "In the window": planned within the measured time, whenever the answer came.
 */
#ifndef GEN_STATS_H
#define GEN_STATS_H

#include <stdint.h>

#include "runnel.h"
#include "hist.h"

/** What can go wrong with a request or connection, beside rnl_reason. */
enum gen_failure {
	GEN_FAIL_NO_PORT,        /**< rnl_connect: no tuple was free */
	GEN_FAIL_NO_BUFFER,      /**< rnl_connect: a pool was empty */
	GEN_FAIL_NO_ROUTE,       /**< rnl_connect: no route to the server */
	GEN_FAIL_CONNECT_OTHER,  /**< rnl_connect: another error */
	GEN_FAIL_PEER_CLOSED,    /**< the peer closed with answers outstanding */
	GEN_FAIL_UNEXPECTED,     /**< octets that no request asked for */
	GEN_FAIL_VERIFY,         /**< octets that differ from those expected */
	GEN_FAIL_HTTP_MALFORMED, /**< not an HTTP/1 response */
	GEN_FAIL_HTTP_TOO_LONG,  /**< response head too long */
	GEN_FAIL_HTTP_CHUNKED,   /**< chunked response, not decoded here */
	GEN_FAIL_HTTP_STATUS,    /**< status other than 2xx */
	GEN_FAIL_SEND,           /**< rnl_send or rnl_send_pull refused */
	GEN_FAIL_NO_FIN,         /**< the server was to close and did not */
	GEN_FAIL_UNFINISHED,     /**< no answer when the drain time was over */
	GEN_FAIL_COUNT
};

/** @return such as "http_chunked". Never NULL. */
const char *gen_failure_name(enum gen_failure f);
/** @return one phrase. Never NULL. */
const char *gen_failure_text(enum gen_failure f);
/** @return the reason as a key that never changes, such as "timeout_connect". Never NULL. */
const char *gen_reason_name(enum rnl_reason reason);

struct gen_stats {
	/* in the window */
	uint64_t sent;           /**< requests begun */
	uint64_t completed;      /**< of them answered in full */
	uint64_t failed;         /**< of them lost: each also counts under failures or reasons */
	uint64_t done_in_time;   /**< answers that ended within the window, whenever planned */
	uint64_t opened_in_time; /**< connections established within the window */
	uint64_t rx_bytes, tx_bytes; /**< payload within the window; tx: acknowledged (bulk) */
	/* of the whole run */
	uint64_t live_done, live_rx_bytes, live_tx_bytes;
	uint64_t connects;  /**< rnl_connect calls that began an open */
	uint64_t connected; /**< opens that finished */
	uint64_t closed;    /**< connections that ended */
	uint64_t failures[GEN_FAIL_COUNT];
	uint64_t reasons[RNL_REASON_COUNT]; /**< ends that were not asked for, by rnl_reason */
	uint64_t http_status[5];            /**< responses by class, 1xx to 5xx */
	uint64_t window_ns;                 /**< how long the window was */
	/* in the window, ns */
	struct gen_hist latency; /**< planned time to the end of the answer */
	struct gen_hist service; /**< actual send to the end of the answer */
	struct gen_hist connect; /**< SYN to established */
	struct gen_hist lag;     /**< planned time to actual send, where a connection was free */
};

#define GEN_STAT_ADD(field, n) __atomic_store_n(&(field), (field) + (n), __ATOMIC_RELAXED)

/** Empties all. */
void gen_stats_reset(struct gen_stats *s);
/** Adds `from` to `to`; the longer window counts. */
void gen_stats_merge(struct gen_stats *to, const struct gen_stats *from);
/** @return all that went wrong: failures, unwanted ends, lost requests that neither names. */
uint64_t gen_stats_errors(const struct gen_stats *s);

#endif /* GEN_STATS_H */
