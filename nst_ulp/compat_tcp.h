/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of TCP alone need of compat.h. */
#ifndef _NST_COMPAT_TCP_H
#define _NST_COMPAT_TCP_H

#include <linux/bvec.h>
#include <linux/uio.h>
#include <net/sock.h>
#include <net/tcp.h>
#ifdef NST_HAVE_PROTO_MEMORY
#include <net/proto_memory.h>
#endif

/* tcp_out_of_memory(), which 7.x keeps to itself. */
static inline bool nst_compat_out_of_memory(const struct sock *sk)
{
	return sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
	       sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2);
}

#ifdef NST_HAVE_TCP_SENDPAGES
/**
 * nst_compat_send_pages() - append pages to TCP's write queue, uncopied
 * @sk: connected socket, locked
 * @bvec: the pages; TCP takes references of its own
 * @nr: how many
 * @len: bytes in them
 * @flags: MSG_MORE if more follows at once; 0
 *
 * Never waits, never raises SIGPIPE. The pages must be the caller's own: TCP
 * is told that nobody else will write to them.
 *
 * Return: bytes taken, perhaps fewer than @len; an errno if none.
 */
static inline int nst_compat_send_pages(struct sock *sk, struct bio_vec *bvec,
					unsigned int nr, size_t len, int flags)
{
	unsigned int i;
	int done = 0;

	flags |= MSG_DONTWAIT | MSG_NOSIGNAL | MSG_NO_SHARED_FRAGS;
	for (i = 0; i < nr; i++) {
		int more = i + 1 < nr ? MSG_SENDPAGE_NOTLAST | MSG_MORE : 0;
		int n = do_tcp_sendpages(sk, bvec[i].bv_page, bvec[i].bv_offset,
					 bvec[i].bv_len, flags | more);

		if (n < 0)
			return done ?: n;
		done += n;
		if (n < bvec[i].bv_len)
			break;
	}
	return done;
}
#else
static inline int nst_compat_send_pages(struct sock *sk, struct bio_vec *bvec,
					unsigned int nr, size_t len, int flags)
{
	struct msghdr msg = {
		.msg_flags = flags | MSG_DONTWAIT | MSG_NOSIGNAL |
			     MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS,
	};

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bvec, nr, len);
	return tcp_sendmsg_locked(sk, &msg, len);
}
#endif

#endif /* _NST_COMPAT_TCP_H */
