/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LIBNST_SOCKET_H
#define _LIBNST_SOCKET_H

#include <nst/nst.h>

/* What a socket is, as far as NST has to do with it. */
enum nst_kind {
	NST_KIND_OTHER,
	NST_KIND_TCP,
	NST_KIND_UDP,
};

int nst_kind(int fd, int *domain);

#endif /* _LIBNST_SOCKET_H */
