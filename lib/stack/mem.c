/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Set-up memory from anonymous mappings. NUMA binding is a preference, set by mbind() itself: the
 * wrappers of libnuma above it print and may exit when it fails, and a binding that is refused (a
 * container without the right) must not stop a stack. Floor 4.
 */
#include "stack/mem.h"

#include <stdint.h>
#include <sys/mman.h>

#include <numa.h>
#include <numaif.h>

#define HUGE_BYTES ((size_t)2 << 20)
#define NODES_MAX 1024

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Maps more and gives the ends back: transparent huge pages want alignment. */
static void *map_huge(size_t bytes)
{
	size_t before;
	uint8_t *p = map(bytes + HUGE_BYTES);

	if (p == NULL)
		return NULL;
	before = (HUGE_BYTES - (uintptr_t)p % HUGE_BYTES) % HUGE_BYTES;
	if (before > 0)
		munmap(p, before);
	munmap(p + before + bytes, HUGE_BYTES - before);
	(void)madvise(p + before, bytes, MADV_HUGEPAGE);
	return p + before;
}

static void prefer_node(void *mem, size_t bytes, int node)
{
	unsigned long mask[NODES_MAX / (8 * sizeof(unsigned long))] = {0};
	const unsigned int bits = 8 * sizeof(mask[0]);

	if (node < 0 || node >= NODES_MAX || numa_available() < 0 || node > numa_max_node())
		return;
	mask[(unsigned int)node / bits] = 1ul << (unsigned int)node % bits;
	/* Preferred, not bound: a full node then lends from another instead of killing the process.
	 */
	(void)mbind(mem, bytes, MPOL_PREFERRED, mask, NODES_MAX, 0);
}

/* From 2 MiB on, whole huge pages. */
static size_t rounded(size_t bytes)
{
	return bytes < HUGE_BYTES ? bytes : (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
}

void *rnl_mem_reserve(size_t bytes, int socket_id)
{
	void *p;

	if (bytes == 0 || bytes > SIZE_MAX - 2 * HUGE_BYTES)
		return NULL;
	p = bytes < HUGE_BYTES ? map(bytes) : map_huge(rounded(bytes));
	if (p != NULL)
		prefer_node(p, rounded(bytes), socket_id);
	return p;
}

void rnl_mem_release(void *mem, size_t bytes)
{
	if (mem != NULL)
		munmap(mem, rounded(bytes));
}
