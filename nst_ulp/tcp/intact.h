/* SPDX-License-Identifier: GPL-2.0 */
/* Is a stream NST's alone? */
#ifndef _NST_TCP_INTACT_H
#define _NST_TCP_INTACT_H

#include "tcp/sock.h"

void nst_tcp_join(struct nst_tcp *nst);
void nst_tcp_mark(struct nst_tcp *nst, unsigned int giving);
bool nst_tcp_intact(const struct nst_tcp *nst);

#endif /* _NST_TCP_INTACT_H */
