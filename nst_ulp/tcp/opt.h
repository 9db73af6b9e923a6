/* SPDX-License-Identifier: GPL-2.0 */
/* Socket options of level SOL_NST, and what is refused of the others. */
#ifndef _NST_SOCKOPT_H
#define _NST_SOCKOPT_H

#include <linux/sockptr.h>

struct nst_tcp;
struct sock;

void nst_tcp_begin_anew(struct nst_tcp *nst);
int nst_sockopt_set(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen);
int nst_sockopt_get(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen);

#endif /* _NST_SOCKOPT_H */
