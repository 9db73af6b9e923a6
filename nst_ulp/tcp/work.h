/* SPDX-License-Identifier: GPL-2.0 */
/* What the works of a socket do. */
#ifndef _NST_TCP_WORK_H
#define _NST_TCP_WORK_H

struct nst_tcp;

void nst_tcp_serve(struct nst_tcp *nst);
void nst_tcp_look_idle(struct nst_tcp *nst);

#endif /* _NST_TCP_WORK_H */
