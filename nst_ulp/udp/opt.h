/* SPDX-License-Identifier: GPL-2.0 */
/* Options of a UDP socket: SOL_NST, and what is refused of the others. */
#ifndef _NST_UDP_OPT_H
#define _NST_UDP_OPT_H

#include <linux/sockptr.h>

struct sock;

int nst_udp_opt_set(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen);
int nst_udp_opt_get(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen);

#endif /* _NST_UDP_OPT_H */
