/* SPDX-License-Identifier: GPL-2.0 */
/* A socket option's value; here it always stands in this program's memory. */
#ifndef _SHIM_LINUX_SOCKPTR_H
#define _SHIM_LINUX_SOCKPTR_H

#include <string.h>
#include <linux/types.h>

typedef struct {
	const void *kernel;
} sockptr_t;

#define KERNEL_SOCKPTR(ptr)	((sockptr_t){ .kernel = (ptr) })

/* A null pointer is the address that cannot be read. */
static inline int copy_from_sockptr(void *to, sockptr_t from, size_t len)
{
	if (!from.kernel)
		return -14;
	memcpy(to, from.kernel, len);
	return 0;
}

#endif
