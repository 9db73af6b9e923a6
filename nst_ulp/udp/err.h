/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors about datagrams that went out. */
#ifndef _NST_UDP_ERR_H
#define _NST_UDP_ERR_H

#include <linux/skbuff.h>
#include <net/sock.h>

NST_ENCAP_ERR_RCV(nst_udp_encap_err_rcv);

#endif /* _NST_UDP_ERR_H */
