/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an outside tool uses the seam: loads the shared object, opens a connection passively through
 * bare packets, and checks each answer.
 *
 *     seam_example LIBRARY virtual|real
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rawpeer.h"
#include "sys.h"

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "example.c:%d: not so: %s\n", __LINE__, #what);            \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define CALLS(X)                                                                                   \
	X(abi)                                                                                     \
	X(open) X(free) X(netdev_send) X(netdev_receive) X(socket) X(bind) X(listen) X(accept)     \
	    X(read) X(write) X(close) X(gettimeofday)

/* The calls by their types in sys.h: a mistake is an error of the compiler. */
static struct {
#define X(name) __typeof__(&rnl_seam_sys_##name) name;
	CALLS(X)
#undef X
} sys;

static void load(const char *path)
{
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (so == NULL)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(so != NULL);
#define X(name)                                                                                    \
	*(void **)&sys.name = dlsym(so, "rnl_seam_sys_" #name);                                    \
	CHECK(sys.name != NULL);
	CALLS(X)
#undef X
}

static struct rnl_seam_sys *h;
static uint32_t peer_seq = 1000, stack_seq;

static void give(uint8_t flags, const char *data)
{
	struct raw_segment s = {.src = {192, 0, 2, 9},
	                        .dst = {192, 0, 2, 1},
	                        .sport = 40000,
	                        .dport = 8080,
	                        .flags = flags,
	                        .win = 65535};
	uint8_t packet[1500];

	s.seq = peer_seq;
	s.ack = flags & RAW_ACK ? stack_seq : 0;
	s.data = (const uint8_t *)data;
	s.len = strlen(data);
	CHECK(sys.netdev_send(h, packet, raw_write(&s, packet)) == 0);
	peer_seq += (uint32_t)s.len + ((flags & (RAW_SYN | RAW_FIN)) != 0);
}

static struct raw_segment take(uint8_t *packet)
{
	struct raw_segment s;
	size_t len = 1500;
	int64_t at;

	CHECK(sys.netdev_receive(h, packet, &len, &at) == 0);
	CHECK(len > 0 && at > 0);
	CHECK(raw_read(packet, len, &s));
	CHECK(s.ack == peer_seq && s.sport == 8080 && s.dport == 40000);
	return s;
}

static int passive_open(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8080)};
	struct raw_segment s;
	uint8_t packet[1500];
	int l, c;

	l = sys.socket(h, AF_INET, SOCK_STREAM, 0);
	CHECK(l >= 0);
	CHECK(sys.bind(h, l, (struct sockaddr *)&any, sizeof(any)) == 0);
	CHECK(sys.listen(h, l, 1) == 0);
	give(RAW_SYN, "");
	s = take(packet);
	CHECK(s.flags == (RAW_SYN | RAW_ACK));
	stack_seq = s.seq + 1;
	give(RAW_ACK, "");
	c = sys.accept(h, l, NULL, NULL); /* blocks until it is there */
	CHECK(c >= 0);
	CHECK(sys.close(h, l) == 0);
	return c;
}

int main(int argc, char **argv)
{
	struct rnl_seam_sys_config cfg = {.size = sizeof(cfg)};
	struct raw_segment s;
	struct timeval tv;
	uint8_t packet[1500];
	char text[256], buf[16];
	int c;

	CHECK(argc == 3);
	load(argv[1]);
	CHECK(sys.abi() == RNL_SEAM_SYS_ABI);
	cfg.time = strcmp(argv[2], "real") == 0 ? RNL_SEAM_SYS_REAL : RNL_SEAM_SYS_VIRTUAL;
	h = sys.open(&cfg, text, sizeof(text));
	if (h == NULL)
		fprintf(stderr, "%s\n", text);
	CHECK(h != NULL);
	CHECK(sys.gettimeofday(h, &tv, NULL) == 0 && tv.tv_sec > 0);
	c = passive_open();
	give(RAW_PSH | RAW_ACK, "hello");
	CHECK(sys.read(h, c, buf, sizeof(buf)) == 5 && memcmp(buf, "hello", 5) == 0);
	CHECK(sys.write(h, c, "world", 5) == 5);
	do /* the acknowledgement of "hello" may come first */
		s = take(packet);
	while (s.len == 0);
	CHECK(s.seq == stack_seq && s.len == 5 && memcmp(s.data, "world", 5) == 0);
	stack_seq += 5;
	give(RAW_ACK | RAW_FIN, "");
	CHECK(sys.read(h, c, buf, sizeof(buf)) == 0);
	CHECK(sys.close(h, c) == 0);
	do
		s = take(packet);
	while (!(s.flags & RAW_FIN));
	stack_seq++;
	give(RAW_ACK, "");
	CHECK(sys.free(h) == 0);
	printf("seam_example: %s time: opened, talked, closed\n", argv[2]);
	return 0;
}
