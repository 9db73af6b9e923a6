/* SPDX-License-Identifier: GPL-2.0 */
/* What a reader gets beyond what UDP gives. */
#ifndef _NST_UDP_RECV_H
#define _NST_UDP_RECV_H

#include "udp/sock.h"

NST_RECVMSG(nst_udp_recvmsg);

#endif /* _NST_UDP_RECV_H */
