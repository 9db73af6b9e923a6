/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: an array that stays empty; nothing on the host stores in one. */
#ifndef _SHIM_LINUX_XARRAY_H
#define _SHIM_LINUX_XARRAY_H

#include <linux/types.h>

#define XA_FLAGS_LOCK_BH	2U
#define XA_FLAGS_TRACK_FREE	4U
#define XA_FLAGS_ZERO_BUSY	8U
#define XA_FLAGS_ALLOC_WRAPPED	16U
#define XA_FLAGS_ACCOUNT	32U
#define XA_FLAGS_ALLOC1		(XA_FLAGS_TRACK_FREE | XA_FLAGS_ZERO_BUSY)

struct xarray {
	gfp_t xa_flags;
	void *xa_head;
};

static inline void xa_init_flags(struct xarray *xa, gfp_t flags)
{
	xa->xa_flags = flags;
	xa->xa_head = NULL;
}

static inline bool xa_empty(const struct xarray *xa)
{
	return !xa->xa_head;
}

#endif /* _SHIM_LINUX_XARRAY_H */
