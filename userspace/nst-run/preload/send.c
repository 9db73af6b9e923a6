// SPDX-License-Identifier: GPL-2.0
/*
 * Sends that name an address: the first one of a UDP socket, and those of TCP that
 * connect (MSG_FASTOPEN). A send without an address is not looked at: its socket
 * has its ports by another call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "preload.h"
#include "real.h"

/* The kernel cuts a length that a message has for its address. */
static int take_name(struct preload_addr *to, const struct msghdr *msg)
{
	socklen_t len = msg->msg_namelen;

	if (len > sizeof(to->addr) && len <= INT_MAX)
		len = sizeof(to->addr);
	return preload_take_addr(to, msg->msg_name, len);
}

/* What a send with this address needs before it. */
enum need { NOTHING, UDP_ATTACH, TCP_CONNECT };

static enum need need_of(int fd, const struct preload_addr *to, int flags)
{
	const struct policy *policy = preload_policy();
	int port = attach_port(&to->addr, to->len);

	if (preload_refuses())
		return UDP_ATTACH;
	if ((flags & MSG_FASTOPEN) &&
	    (ports_has(&policy->tcp, port) || preload_on_named_port(fd)) &&
	    attach_protocol(fd) == IPPROTO_TCP)
		return TCP_CONNECT;
	return ports_has(&policy->udp, port) ? UDP_ATTACH : NOTHING;
}

/*
 * Fast Open becomes what it stands for: a connect() and a send(). A socket that
 * does not block says EINPROGRESS, as it does when there is no cookie.
 *
 * Return: 0 if the send may go on, -1 with errno if not.
 */
static int prepare(int fd, const struct preload_addr *to, int *flags)
{
	switch (need_of(fd, to, *flags)) {
	case TCP_CONNECT:
		*flags &= ~MSG_FASTOPEN;
		return connect(fd, (const struct sockaddr *)&to->addr, to->len);
	case UDP_ATTACH:
		return preload_cover(ATTACH_SEND, fd, &to->addr, to->len);
	case NOTHING:
		break;
	}
	return 0;
}

INTERPOSED ssize_t sendto(int fd, const void *buf, size_t size, int flags,
			  const struct sockaddr *addr, socklen_t len)
{
	struct preload_addr to;

	if (real_lacks(&real.sendto))
		return -1;
	if (!preload_take_addr(&to, addr, len))
		return real.sendto(fd, buf, size, flags, addr, len);
	if (prepare(fd, &to, &flags))
		return -1;
	return real.sendto(fd, buf, size, flags, (struct sockaddr *)&to.addr,
			   to.len);
}

INTERPOSED ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct preload_addr to;
	struct msghdr copy;

	if (real_lacks(&real.sendmsg))
		return -1;
	if (!msg || !take_name(&to, msg))
		return real.sendmsg(fd, msg, flags);
	if (prepare(fd, &to, &flags))
		return -1;
	copy = *msg;
	copy.msg_name = &to.addr;
	copy.msg_namelen = to.len;
	return real.sendmsg(fd, &copy, flags);
}

/* All that have an address are seen to before the first one is sent. */
INTERPOSED int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int nr,
			int flags)
{
	struct preload_addr to;
	unsigned int i;

	if (real_lacks(&real.sendmmsg))
		return -1;
	for (i = 0; i < nr; i++) {
		if (take_name(&to, &msgs[i].msg_hdr) &&
		    prepare(fd, &to, &flags))
			return -1;
	}
	return real.sendmmsg(fd, msgs, nr, flags);
}
