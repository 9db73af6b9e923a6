// SPDX-License-Identifier: GPL-2.0
/* Memory for keys. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include "secure.h"

/**
 * secure_alloc() - memory for keys
 * @size: bytes
 *
 * Locking it is an attempt: a user's limit may be too low for it, and working
 * without the lock is better than not working. It stays out of core dumps.
 *
 * Return: zeroed memory, or NULL with errno.
 */
void *secure_alloc(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	(void)mlock(mem, size);
	(void)madvise(mem, size, MADV_DONTDUMP);
	return mem;
}

/**
 * secure_free() - wipe and give back
 * @mem: from secure_alloc(), or NULL
 * @size: as there
 */
void secure_free(void *mem, size_t size)
{
	if (!mem)
		return;
	explicit_bzero(mem, size);
	munmap(mem, size);
}
