/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a pcap file: nanosecond times, Ethernet. */
#include "sim.h"

static void put32(FILE *f, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, f);
}

FILE *pcap_open(const char *file)
{
	FILE *f = fopen(file, "wb");

	if (f == NULL)
		return NULL;
	put32(f, 0xa1b23c4d); /* nanoseconds, the byte order of this host */
	put32(f, 4u << 16 | 2);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, 1);
	return f;
}

void pcap_write(FILE *f, uint64_t at_ns, const uint8_t *frame, uint32_t len)
{
	put32(f, (uint32_t)(at_ns / SIM_S));
	put32(f, (uint32_t)(at_ns % SIM_S));
	put32(f, len);
	put32(f, len);
	fwrite(frame, len, 1, f);
}
