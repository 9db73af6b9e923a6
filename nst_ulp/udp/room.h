/* SPDX-License-Identifier: GPL-2.0 */
/* Room in SO_SNDBUF, for what is sealed before UDP asks for it. */
#ifndef _NST_UDP_ROOM_H
#define _NST_UDP_ROOM_H

#include "core/wire.h"
#include "udp/sock.h"

/*
 * What UDP will charge for @nr datagrams with @bytes of plaintext, headers and all. A
 * long one that is cut into packets takes half of it more; of most it is some more
 * than they do.
 */
static inline unsigned int nst_udp_room_for(unsigned int nr, unsigned int bytes)
{
	unsigned int wire = bytes + nr * (NST_WIRE_HDR_LEN + NST_WIRE_BLOCK);

	return wire + wire / 2 + SKB_TRUESIZE(MAX_HEADER);
}

/*
 * As with UDP there is room while SO_SNDBUF is not full, however much is sent; but
 * others keep what they were promised, if @room comes before them.
 */
static inline bool nst_udp_room(const struct nst_udp *nst, unsigned int room)
{
	unsigned int promised = room ? atomic_read(&nst->promised) : 0;
	unsigned int used = sk_wmem_alloc_get(nst->sk);

	if (unlikely(promised))
		used += promised + room;
	return used < (unsigned int)READ_ONCE(nst->sk->sk_sndbuf);
}

/* May so much be sent now? Under tx_lock; it is promised until nst_udp_room_give(). */
static inline bool nst_udp_room_take(struct nst_udp *nst, unsigned int room)
{
	lockdep_assert_held(&nst->tx_lock);
	if (unlikely(!nst_udp_room(nst, room)))
		return false;
	atomic_add(room, &nst->promised);
	return true;
}

void nst_udp_tell_refused(struct nst_udp *nst);

/* UDP has what room was promised to. */
static inline void nst_udp_room_give(struct nst_udp *nst, unsigned int room)
{
	atomic_sub(room, &nst->promised);
	/* Pairs with set_refused(): one of the two sees the other. */
	smp_mb__after_atomic();
	if (unlikely(READ_ONCE(nst->send_refused)))
		nst_udp_tell_refused(nst);
}

int nst_udp_room_wait(struct nst_udp *nst, unsigned int room, long *timeo);
int nst_udp_conf_lock(struct nst_udp *nst, bool may_wait);
void nst_udp_conf_unlock(struct nst_udp *nst);

#endif /* _NST_UDP_ROOM_H */
