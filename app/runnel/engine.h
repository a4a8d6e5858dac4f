/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Engines: what an endpoint does with its connections, as testpmd's forwarding engines are to
 * packets. An engine is a const table; a service is an engine with the address, port and options
 * that the user gave it ("http:80,root=/srv/www"); a run is a service on one stack.
 *
 * Order of use: rnl_service_parse() (no EAL needed) -> rnl_service_prepare() (once, after
 * rte_eal_init) -> for each stack rnl_service_begin(), rnl_service_listen(), [..._unlisten()] ->
 * rnl_stack_destroy() -> rnl_service_end() -> after the devices are closed rnl_service_free().
 *
 * Owns: the table of engines, the grammar of a service, the per-stack counters.
 * Refuses: anything about ports, lcores and printing. Floor 6 (app). Used by runnel and runnel-gen.
 */
#ifndef RNL_ENGINE_H
#define RNL_ENGINE_H

#include "runnel.h"

/** What engines count, each on each stack. Texts: rnl_engine_counter_name/text. */
enum rnl_engine_counter {
	RNL_ENGINE_ACCEPTED,    /**< connections that were accepted */
	RNL_ENGINE_CLOSED,      /**< connections that ended, in whatever way */
	RNL_ENGINE_FAILED,      /**< of those: ended otherwise than in order */
	RNL_ENGINE_REFUSED,     /**< connections turned away: no connection state was free */
	RNL_ENGINE_REQUESTS,    /**< requests answered (http) */
	RNL_ENGINE_RX_BYTES,    /**< octets consumed */
	RNL_ENGINE_TX_BYTES,    /**< octets queued for sending (source: that were produced) */
	RNL_ENGINE_HTTP_ERRORS, /**< answers of class 4xx and 5xx */
	RNL_ENGINE_IDLE_CLOSED, /**< connections that the engine closed for being idle or slow */
	RNL_ENGINE_COUNTERS
};

/** @return such as "accepted". Never NULL for a counter of the enum. */
const char *rnl_engine_counter_name(enum rnl_engine_counter i);
/** @return one sentence. Never NULL for a counter of the enum. */
const char *rnl_engine_counter_text(enum rnl_engine_counter i);

/** Begin of every engine's per-stack context: written by the stack's worker, read by anyone. */
struct rnl_engine_ctx {
	uint64_t count[RNL_ENGINE_COUNTERS];
};

/** Adds to a counter: one writer, no tearing for readers. */
static inline void rnl_engine_add(struct rnl_engine_ctx *ctx, enum rnl_engine_counter i, uint64_t n)
{
	__atomic_store_n(&ctx->count[i], ctx->count[i] + n, __ATOMIC_RELAXED);
}

/** Reads a counter from any thread. */
static inline uint64_t rnl_engine_read(const struct rnl_engine_ctx *ctx, enum rnl_engine_counter i)
{
	return __atomic_load_n(&ctx->count[i], __ATOMIC_RELAXED);
}

/** Where a run lives. */
struct rnl_engine_env {
	struct rnl_stack *stack;
	int socket_id;      /**< NUMA node of the stack's memory, -1: any */
	uint32_t max_conns; /**< connections that the stack can hold */
};

/** An engine. Members marked optional may be NULL. */
struct rnl_engine {
	const char *name;
	const char *help;    /**< one line */
	const char *options; /**< one "key=VALUE  meaning" per line; optional */
	uint16_t default_port;
	uint32_t config_size; /**< octets of its configuration, zeroed before defaults() */
	const struct rnl_app_ops *ops;
	/** Fills in the defaults. Optional. */
	void (*defaults)(void *config);
	/**
	 * Takes one option. `value` is "" for a key without '='.
	 * @return 1 taken, 0 not an option of this engine, -EINVAL with err. Optional.
	 */
	int (*option)(void *config, const char *key, const char *value, struct rnl_error *err);
	/** Checks the options together; no EAL yet. @return 0, negative errno with err. Optional.
	 */
	int (*check)(void *config, struct rnl_error *err);
	/** Reads what it serves into memory that DPDK knows. Once, after EAL. Optional. */
	int (*prepare)(void *config, struct rnl_error *err);
	/** Frees what prepare() and option() took. Safe on a configuration at any step. Optional.
	 */
	void (*release)(void *config);
	/** Makes the context for one stack; it begins with struct rnl_engine_ctx. */
	int (*begin)(const void *config, const struct rnl_engine_env *env,
	             struct rnl_engine_ctx **ctx, struct rnl_error *err);
	/** Frees it, after the stack is gone. */
	void (*end)(struct rnl_engine_ctx *ctx);
};

/** @return engine i, or NULL past the last. */
const struct rnl_engine *rnl_engine_at(unsigned int i);
/** @return the engine of that name, or NULL. */
const struct rnl_engine *rnl_engine_find(const char *name);

/** An engine with what the user asked of it. */
struct rnl_service {
	const struct rnl_engine *engine;
	void *config;
	struct rnl_listen_config
	    listen;     /**< addr, ports, backlog, opts; ops and ctx are set later */
	uint32_t conns; /**< connections per stack; 0: as many as the stack holds */
	char text[256]; /**< as the user wrote it */
};

/** A service on one stack. */
struct rnl_service_run {
	const struct rnl_service *service;
	struct rnl_stack *stack;
	struct rnl_engine_ctx *ctx;
	rnl_listener_t listener; /**< 0: not listening */
};

/**
 * Reads `ENGINE[:[ADDR[/LEN]:]PORT[-PORT]][,key=value]...`; an IPv6 address stands in brackets.
 * @return 0, or a negative errno with err. On failure nothing is left to free.
 */
int rnl_service_parse(const char *text, struct rnl_service *out, struct rnl_error *err);
/** Reads files and makes bodies. Once per process, after rte_eal_init(). @return 0, negative errno.
 */
int rnl_service_prepare(struct rnl_service *s, struct rnl_error *err);
/** Frees the service's configuration. Safe after a failed prepare. */
void rnl_service_free(struct rnl_service *s);

/** Makes the service's state for one stack. @return 0, negative errno with err. */
int rnl_service_begin(const struct rnl_service *s, const struct rnl_engine_env *env,
                      struct rnl_service_run *run, struct rnl_error *err);
/** Listens. On the stack's worker, or before it runs. @return 0, negative errno with err. */
int rnl_service_listen(struct rnl_service_run *run, struct rnl_error *err);
/**
 * Has the connections that come from now on use the service's options as they are now. Where
 * rnl_service_listen() may be called. @return 0, negative errno with err.
 */
int rnl_service_set_opts(struct rnl_service_run *run, struct rnl_error *err);
/** Stops listening; connections live on. On the stack's worker, or when it does not run. */
void rnl_service_unlisten(struct rnl_service_run *run);
/** Frees the service's state, after the stack is destroyed. Safe on a zeroed run. */
void rnl_service_end(struct rnl_service_run *run);

/** Reads a decimal number up to max; K, M, G (powers of 1024) may follow. @return 0, -EINVAL. */
int rnl_service_number(const char *text, uint64_t max, uint64_t *out);
/** Writes a sentence into err (NULL: nowhere). @return ret, so that a caller can return it. */
int rnl_service_fail(struct rnl_error *err, int ret, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* RNL_ENGINE_H */
