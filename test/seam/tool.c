/* SPDX-License-Identifier: BSD-3-Clause */
#include "tool.h"

void tool_open(struct tool *t, uint32_t time, bool ip6)
{
	struct rnl_seam_sys_config cfg = {.size = sizeof(cfg), .time = time, .megabytes = 128};
	char text[256] = "";

	memset(t, 0, sizeof(*t));
	t->h = rnl_seam_sys_open(&cfg, text, sizeof(text));
	if (t->h == NULL)
		fail_msg("%s", text);
	t->ip6 = ip6;
	t->sport = 40000;
	t->dport = 8080;
	t->peer_seq = 5000;
}

void tool_close(struct tool *t)
{
	assert_int_equal(rnl_seam_sys_free(t->h), 0);
}

static void host(const struct tool *t, uint8_t n, uint8_t out[16])
{
	static const uint8_t net4[4] = {192, 0, 2}, net6[16] = {0x20, 0x01, 0x0d, 0xb8};

	memset(out, 0, 16);
	memcpy(out, t->ip6 ? net6 : net4, t->ip6 ? 16 : 4);
	out[t->ip6 ? 15 : 3] = n;
}

socklen_t tool_name(const struct tool *t, bool own, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (void *)out;
	struct sockaddr_in *in = (void *)out;
	uint8_t addr[16];

	memset(out, 0, sizeof(*out));
	host(t, own ? 1 : 9, addr);
	out->ss_family = t->ip6 ? AF_INET6 : AF_INET;
	if (t->ip6) {
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, addr, 16);
		return sizeof(*in6);
	}
	in->sin_port = htons(port);
	memcpy(&in->sin_addr, addr, 4);
	return sizeof(*in);
}

void tool_give(struct tool *t, uint8_t flags, const void *data, size_t len)
{
	struct raw_segment s = {.ip6 = t->ip6,
	                        .sport = t->sport,
	                        .dport = t->dport,
	                        .seq = t->peer_seq,
	                        .flags = flags,
	                        .win = 65535,
	                        .data = data,
	                        .len = len};

	s.ack = flags & RAW_ACK ? t->stack_seq : 0;
	s.urg = flags & RAW_URG ? (uint16_t)len : 0;
	host(t, 9, s.src);
	host(t, 1, s.dst);
	assert_int_equal(rnl_seam_sys_netdev_send(t->h, t->packet, raw_write(&s, t->packet)), 0);
	t->peer_seq += (uint32_t)len + ((flags & (RAW_SYN | RAW_FIN)) != 0);
}

struct raw_segment tool_take(struct tool *t)
{
	struct raw_segment s;
	size_t len = sizeof(t->packet);
	int64_t at;

	assert_int_equal(rnl_seam_sys_netdev_receive(t->h, t->packet, &len, &at), 0);
	assert_true(len > 0);
	assert_true(raw_read(t->packet, len, &s));
	t->stack_seq = s.seq + (uint32_t)s.len + ((s.flags & (RAW_SYN | RAW_FIN)) != 0);
	return s;
}

struct raw_segment tool_until(struct tool *t, uint8_t flags)
{
	struct raw_segment s;

	do
		s = tool_take(t);
	while ((s.flags & flags) != flags);
	return s;
}

void tool_drain(struct tool *t)
{
	size_t len;

	do {
		len = sizeof(t->packet);
		assert_int_equal(rnl_seam_sys_netdev_poll(t->h, t->packet, &len, NULL, 0), 0);
	} while (len > 0);
}

int tool_listen(struct tool *t)
{
	struct sockaddr_storage own;
	socklen_t len = tool_name(t, true, t->dport, &own);
	int l = rnl_seam_sys_socket(t->h, t->ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

	assert_true(l >= 0);
	assert_int_equal(rnl_seam_sys_bind(t->h, l, (struct sockaddr *)&own, len), 0);
	assert_int_equal(rnl_seam_sys_listen(t->h, l, 5), 0);
	return l;
}

void tool_handshake(struct tool *t)
{
	tool_give(t, RAW_SYN, NULL, 0);
	tool_until(t, RAW_SYN | RAW_ACK);
	tool_give(t, RAW_ACK, NULL, 0);
}

int tool_accepted(struct tool *t)
{
	int l = tool_listen(t), c;

	tool_handshake(t);
	c = rnl_seam_sys_accept(t->h, l, NULL, NULL);
	assert_true(c >= 0);
	assert_int_equal(rnl_seam_sys_close(t->h, l), 0);
	return c;
}
