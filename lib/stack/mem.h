/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that a stack reserves when it is made: zeroed, untouched until it is used, on one NUMA node.
 * Refuses: growing, allocation after set-up. Floor 4.
 */
#ifndef RNL_STACK_MEM_H
#define RNL_STACK_MEM_H

#include <stddef.h>

/**
 * Reserves `bytes` (> 0) octets of zeroed memory. Pages are taken when they are first written, from
 * NUMA node `socket_id` as long as it has any (-1, or a node that does not exist: no preference).
 * Aligned to a page, from 2 MiB on to 2 MiB, and then offered to transparent huge pages.
 * @return NULL when the address space or the limits of the process do not allow it.
 */
void *rnl_mem_reserve(size_t bytes, int socket_id);
/** Gives back what rnl_mem_reserve(bytes) returned. NULL: nothing. */
void rnl_mem_release(void *mem, size_t bytes);

#endif /* RNL_STACK_MEM_H */
