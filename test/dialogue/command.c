/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of a dialogue that are not segments: what the user of the stack does and sees. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"

#define IO_MAX 1048576

static const struct {
	const char *name;
	enum rnl_reason reason;
} reasons[] = {
    {"normal", RNL_REASON_NORMAL},
    {"refused", RNL_REASON_REFUSED},
    {"reset", RNL_REASON_RESET},
    {"timeout-connect", RNL_REASON_TIMEOUT_CONNECT},
    {"timeout-retransmit", RNL_REASON_TIMEOUT_RETRANSMIT},
    {"timeout-user", RNL_REASON_TIMEOUT_USER},
    {"timeout-keepalive", RNL_REASON_TIMEOUT_KEEPALIVE},
    {"timeout-idle", RNL_REASON_TIMEOUT_IDLE},
    {"unreachable", RNL_REASON_UNREACHABLE},
    {"no-resources", RNL_REASON_NO_RESOURCES},
    {"not-admitted", RNL_REASON_NOT_ADMITTED},
    {"local-abort", RNL_REASON_LOCAL_ABORT},
    {"produce-failed", RNL_REASON_PRODUCE_FAILED},
};

static const struct {
	const char *name;
	int err;
} errnos[] = {
    {"EAGAIN", EAGAIN},
    {"EPIPE", EPIPE},
    {"ECONNRESET", ECONNRESET},
    {"ECONNREFUSED", ECONNREFUSED},
    {"ETIMEDOUT", ETIMEDOUT},
    {"ENOTCONN", ENOTCONN},
    {"ECONNABORTED", ECONNABORTED},
    {"EADDRNOTAVAIL", EADDRNOTAVAIL},
    {"EINVAL", EINVAL},
    {"ESTALE", ESTALE},
    {"EHOSTUNREACH", EHOSTUNREACH},
    {"ENOBUFS", ENOBUFS},
};

#define FIELD(type, f)                                                                             \
	{                                                                                          \
#f, offsetof(struct type, f), sizeof(((struct type *)0)->f)                        \
	}
struct field {
	const char *name;
	size_t off, size;
};

static const struct field config_fields[] = {
    FIELD(rnl_stack_config, max_conns),
    FIELD(rnl_stack_config, max_minis),
    FIELD(rnl_stack_config, max_hosts),
    FIELD(rnl_stack_config, pmtu_ms),
    FIELD(rnl_stack_config, max_fragments),
    FIELD(rnl_stack_config, max_busy),
    FIELD(rnl_stack_config, max_held),
    FIELD(rnl_stack_config, time_wait_ms),
    FIELD(rnl_stack_config, seed),
    FIELD(rnl_stack_config, syncookies),
    {NULL, 0, 0},
};
static const struct field info_fields[] = {
    FIELD(rnl_conn_info, tcpi_retransmits),
    FIELD(rnl_conn_info, tcpi_probes),
    FIELD(rnl_conn_info, tcpi_backoff),
    FIELD(rnl_conn_info, tcpi_options),
    FIELD(rnl_conn_info, tcpi_snd_wscale),
    FIELD(rnl_conn_info, tcpi_rcv_wscale),
    FIELD(rnl_conn_info, tcpi_rto),
    FIELD(rnl_conn_info, tcpi_snd_mss),
    FIELD(rnl_conn_info, tcpi_pmtu),
    FIELD(rnl_conn_info, soft_error),
    FIELD(rnl_conn_info, tcpi_unacked),
    FIELD(rnl_conn_info, tcpi_rtt),
    FIELD(rnl_conn_info, tcpi_snd_ssthresh),
    FIELD(rnl_conn_info, tcpi_snd_cwnd),
    FIELD(rnl_conn_info, tcpi_total_retrans),
    FIELD(rnl_conn_info, tcpi_bytes_acked),
    FIELD(rnl_conn_info, tcpi_bytes_received),
    FIELD(rnl_conn_info, tcpi_ca_state),
    FIELD(rnl_conn_info, tcpi_unacked),
    FIELD(rnl_conn_info, tcpi_sacked),
    FIELD(rnl_conn_info, tcpi_lost),
    FIELD(rnl_conn_info, tcpi_retrans),
    FIELD(rnl_conn_info, tcpi_dsack_dups),
    FIELD(rnl_conn_info, tcpi_reord_seen),
    FIELD(rnl_conn_info, tcpi_min_rtt),
    FIELD(rnl_conn_info, tcpi_snd_wnd),
    FIELD(rnl_conn_info, tcpi_rcv_wnd),
    FIELD(rnl_conn_info, tcpi_rcv_ooopack),
    FIELD(rnl_conn_info, tcpi_last_data_sent),
    FIELD(rnl_conn_info, tcpi_last_data_recv),
    FIELD(rnl_conn_info, tcpi_last_ack_recv),
    FIELD(rnl_conn_info, tcpi_rcv_ssthresh),
    FIELD(rnl_conn_info, tcpi_rcv_rtt),
    FIELD(rnl_conn_info, tcpi_rcv_space),
    FIELD(rnl_conn_info, tcpi_segs_out),
    FIELD(rnl_conn_info, tcpi_segs_in),
    FIELD(rnl_conn_info, tcpi_data_segs_in),
    FIELD(rnl_conn_info, tcpi_data_segs_out),
    FIELD(rnl_conn_info, tcpi_busy_time),
    FIELD(rnl_conn_info, tcpi_rwnd_limited),
    FIELD(rnl_conn_info, tcpi_sndbuf_limited),
    FIELD(rnl_conn_info, tcpi_delivered),
    FIELD(rnl_conn_info, tcpi_bytes_sent),
    FIELD(rnl_conn_info, tcpi_bytes_retrans),
    FIELD(rnl_conn_info, tcpi_notsent_bytes),
    FIELD(rnl_conn_info, tcpi_total_rto),
    FIELD(rnl_conn_info, tcpi_total_rto_recoveries),
    FIELD(rnl_conn_info, ooo_bytes),
    FIELD(rnl_conn_info, sndbuf_bytes),
    FIELD(rnl_conn_info, tcpi_pacing_rate),
    FIELD(rnl_conn_info, tcpi_delivery_rate),
    FIELD(rnl_conn_info, tcpi_delivery_rate_app_limited),
    FIELD(rnl_conn_info, tcpi_max_pacing_rate),
    FIELD(rnl_conn_info, urgent_bytes),
    FIELD(rnl_conn_info, user_timeout_ms),
    FIELD(rnl_conn_info, peer_uto_s),
    FIELD(rnl_conn_info, tcpi_ecn_mode),
    FIELD(rnl_conn_info, tcpi_delivered_ce),
    FIELD(rnl_conn_info, tcpi_received_ce),
    FIELD(rnl_conn_info, tcpi_delivered_ce_bytes),
    FIELD(rnl_conn_info, tcpi_delivered_e0_bytes),
    FIELD(rnl_conn_info, tcpi_delivered_e1_bytes),
    FIELD(rnl_conn_info, tcpi_received_ce_bytes),
    FIELD(rnl_conn_info, tcpi_received_e0_bytes),
    FIELD(rnl_conn_info, tcpi_received_e1_bytes),
    FIELD(rnl_conn_info, unread_bytes),
    FIELD(rnl_conn_info, unacked_bytes),
    {NULL, 0, 0},
};
static const struct field usage_fields[] = {
    FIELD(rnl_usage, conns),
    FIELD(rnl_usage, minis),
    FIELD(rnl_usage, busy),
    FIELD(rnl_usage, held),
    FIELD(rnl_usage, hosts),
    {NULL, 0, 0},
};

static const struct field *field_find(struct dialogue *d, const struct field *f, const char *name)
{
	for (; f->name != NULL; f++)
		if (name != NULL && strcmp(f->name, name) == 0)
			return f;
	dialogue_fail(d, "\"%s\" is not known here", name == NULL ? "" : name);
	return NULL;
}

static uint64_t field_get(const void *base, const struct field *f)
{
	const uint8_t *p = (const uint8_t *)base + f->off;

	switch (f->size) {
	case 1:
		return *p;
	case 2:
		return *(const uint16_t *)p;
	case 4:
		return *(const uint32_t *)p;
	default:
		return *(const uint64_t *)p;
	}
}

static bool value(struct dialogue *d, char **text, uint64_t *out)
{
	struct number n;

	if (!number_parse(d, word_next(text), &n))
		return false;
	*out = (uint64_t)n.value;
	return true;
}

/* "= N" or "= ENAME" at the end of a command: what it must return. */
static void check_result(struct dialogue *d, char *text, ssize_t got, ssize_t usual)
{
	const char *w = word_next(&text);
	struct number n;

	if (w != NULL && strcmp(w, "=") == 0) {
		w = word_next(&text);
		for (size_t i = 0; w != NULL && i < sizeof(errnos) / sizeof(errnos[0]); i++)
			if (strcmp(errnos[i].name, w) == 0) {
				usual = -errnos[i].err;
				w = "0";
				break;
			}
		if (usual >= 0) {
			if (!number_parse(d, w, &n))
				return;
			usual = (ssize_t)n.value;
		}
	} else if (w != NULL) {
		dialogue_fail(d, "\"%s\" is too much", w);
		return;
	}
	if (got != usual)
		dialogue_fail(d, "returned %zd%s%s, expected %zd", got, got < 0 ? ": " : "",
		              got < 0 ? strerror((int)-got) : "", usual);
}

/* ---- what the user does -----------------------------------------------------------------------
 */

static struct sockrec *current(struct dialogue *d)
{
	static struct sockrec none = {.fd = -1};

	if (d->cur < d->nsocks)
		return &d->socks[d->cur];
	dialogue_fail(d, "there is no connection yet: listen and accept, or connect");
	return &none;
}

static void add_socket(struct dialogue *d, int fd)
{
	if (d->nsocks == RNL_SEAM_SOCKETS)
		return;
	d->cur = d->nsocks++;
	d->socks[d->cur] = (struct sockrec){.fd = fd};
}

/* A socket with the options that the script gave before. */
static int make_socket(struct dialogue *d)
{
	int fd = rnl_seam_socket(d->seam), rc;

	for (unsigned int i = 0; fd >= 0 && i < d->npending; i++) {
		rc = rnl_seam_setsockopt(d->seam, fd, d->pending[i].name, d->pending[i].value);
		if (rc < 0)
			dialogue_fail(d, "option %s: %s", d->pending[i].name, strerror(-rc));
	}
	return fd;
}

static void do_listen(struct dialogue *d, char *text)
{
	struct rnl_addr any = {{0}};
	int rc;

	d->listener = make_socket(d);
	rc = rnl_seam_bind(d->seam, d->listener, &any, LOCAL_PORT);
	if (rc == 0)
		rc = rnl_seam_listen(d->seam, d->listener, 0);
	check_result(d, text, rc, 0);
}

static void do_connect(struct dialogue *d, char *text)
{
	struct rnl_addr any = {{0}}, peer;
	int fd = make_socket(d), rc;

	rnl_addr_parse(d->variant->ip6 ? "2001:db8::2" : "192.0.2.2", &peer);
	rnl_seam_bind(d->seam, fd, &any, LOCAL_PORT);
	rc = rnl_seam_connect(d->seam, fd, &peer, PEER_PORT);
	add_socket(d, fd);
	check_result(d, text, rc == -EINPROGRESS ? 0 : rc, 0);
}

static void do_accept(struct dialogue *d, char *text)
{
	int fd = rnl_seam_accept(d->seam, d->listener);

	if (fd >= 0)
		add_socket(d, fd);
	check_result(d, text, fd < 0 ? fd : 0, 0);
}

static void write_with(struct dialogue *d, char *text,
                       ssize_t (*send)(struct rnl_seam *, int, const void *, size_t))
{
	static uint8_t buf[IO_MAX];
	struct sockrec *k = current(d);
	uint64_t len;
	ssize_t n;

	if (!value(d, &text, &len) || len > IO_MAX)
		return;
	for (uint64_t i = 0; i < len; i++)
		buf[i] = pattern_out(k->written + i);
	n = send(d->seam, k->fd, buf, (size_t)len);
	if (n > 0)
		k->written += (uint64_t)n;
	check_result(d, text, n, (ssize_t)len);
}

static void do_write(struct dialogue *d, char *text)
{
	write_with(d, text, rnl_seam_write);
}

static void do_write_urgent(struct dialogue *d, char *text)
{
	write_with(d, text, rnl_seam_write_urgent);
}

static void check_pattern(struct dialogue *d, const struct sockrec *k, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != pattern_in(k->read + i)) {
			dialogue_fail(d, "octet %llu of the stream is 0x%02x, expected 0x%02x",
			              (unsigned long long)(k->read + i), p[i],
			              pattern_in(k->read + i));
			return;
		}
}

/* read N | read "text" | read eof */
static void do_read(struct dialogue *d, char *text)
{
	static uint8_t buf[IO_MAX];
	struct sockrec *k = current(d);
	const char *w = word_next(&text), *want = NULL;
	struct number len = {.kind = NUM_REL};
	ssize_t n;

	if (w != NULL && w[0] == '"') {
		want = w + 1;
		len.value = (int64_t)strlen(want) - 1;
	} else if (w != NULL && strcmp(w, "eof") == 0) {
		len.value = IO_MAX;
	} else if (!number_parse(d, w, &len) || len.value > IO_MAX) {
		return;
	}
	n = rnl_seam_read(d->seam, k->fd, buf, (size_t)len.value);
	check_result(d, text, n, len.value == IO_MAX ? 0 : (ssize_t)len.value);
	if (n <= 0)
		return;
	if (want == NULL)
		check_pattern(d, k, buf, (size_t)n);
	else if (memcmp(buf, want, (size_t)n) != 0)
		dialogue_fail(d, "read \"%.*s\"", (int)n, (const char *)buf);
	k->read += (uint64_t)n;
}

static void do_shutdown(struct dialogue *d, char *text)
{
	check_result(d, text, rnl_seam_shutdown(d->seam, current(d)->fd), 0);
}

static void do_close(struct dialogue *d, char *text)
{
	check_result(d, text, rnl_seam_close(d->seam, current(d)->fd), 0);
}

static void do_abort(struct dialogue *d, char *text)
{
	check_result(d, text, rnl_seam_abort(d->seam, current(d)->fd), 0);
}

static void do_unlisten(struct dialogue *d, char *text)
{
	check_result(d, text, rnl_seam_close(d->seam, d->listener), 0);
}

static void do_use(struct dialogue *d, char *text)
{
	uint64_t n;

	if (value(d, &text, &n)) {
		d->cur = (unsigned int)n;
		current(d);
	}
}

/* option NAME [VALUE] [next]: of the current connection and of every later socket. */
static void do_option(struct dialogue *d, char *text)
{
	const char *name = word_next(&text);
	uint64_t v = 1;
	int rc;

	if (name == NULL || d->npending == 16) {
		dialogue_fail(d, "option NAME [VALUE]");
		return;
	}
	if (*text != '\0' && !value(d, &text, &v))
		return;
	snprintf(d->pending[d->npending].name, sizeof(d->pending[0].name), "%s", name);
	d->pending[d->npending++].value = v;
	if (d->nsocks == 0)
		return;
	rc = rnl_seam_setsockopt(d->seam, current(d)->fd, name, v);
	if (rc < 0)
		dialogue_fail(d, "option %s: %s", name, strerror(-rc));
}

/* rebase FLOW ISN: the peer begins anew, and the stack's next SYN tells its new ISN. */
static void do_rebase(struct dialogue *d, char *text)
{
	uint64_t flow, isn;

	if (!value(d, &text, &flow) || !value(d, &text, &isn) || flow >= FLOWS_MAX)
		return;
	d->flow[flow].peer_isn += (uint32_t)isn;
	d->flow[flow].local_known = false;
	d->flow[flow].ts_known = false;
}

/* ---- what the user sees -----------------------------------------------------------------------
 */

static void expect_state(struct dialogue *d, char *text)
{
	const char *want = word_next(&text);
	struct rnl_conn_info info = {0};
	int rc = rnl_seam_info(d->seam, current(d)->fd, &info);
	const char *got = rc < 0 ? strerror(-rc) : rnl_state_text(info.tcpi_state);

	if (want == NULL || strcmp(want, got) != 0)
		dialogue_fail(d, "state is %s, expected %s", got, want == NULL ? "?" : want);
}

static void expect_closed(struct dialogue *d, char *text)
{
	const char *want = word_next(&text);
	struct rnl_seam_status st = {0};

	rnl_seam_status(d->seam, current(d)->fd, &st);
	if (!st.closed) {
		dialogue_fail(d, "the connection has not ended");
		return;
	}
	if (want != NULL && strcmp(want, "any") == 0)
		return;
	for (size_t i = 0; want != NULL && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(want, reasons[i].name) == 0 && reasons[i].reason == st.reason)
			return;
	dialogue_fail(d, "ended as \"%s\", expected %s", rnl_reason_text(st.reason),
	              want == NULL ? "a reason" : want);
}

static void expect_field(struct dialogue *d, const void *base, const struct field *fields,
                         char *text)
{
	const char *name = word_next(&text);
	const struct field *f = field_find(d, fields, name);
	uint64_t want;

	if (f != NULL && value(d, &text, &want) && field_get(base, f) != want)
		dialogue_fail(d, "%s is %llu, expected %llu", name,
		              (unsigned long long)field_get(base, f), (unsigned long long)want);
}

static void expect_info(struct dialogue *d, char *text)
{
	struct rnl_conn_info info = {0};
	int rc = rnl_seam_info(d->seam, current(d)->fd, &info);

	if (rc < 0)
		dialogue_fail(d, "info: %s", strerror(-rc));
	else
		expect_field(d, &info, info_fields, text);
}

static void expect_usage(struct dialogue *d, char *text)
{
	struct rnl_usage usage = {0};

	rnl_usage(rnl_seam_stack(d->seam), &usage);
	expect_field(d, &usage, usage_fields, text);
}

/* @return whether there is a counter of that name. */
static bool counter_read(struct dialogue *d, const char *name, uint64_t *out)
{
	uint64_t v[1024] = {0};
	unsigned int n = rnl_counters_count();

	if (n > 1024)
		n = 1024;
	rnl_counters_read(rnl_seam_stack(d->seam), v, n);
	for (unsigned int i = 0; name != NULL && i < n; i++)
		if (strcmp(name, rnl_counter_name(i)) == 0) {
			*out = v[i];
			return true;
		}
	dialogue_fail(d, "\"%s\" is no counter", name == NULL ? "" : name);
	return false;
}

/* expect urgent CALLS BYTES: how often the application was told, and what it was told last. */
static void expect_urgent(struct dialogue *d, char *text)
{
	struct rnl_seam_status st = {0};
	uint64_t calls, bytes;

	rnl_seam_status(d->seam, current(d)->fd, &st);
	if (!value(d, &text, &calls) || !value(d, &text, &bytes))
		return;
	if (st.urgent_calls != calls || st.urgent_bytes != bytes)
		dialogue_fail(d, "told of urgent data %u times, last of %u octets", st.urgent_calls,
		              st.urgent_bytes);
}

static void expect_counter(struct dialogue *d, char *text)
{
	const char *name = word_next(&text);
	uint64_t got, want;

	if (counter_read(d, name, &got) && value(d, &text, &want) && got != want)
		dialogue_fail(d, "counter %s is %llu, expected %llu", name, (unsigned long long)got,
		              (unsigned long long)want);
}

static void expect_some(struct dialogue *d, char *text)
{
	const char *name = word_next(&text);
	uint64_t got;

	if (counter_read(d, name, &got) && got == 0)
		dialogue_fail(d, "counter %s is 0", name);
}

/* expect nothing until T */
static void expect_nothing(struct dialogue *d, char *text)
{
	const char *until = word_next(&text), *at = word_next(&text);
	char *end = NULL;
	double t = at == NULL ? 0 : strtod(at, &end);

	if (until == NULL || strcmp(until, "until") != 0 || at == NULL || *end != '\0') {
		dialogue_fail(d, "expect nothing until SECONDS");
		return;
	}
	dialogue_idle(d, d->start_ns + (uint64_t)(t * 1e9 + 0.5));
}

static void do_expect(struct dialogue *d, char *text)
{
	const char *what = word_next(&text);
	struct rnl_seam_status st = {0};
	bool ok;

	if (what == NULL)
		what = "";
	if (strcmp(what, "state") == 0) {
		expect_state(d, text);
	} else if (strcmp(what, "closed") == 0) {
		expect_closed(d, text);
	} else if (strcmp(what, "counter") == 0) {
		expect_counter(d, text);
	} else if (strcmp(what, "some") == 0) {
		expect_some(d, text);
	} else if (strcmp(what, "info") == 0) {
		expect_info(d, text);
	} else if (strcmp(what, "usage") == 0) {
		expect_usage(d, text);
	} else if (strcmp(what, "urgent") == 0) {
		expect_urgent(d, text);
	} else if (strcmp(what, "nothing") == 0) {
		expect_nothing(d, text);
	} else {
		rnl_seam_status(d->seam, current(d)->fd, &st);
		ok = (strcmp(what, "connected") == 0 && st.connected) ||
		     (strcmp(what, "connecting") == 0 && !st.connected && !st.closed) ||
		     (strcmp(what, "eof") == 0 && st.eof) ||
		     (strcmp(what, "no-eof") == 0 && !st.eof) ||
		     (strcmp(what, "open") == 0 && !st.closed) ||
		     (strcmp(what, "writable") == 0 && st.writable_calls > 0);
		if (!ok)
			dialogue_fail(d, "it is not \"%s\"", what);
	}
}

/* config NAME VALUE: of the stack, before it is made. */
static void config_cc(struct dialogue *d, const char *name)
{
	d->config.stack.cc = rnl_cc_find(name);
	if (d->config.stack.cc == NULL)
		dialogue_fail(d, "no congestion control is called \"%s\"", name == NULL ? "" : name);
}

static void do_config(struct dialogue *d, char *text)
{
	const char *name = word_next(&text);
	const struct field *f;
	uint64_t v;

	if (name != NULL && strcmp(name, "cc") == 0) {
		config_cc(d, word_next(&text));
		return;
	}
	if (name == NULL || !value(d, &text, &v))
		return;
	if (strcmp(name, "mtu") == 0) {
		d->config.mtu = (uint16_t)v;
		return;
	}
	f = field_find(d, config_fields, name);
	if (f != NULL)
		memcpy((uint8_t *)&d->config.stack + f->off, &v, f->size);
}

/* drain FROM TO: takes what went out, that many packets, whatever they are. */
static void do_drain(struct dialogue *d, char *text)
{
	uint8_t packet[PACKET_MAX];
	uint64_t from, to, n = 0;

	if (!value(d, &text, &from) || !value(d, &text, &to))
		return;
	while (rnl_seam_receive(d->seam, packet, sizeof(packet), NULL) > 0)
		n++;
	if (n < from || n > to)
		dialogue_fail(d, "%llu packets went out, expected %llu to %llu",
		              (unsigned long long)n, (unsigned long long)from,
		              (unsigned long long)to);
}

static void do_family(struct dialogue *d, char *text)
{
	uint64_t v;

	if (value(d, &text, &v))
		d->skip = (v == 6) != d->variant->ip6;
}

void command_run(struct dialogue *d, char *text)
{
	static const struct {
		const char *name;
		void (*run)(struct dialogue *d, char *text);
		bool early; /* before the stack is made */
	} commands[] = {
	    {"config", do_config, true},      {"family", do_family, true},
	    {"listen", do_listen, false},     {"connect", do_connect, false},
	    {"accept", do_accept, false},     {"write", do_write, false},       {"write-urgent", do_write_urgent, false},
	    {"read", do_read, false},         {"shutdown", do_shutdown, false},
	    {"close", do_close, false},       {"abort", do_abort, false},
	    {"unlisten", do_unlisten, false}, {"use", do_use, false},
	    {"option", do_option, false},     {"rebase", do_rebase, false},
	    {"expect", do_expect, false},     {"drain", do_drain, false},
	};
	const char *name = word_next(&text);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (name == NULL || strcmp(commands[i].name, name) != 0)
			continue;
		if (commands[i].early && d->seam != NULL)
			dialogue_fail(d, "%s comes too late: the stack is made", name);
		else if (commands[i].early || dialogue_start(d))
			commands[i].run(d, text);
		return;
	}
	dialogue_fail(d, "\"%s\" is no command", name == NULL ? "" : name);
}
