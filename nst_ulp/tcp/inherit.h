/* SPDX-License-Identifier: GPL-2.0 */
/* What a child has of its listener, and when it gets it. */
#ifndef _NST_TCP_INHERIT_H
#define _NST_TCP_INHERIT_H

#include "tcp/sock.h"

void nst_tcp_inherit(struct nst_tcp *nst, struct nst_tcp *parent);
void nst_tcp_inherit_late(struct nst_tcp *nst, struct nst_tcp *parent,
			  bool last);
void nst_tcp_keep_parent(struct nst_tcp *nst, struct nst_tcp *parent);
void nst_tcp_inherit_now(struct nst_tcp *nst);
void nst_tcp_tell_children(struct nst_tcp *nst);

#endif /* _NST_TCP_INHERIT_H */
