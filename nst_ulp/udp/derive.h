/* SPDX-License-Identifier: GPL-2.0 */
/* The work that derives keys for what waits. */
#ifndef _NST_UDP_DERIVE_H
#define _NST_UDP_DERIVE_H

#include <linux/workqueue.h>

/* Derives keys, and frees what softirqs may know for a grace period. */
extern struct workqueue_struct *nst_udp_wq;

void nst_udp_derive_soon(void);
int nst_udp_derive_init(void);
void nst_udp_derive_exit(void);

#endif /* _NST_UDP_DERIVE_H */
