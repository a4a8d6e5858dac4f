/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dialogue - runs small texts that say "this segment comes in at t, these segments must go out":
 * doc/testing.md has the grammar. What the files of the runner share.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seam.h"

#define TH_FIN 0x01u
#define TH_SYN 0x02u
#define TH_RST 0x04u
#define TH_PSH 0x08u
#define TH_ACK 0x10u
#define TH_URG 0x20u
#define TH_ECE 0x40u
#define TH_CWR 0x80u
#define TH_AE 0x100u
#define TH_LETTERS "FSRP.UEWA"

#define OPT_EOL 0
#define OPT_NOP 1
#define OPT_MSS 2
#define OPT_WSCALE 3
#define OPT_SACKOK 4
#define OPT_SACK 5
#define OPT_TS 8
#define OPT_ACCECN0 172
#define OPT_ACCECN1 174
#define OPT_TFO 34
#define OPT_RAW 256 /* octets as they stand in the script */

#define PACKET_MAX 4096
#define OPTS_MAX 16
#define FLOWS_MAX 8

/* How a dialogue is run: each runs once for every variant. */
struct variant {
	const char *name;
	bool ip6;
	uint32_t peer_isn;
};

/* A number of a script. */
struct number {
	enum { NUM_UNSET, NUM_ANY, NUM_REL, NUM_ABS, NUM_LAST } kind;
	int64_t value;
};

struct option {
	int kind;
	struct number a, b; /* mss, wscale: a; ts: a:b; tfo: a is octets of the cookie */
	bool wrong; /* tfo: not the cookie that was given */
	unsigned int ncounters;
	uint32_t counter[3]; /* accecn0, accecn1 */
	unsigned int nsack;
	uint32_t sack[4][2]; /* relative */
	uint8_t raw[40];
	unsigned int raw_len;
};

/* A segment as a script writes it. */
struct spec {
	unsigned int flow;
	uint16_t flags, flags_either; /* either: set or not, of what goes out */
	struct number seq, ack, win, urg, ttl, tos;
	uint32_t len;   /* payload octets */
	char text[256]; /* payload, instead of the pattern, when has_text */
	bool has_text;
	bool opts_any;
	struct option opt[OPTS_MAX];
	unsigned int nopt;
	/* damage and oddities, for segments that go in */
	bool bad_cksum, bad_ip_cksum;
	int doff; /* -1: right */
	int pad;  /* octets behind the IP packet */
	int cut;  /* octets missing at its end */
	bool frag; /* only the octets [frag_off, frag_off + frag_len) behind the IP header */
	uint32_t frag_off, frag_len;
	uint32_t frag_id;
};

/* A segment that came out. */
struct packet {
	uint64_t time_ns;
	size_t len;
	uint8_t bytes[PACKET_MAX];
	bool ip6;
	uint8_t ttl, tos;
	uint16_t sport, dport, win, urg;
	uint32_t seq, ack;
	uint16_t flags;
	const uint8_t *opts, *data;
	unsigned int opts_len, data_len;
};

/* What the peer knows of one flow; relative numbers count from here. */
struct flow {
	uint32_t peer_isn, local_isn, ts_base, ts_last;
	uint64_t ts_base_ns;
	bool local_known, ts_known;
	uint8_t cookie[8]; /* Fast Open: the latest that the stack gave */
};

struct sockrec {
	int fd;
	uint64_t written, read; /* stream positions */
};

struct dialogue {
	const char *file;
	const struct variant *variant;
	struct rnl_seam *seam;
	struct rnl_seam_config config;
	uint64_t start_ns, last_ns; /* time 0.000; time of the last event */
	uint64_t tolerance_ns;
	unsigned int line;
	bool verbose, failed, cited, skip;
	struct flow flow[FLOWS_MAX];
	int listener;
	struct sockrec socks[RNL_SEAM_SOCKETS];
	unsigned int nsocks, cur;
	struct {
		char name[32];
		uint64_t value;
	} pending[16]; /* options for the next socket */
	unsigned int npending;
	char trace[16384]; /* segments so far, as text */
	size_t trace_len;
};

#define LOCAL_PORT 8080
#define PEER_PORT 40000

/* run.c: reports the first fault of a dialogue; later ones are its consequences. */
void dialogue_fail(struct dialogue *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void dialogue_trace(struct dialogue *d, const char *text);

/* spec.c: text to segment. @return false: does not parse, and the dialogue has failed. */
bool spec_parse(struct dialogue *d, char *text, struct spec *out);
bool number_parse(struct dialogue *d, const char *text, struct number *out);
const char *word_next(char **text);

/* packet.c: octets to and from segments. */
size_t packet_build(struct dialogue *d, const struct spec *s, uint8_t *out, size_t cap);
/* fragment.c: replaces a packet by the fragment of it that s asks for. @return its length. */
size_t fragment_cut(const struct dialogue *d, const struct spec *s, uint8_t *packet, size_t len);
/* icmp.c: an ICMP error about a segment of the stack. @return its length; 0: the text does not parse. */
size_t icmp_build(struct dialogue *d, char *text, uint8_t *out, size_t cap);
/* @return NULL, or what is wrong with the packet. */
const char *packet_decode(struct dialogue *d, struct packet *p);
/* The octet at position `off` of the stream that the peer (in) or the stack (out) sends. */
uint8_t pattern_in(uint64_t off);
uint8_t pattern_out(uint64_t off);

/* compare.c: is this packet what the script expects? Learns ISN and timestamp base of a flow. */
void packet_learn(struct dialogue *d, const struct packet *p);
bool packet_matches(struct dialogue *d, const struct spec *s, const struct packet *p, char *why,
                    size_t cap);
void packet_text(struct dialogue *d, const struct packet *p, char *out, size_t cap);

/* command.c: one command of the script. */
void command_run(struct dialogue *d, char *text);
bool dialogue_start(struct dialogue *d);
void dialogue_idle(struct dialogue *d, uint64_t until_ns);

/* run.c: a whole file. @return whether it passed. */
bool dialogue_run(const char *file, const struct variant *v, bool verbose);

#endif /* DIALOGUE_H */
