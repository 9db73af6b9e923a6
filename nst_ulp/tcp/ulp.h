/* SPDX-License-Identifier: GPL-2.0 */
/* NST as an upper layer protocol of TCP. */
#ifndef _NST_TCP_ULP_H
#define _NST_TCP_ULP_H

int nst_tcp_init(void);
void nst_tcp_exit(void);

#endif /* _NST_TCP_ULP_H */
