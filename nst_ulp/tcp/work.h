/* SPDX-License-Identifier: GPL-2.0 */
/* For who attaches and closes sockets; the rest of tcp_work.c is in tcp_ulp.h. */
#ifndef _NST_TCP_WORK_H
#define _NST_TCP_WORK_H

#include "tcp_ulp.h"

struct nst_tcp *nst_tcp_alloc(struct sock *sk, const struct nst_tcp *parent,
			      gfp_t gfp);
void nst_tcp_work_cancel(struct nst_tcp *nst);
void nst_tcp_work_end(struct nst_tcp *nst);
void nst_tcp_work_forget(struct nst_tcp *nst);
int nst_tcp_work_start(void);
void nst_tcp_work_stop(void);

#endif /* _NST_TCP_WORK_H */
