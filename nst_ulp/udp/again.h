/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams that have waited enter UDP again. */
#ifndef _NST_UDP_AGAIN_H
#define _NST_UDP_AGAIN_H

#include "udp/queue.h"

bool nst_udp_comes_again(void);
enum nst_drop nst_udp_again(struct sock *sk, struct nst_udp_waiting *w);
void nst_udp_again_refuse(struct nst_udp *nst, const struct nst_udp_waiting *w,
			  enum nst_drop drop);
void nst_udp_waiting_free(struct nst_udp_waiting *w);
void nst_udp_sender_free(struct nst_udp_sender *sender);
bool nst_udp_catch_up(struct nst_udp *nst, const struct nst_session_id *id,
		      struct sk_buff *skb);

#endif /* _NST_UDP_AGAIN_H */
