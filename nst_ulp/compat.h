/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows that kernels differ. Kbuild includes it in front of
 * every file and defines the NST_HAVE_* from the target's headers.
 */
#ifndef _NST_COMPAT_H
#define _NST_COMPAT_H

#include <linux/kconfig.h>

#if !IS_ENABLED(CONFIG_INET) || !IS_ENABLED(CONFIG_CRYPTO)
#error "NST needs CONFIG_INET and CONFIG_CRYPTO"
#endif
/* Byte counts and limits are beyond 32 bits, and counters are u64. */
#if !IS_ENABLED(CONFIG_64BIT)
#error "NST needs a 64-bit kernel"
#endif

/* The head of a proto.recvmsg; 7.x has lost addr_len. */
#ifdef NST_HAVE_RECVMSG_ADDR_LEN
#define NST_RECVMSG_ARGS struct sock *sk, struct msghdr *msg, size_t len, \
			 int flags, int *addr_len
#define NST_RECVMSG_GIVE sk, msg, len, flags, addr_len
#define NST_RECVMSG_PASS(sk, msg, len, flags) (sk, msg, len, flags, addr_len)
#else
#define NST_RECVMSG_ARGS struct sock *sk, struct msghdr *msg, size_t len, \
			 int flags
#define NST_RECVMSG_GIVE sk, msg, len, flags
#define NST_RECVMSG_PASS(sk, msg, len, flags) (sk, msg, len, flags)
#endif
#define NST_RECVMSG(name) int name(NST_RECVMSG_ARGS)

/* Take a datagram off a UDP socket's queue and look at nothing of it. */
#ifdef NST_HAVE_RECVMSG_ADDR_LEN
#define nst_compat_recv_nothing(prot, sk, msg) \
	((prot)->recvmsg(sk, msg, 0, MSG_DONTWAIT, NULL))
#else
#define nst_compat_recv_nothing(prot, sk, msg) \
	((prot)->recvmsg(sk, msg, 0, MSG_DONTWAIT))
#endif

/* The result of proto.ioctl: through user space on 6.1, by pointer later. */
#ifdef NST_HAVE_IOCTL_KARG
#define NST_IOCTL(name) int name(struct sock *sk, int cmd, int *karg)
#define NST_IOCTL_RESULT(value) (*karg = (value), 0)
#define NST_IOCTL_PASS karg
#else
#define NST_IOCTL(name) int name(struct sock *sk, int cmd, unsigned long arg)
#define NST_IOCTL_RESULT(value) put_user((value), (int __user *)arg)
#define NST_IOCTL_PASS arg
#endif

/* proto_ops.accept and what it passes on. */
#ifdef NST_HAVE_ACCEPT_ARG
#define NST_ACCEPT_ARGS struct socket *sock, struct socket *newsock, \
			struct proto_accept_arg *arg
#define NST_ACCEPT_PASS (sock, newsock, arg)
#else
#define NST_ACCEPT_ARGS struct socket *sock, struct socket *newsock, \
			int flags, bool kern
#define NST_ACCEPT_PASS (sock, newsock, flags, kern)
#endif
#define NST_ACCEPT(name) int name(NST_ACCEPT_ARGS)

/* The address that proto_ops.connect is given: a struct of this name. */
#ifdef NST_HAVE_SOCKADDR_UNSIZED
#define NST_SOCKADDR sockaddr_unsized
#else
#define NST_SOCKADDR sockaddr
#endif

/* The heads of tcp_ulp_ops.get_info and get_info_size. */
#ifdef NST_HAVE_ULP_NET_ADMIN
#define NST_ULP_INFO_ALLOWED net_admin
#define NST_ULP_INFO(name) int name(struct sock *sk, struct sk_buff *skb, \
				    bool net_admin)
#define NST_ULP_INFO_SIZE(name) size_t name(const struct sock *sk, \
					    bool net_admin)
#else
#define NST_ULP_INFO_ALLOWED true
#define NST_ULP_INFO(name) int name(struct sock *sk, struct sk_buff *skb)
#define NST_ULP_INFO_SIZE(name) size_t name(const struct sock *sk)
#endif

/* A sysctl handler's table. */
#ifdef NST_HAVE_CONST_CTL_TABLE
#define NST_CTL_TABLE const struct ctl_table
#else
#define NST_CTL_TABLE struct ctl_table
#endif

/*
 * Splicing into a socket: page by page through sendpage on 6.1, where
 * MSG_SPLICE_PAGES is backported as a number but honoured nowhere.
 */
#ifdef NST_HAVE_SENDPAGE
#define NST_SENDPAGE_FLAGS (MSG_SENDPAGE_NOTLAST | MSG_SENDPAGE_NOPOLICY)
#define NST_SPLICE_FLAG(flags) false
#else
#define NST_SENDPAGE_FLAGS 0
#define NST_SPLICE_FLAG(flags) ((flags) & MSG_SPLICE_PAGES)
#endif

/* How a UDP socket with an encap_rcv is told of ICMP errors. */
#ifdef NST_HAVE_ENCAP_ERR_ARGS
#define NST_ENCAP_ERR_RCV(name) void name(struct sock *sk, \
					  struct sk_buff *skb, int err, \
					  __be16 port, u32 info, u8 *payload)
#else
#define NST_ENCAP_ERR_RCV(name) void name(struct sock *sk, \
					  struct sk_buff *skb, \
					  unsigned int udp_offset)
#endif

/* Flags of inet sockets were bit fields. */
#ifdef NST_HAVE_INET_TEST_BIT
#define nst_inet_recverr(sk) inet_test_bit(RECVERR, sk)
#define nst_inet6_recverr(sk) inet6_test_bit(RECVERR6, sk)
#else
#define nst_inet_recverr(sk) (inet_sk(sk)->recverr)
#define nst_inet6_recverr(sk) (inet6_sk(sk)->recverr)
#endif

/* What a driver calls when it is done. */
#ifdef NST_HAVE_CRYPTO_DONE_DATA
#define NST_CRYPTO_DONE(name) void name(void *data, int err)
#define NST_CRYPTO_DONE_DATA data
#else
#define NST_CRYPTO_DONE(name) void name(struct crypto_async_request *async, \
					int err)
#define NST_CRYPTO_DONE_DATA (async->data)
#endif

#ifndef NST_HAVE_SYSCTL_SZ
#define register_net_sysctl_sz(net, path, table, n) \
	register_net_sysctl(net, path, table)
#endif

/* Memory of a device, which the CPU cannot read, is newer than 6.1. */
#ifndef NST_HAVE_FRAGS_READABLE
#define skb_frags_readable(skb) true
#endif

#endif /* _NST_COMPAT_H */
