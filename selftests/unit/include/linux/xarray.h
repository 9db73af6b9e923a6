/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: a type in struct nst_net that nothing on the host uses. */
#ifndef _SHIM_LINUX_XARRAY_H
#define _SHIM_LINUX_XARRAY_H

struct xarray {
	int unused;
};

#endif /* _SHIM_LINUX_XARRAY_H */
