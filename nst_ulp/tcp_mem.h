/* SPDX-License-Identifier: GPL-2.0 */
/* Who pays for the memory of a TCP socket. */
#ifndef _NST_TCP_MEM_H
#define _NST_TCP_MEM_H

#include "tcp_ulp.h"

bool nst_tcp_mem_reserve(struct nst_tcp *nst);
bool nst_tcp_mem_settled(const struct nst_tcp *nst);
void nst_tcp_mem_settle(struct nst_tcp *nst);
void nst_tcp_mem_lend(struct nst_tcp *nst);
void nst_tcp_mem_drop(struct nst_tcp *nst);

#endif /* _NST_TCP_MEM_H */
