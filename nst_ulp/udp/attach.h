/* SPDX-License-Identifier: GPL-2.0 */
/* How a UDP socket gets NST. */
#ifndef _NST_UDP_ATTACH_H
#define _NST_UDP_ATTACH_H

struct sock;

int nst_udp_attach(struct sock *sk);
int nst_udp_init(void);
void nst_udp_open(void);
void nst_udp_exit(void);

#endif /* _NST_UDP_ATTACH_H */
