/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs one file: time, segments in, segments out. Any packet that nobody expected is a failure. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"

void dialogue_fail(struct dialogue *d, const char *fmt, ...)
{
	va_list ap;

	if (d->failed)
		return;
	d->failed = true;
	printf("FAIL %s:%u [%s]: ", d->file, d->line, d->variant->name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void dialogue_trace(struct dialogue *d, const char *text)
{
	int n =
	    snprintf(d->trace + d->trace_len, sizeof(d->trace) - d->trace_len, "    %s\n", text);

	if (n > 0 && d->trace_len + (size_t)n < sizeof(d->trace))
		d->trace_len += (size_t)n;
	if (d->verbose)
		printf("    %s\n", text);
}

bool dialogue_start(struct dialogue *d)
{
	struct rnl_error err = {""};
	int rc;

	if (d->seam != NULL)
		return true;
	rc = rnl_seam_create(&d->config, &d->seam, &err);
	if (rc < 0) {
		dialogue_fail(d, "stack: %s (%s)", err.text, strerror(-rc));
		return false;
	}
	d->start_ns = d->last_ns = rnl_seam_now(d->seam);
	return true;
}

static bool take_packet(struct dialogue *d, struct packet *p)
{
	const char *why;
	ssize_t n = rnl_seam_receive(d->seam, p->bytes, sizeof(p->bytes), &p->time_ns);
	char text[512];

	if (n < 0) {
		dialogue_fail(d, "a packet is too long to look at");
		return false;
	}
	p->len = (size_t)n;
	why = packet_decode(d, p);
	if (why != NULL) {
		dialogue_fail(d, "malformed packet: %s", why);
		return false;
	}
	packet_learn(d, p);
	packet_text(d, p, text, sizeof(text));
	dialogue_trace(d, text);
	return true;
}

/* A packet that nobody expects. */
static void unexpected(struct dialogue *d)
{
	struct packet p;
	char text[512];

	if (rnl_seam_waiting(d->seam) == 0 || !take_packet(d, &p))
		return;
	packet_text(d, &p, text, sizeof(text));
	dialogue_fail(d, "unexpected packet\n  got:      %s", text);
}

void dialogue_idle(struct dialogue *d, uint64_t until_ns)
{
	int rc;

	unexpected(d);
	if (until_ns < rnl_seam_now(d->seam)) {
		dialogue_fail(d, "time goes backwards");
		return;
	}
	rc = rnl_seam_run(d->seam, until_ns, true);
	if (rc < 0)
		dialogue_fail(d, "the stack never comes to rest");
	unexpected(d);
	d->last_ns = until_ns;
}

static void icmp_in(struct dialogue *d, char *text)
{
	uint8_t bytes[PACKET_MAX];
	char note[512];
	size_t len;
	int rc;

	snprintf(note, sizeof(note), "%.6f < icmp %s", (double)(d->last_ns - d->start_ns) / 1e9, text);
	len = icmp_build(d, text, bytes, sizeof(bytes));
	if (len == 0 && !d->failed)
		dialogue_fail(d, "that is no ICMP error");
	if (d->failed)
		return;
	dialogue_trace(d, note);
	rc = rnl_seam_send(d->seam, bytes, len);
	if (rc < 0)
		dialogue_fail(d, "the seam did not take the packet: %s", strerror(-rc));
}

static void segment_in(struct dialogue *d, char *text)
{
	uint8_t bytes[PACKET_MAX];
	struct spec s;
	char note[512];
	size_t len;
	int rc;

	while (*text == ' ')
		text++;
	if (strncmp(text, "icmp ", 5) == 0) {
		icmp_in(d, text + 5);
		return;
	}
	snprintf(note, sizeof(note), "%llu.%06llu < %s",
	         (unsigned long long)((d->last_ns - d->start_ns) / 1000000000),
	         (unsigned long long)((d->last_ns - d->start_ns) / 1000 % 1000000), text);
	if (!spec_parse(d, text, &s))
		return;
	dialogue_trace(d, note);
	len = packet_build(d, &s, bytes, sizeof(bytes));
	rc = len == 0 ? -EMSGSIZE : rnl_seam_send(d->seam, bytes, len);
	if (rc < 0)
		dialogue_fail(d, "the seam did not take the packet: %s", strerror(-rc));
}

/* "> SEGMENT" must come; ">? SEGMENT" may come, and nothing else may in its stead. */
static void segment_out(struct dialogue *d, char *line, uint64_t at_ns, uint64_t tol_ns)
{
	char want[512], got[512], why[64];
	bool optional = *line == '?';
	struct packet p;
	struct spec s;

	if (optional)
		line++;
	snprintf(want, sizeof(want), "%s", line);
	if (!spec_parse(d, line, &s))
		return;
	if (rnl_seam_waiting(d->seam) == 0 && rnl_seam_run(d->seam, at_ns + tol_ns, true) < 0) {
		dialogue_fail(d, "the stack never comes to rest");
		return;
	}
	if (rnl_seam_waiting(d->seam) == 0 && optional)
		return;
	if (rnl_seam_waiting(d->seam) == 0) {
		dialogue_fail(d, "nothing came out\n  expected: %.6f > %s",
		              (double)(at_ns - d->start_ns) / 1e9, want);
		return;
	}
	if (!take_packet(d, &p))
		return;
	packet_text(d, &p, got, sizeof(got));
	if (!packet_matches(d, &s, &p, why, sizeof(why)))
		dialogue_fail(d, "wrong %s\n  got:      %s\n  expected: %.6f > %s", why, got,
		              (double)(at_ns - d->start_ns) / 1e9, want);
	else if (p.time_ns + tol_ns < at_ns || p.time_ns > at_ns + tol_ns)
		dialogue_fail(d, "wrong time\n  got:      %s\n  expected: %.6f > %s", got,
		              (double)(at_ns - d->start_ns) / 1e9, want);
	d->last_ns = p.time_ns;
}

/* [+]SECONDS[~TOLERANCE] in front of a line. @return false: no time there. */
static bool time_parse(struct dialogue *d, char **text, uint64_t *at_ns, uint64_t *tol_ns)
{
	char *p = *text, *end;
	bool relative = *p == '+';
	double t;

	if (!relative && !isdigit((unsigned char)*p))
		return false;
	t = strtod(p, &end);
	*at_ns = (relative ? d->last_ns : d->start_ns) + (uint64_t)(t * 1e9 + 0.5);
	if (*end == '~')
		*tol_ns = (uint64_t)(strtod(end + 1, &end) * 1e9 + 0.5);
	*text = end;
	return true;
}

/* Writes the segment, its sequence number moved on by `step`. */
static void moved_on(char *out, size_t cap, const char *text, long step)
{
	const char *seq = strstr(text, "seq ");
	char *end;
	long n;

	if (seq == NULL || step == 0) {
		snprintf(out, cap, "%s", text);
		return;
	}
	n = strtol(seq + 4, &end, 10);
	snprintf(out, cap, "%.*s%ld%s", (int)(seq + 4 - text), text, n + step, end);
}

/* "repeat N < SEGMENT": the same segment N times at once; "repeat N by STEP < SEGMENT": each STEP
 * further on; "repeat N COMMAND". */
static void repeat(struct dialogue *d, char *text)
{
	const char *count = word_next(&text);
	unsigned long n = count == NULL ? 0 : strtoul(count, NULL, 10);
	char copy[1024];
	long step = 0;

	if (strncmp(text, "by ", 3) == 0)
		step = strtol(text + 3, &text, 10);
	while (isspace((unsigned char)*text))
		text++;
	if (n == 0) {
		dialogue_fail(d, "repeat N [by STEP] < SEGMENT, repeat N COMMAND");
		return;
	}
	for (unsigned long i = 0; i < n && !d->failed; i++) {
		moved_on(copy, sizeof(copy), text, (long)i * step);
		if (*copy == '<')
			segment_in(d, copy + 1);
		else
			command_run(d, copy);
	}
}

static void line_run(struct dialogue *d, char *text)
{
	uint64_t at_ns, tol_ns = d->tolerance_ns;
	bool timed;

	while (isspace((unsigned char)*text))
		text++;
	if (*text == '\0')
		return;
	if (*text == '#') {
		d->cited |= strstr(text, "RFC ") != NULL || strstr(text, "draft-ietf-") != NULL;
		return;
	}
	if (isdigit((unsigned char)*text) || *text == '+' || *text == '<' || *text == '>')
		if (!dialogue_start(d))
			return;
	at_ns = d->last_ns;
	timed = time_parse(d, &text, &at_ns, &tol_ns);
	while (isspace((unsigned char)*text))
		text++;
	if (*text == '>') {
		segment_out(d, text + 1, at_ns, tol_ns);
		return;
	}
	if (timed)
		dialogue_idle(d, at_ns);
	else if (d->seam != NULL && strncmp(text, "drain", 5) != 0)
		unexpected(d);
	if (d->failed)
		return;
	if (*text == '<')
		segment_in(d, text + 1);
	else if (strncmp(text, "repeat ", 7) == 0)
		repeat(d, text + 7);
	else
		command_run(d, text);
}

static void check_end(struct dialogue *d)
{
	unsigned int lost;

	if (d->seam == NULL)
		return;
	unexpected(d);
	for (unsigned int i = 0; i < d->nsocks; i++) {
		struct rnl_seam_status st = {0};

		rnl_seam_status(d->seam, d->socks[i].fd, &st);
		if (st.closed_calls > 1 || st.late_calls > 0)
			dialogue_fail(d, "callbacks after closed");
	}
	lost = rnl_seam_destroy(d->seam);
	if (lost > 0)
		dialogue_fail(d, "%u packet buffers leaked", lost);
}

static void run_lines(struct dialogue *d, FILE *f)
{
	char line[1024], copy[1024];

	while (!d->failed && !d->skip && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		d->line++;
		snprintf(copy, sizeof(copy), "%s", line);
		line_run(d, line);
		if (d->failed)
			printf("  line:     %s\n", copy);
	}
}

bool dialogue_run(const char *file, const struct variant *v, bool verbose)
{
	struct dialogue *d = calloc(1, sizeof(*d));
	FILE *f = fopen(file, "r");
	bool ok;

	if (d == NULL || f == NULL) {
		printf("FAIL %s: %s\n", file, strerror(errno));
		free(d);
		if (f != NULL)
			fclose(f);
		return false;
	}
	d->file = file;
	d->variant = v;
	d->verbose = verbose;
	d->listener = -1;
	for (unsigned int i = 0; i < FLOWS_MAX; i++)
		d->flow[i].peer_isn = v->peer_isn + i * 1000003;
	run_lines(d, f);
	fclose(f);
	check_end(d);
	if (!d->failed && !d->skip && !d->cited)
		dialogue_fail(d, "cites no RFC");
	if (d->failed && !verbose)
		printf("%s", d->trace);
	ok = !d->failed;
	free(d);
	return ok;
}
