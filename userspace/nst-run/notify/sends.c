// SPDX-License-Identifier: GPL-2.0
/*
 * Sends that may have an address: sendto(), sendmsg(), sendmmsg(), under a policy
 * with ports of UDP. The filter cannot see what kind of socket it is for, so all
 * of them come here.
 *
 * What goes on in the program is looked up there anew, so it goes on only if
 * nobody can put another socket there: the program has but one thread, and the
 * socket is not of UDP, or has NST and sends no plaintext, whatever the address.
 * Everything else is copied and sent from here; with two threads a message on a
 * socket of AF_UNIX, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "calls.h"
#include "guise.h"
#include "rights.h"
#include "waits.h"

#define DATAGRAM_MAX	65535
/* More than other sockets take by default; a stream sends so much at once. */
#define OTHER_MAX	262144
/* Above net.core.optmem_max of any kernel's default, which is what counts. */
#define CONTROL_MAX	131072
#define IOV_MAX_SENT	1024

/**
 * struct message - a copy of one message
 * @inet: it is of IPv4 or IPv6
 * @udp: it is a datagram that may have to have NST
 * @stream: a part of it may be sent
 * @room: for @data
 * @msg: as sendmsg() wants it
 * @iov: the one piece of it
 * @addr: its address
 * @control: its control messages, or NULL
 * @rights: descriptors that they have
 * @data: what is sent
 */
struct message {
	int inet, udp, stream;
	size_t room;
	struct msghdr msg;
	struct iovec iov;
	struct sockaddr_storage addr;
	void *control;
	struct rights rights;
	unsigned char data[];
};

static unsigned long long number(const void *pointer)
{
	return (unsigned long)pointer;
}

static int read_address(struct call *call, struct message *m,
			unsigned long long from, long len)
{
	if (!from)
		return 0;
	if (len < 0 || len > (long)sizeof(m->addr))
		return -EINVAL;
	m->msg.msg_name = &m->addr;
	m->msg.msg_namelen = len;
	return target_read(&call->target, &m->addr, from, len);
}

static int read_control(struct call *call, struct message *m,
			unsigned long long from, size_t len)
{
	int err;

	if (!from || !len)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	m->control = malloc(len);
	if (!m->control)
		return -ENOMEM;
	m->msg.msg_control = m->control;
	m->msg.msg_controllen = len;
	err = target_read(&call->target, m->control, from, len);
	/* On IPv4 and IPv6 the kernel does not look at them. */
	if (!err && !m->inet)
		err = rights_take(&call->target, &m->msg, &m->rights);
	return err;
}

/*
 * The next piece, behind what is there. Of a stream what there is room for: as
 * after a signal, the rest is for the next call. Else it is too much.
 */
static int read_piece(struct call *call, struct message *m,
		      unsigned long long from, size_t len)
{
	size_t left = m->room - m->iov.iov_len;
	int err;

	if (len > left) {
		if (!m->stream)
			return -EMSGSIZE;
		len = left;
	}
	err = target_read(&call->target, m->data + m->iov.iov_len, from, len);
	if (!err)
		m->iov.iov_len += len;
	return err;
}

static int read_pieces(struct call *call, struct message *m,
		       unsigned long long from, size_t nr)
{
	struct iovec pieces[IOV_MAX_SENT];
	size_t i;
	int err;

	if (nr > IOV_MAX_SENT)
		return -EMSGSIZE;
	err = target_read(&call->target, pieces, from, nr * sizeof(pieces[0]));
	for (i = 0; !err && i < nr; i++)
		err = read_piece(call, m, number(pieces[i].iov_base),
				 pieces[i].iov_len);
	return err;
}

static void begin(struct message *m)
{
	memset(&m->msg, 0, sizeof(*m) - offsetof(struct message, msg));
	m->iov.iov_base = m->data;
	m->msg.msg_iov = &m->iov;
	m->msg.msg_iovlen = 1;
}

static int read_message(struct call *call, struct message *m,
			unsigned long long from)
{
	struct msghdr there;
	int err = target_read(&call->target, &there, from, sizeof(there));
	long name_len = (int)there.msg_namelen;

	if (err)
		return err;
	/* As the kernel does it, for this call alone. */
	if (name_len > (long)sizeof(m->addr))
		name_len = sizeof(m->addr);
	err = read_address(call, m, number(there.msg_name), name_len);
	if (!err)
		err = read_pieces(call, m, number(there.msg_iov),
				  there.msg_iovlen);
	if (!err)
		err = read_control(call, m, number(there.msg_control),
				   there.msg_controllen);
	return err;
}

static int read_sendto(struct call *call, struct message *m)
{
	const __u64 *args = call->target.req->data.args;
	int err = read_address(call, m, args[4], (int)args[5]);

	return err ? err : read_piece(call, m, args[1], args[2]);
}

static int transmit(struct call *call, int fd, struct message *m, int flags)
{
	struct wait wait;
	long n = sendmsg(fd, &m->msg, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	int err = n < 0 ? -errno : (int)n;

	if (err != -EAGAIN || (flags & MSG_DONTWAIT) || !call_blocks(fd) ||
	    !call->may_block)
		return err;
	do {
		waits_begin(&wait, &call->target, 0);
		n = sendmsg(fd, &m->msg, flags | MSG_NOSIGNAL);
		err = waits_end(&wait, n < 0 ? -errno : 0, 0);
	} while (err == 1);
	return err ? err : (int)n;
}

/* All of a stream's, where the program would wait for that. */
static int transmit_all(struct call *call, int fd, struct message *m, int flags)
{
	int sent = 0, n;

	do {
		n = transmit(call, fd, m, flags);
		if (n < 0)
			break;
		sent += n;
		m->iov.iov_base = (unsigned char *)m->iov.iov_base + n;
		m->iov.iov_len -= n;
		/* It has gone with the first byte. */
		m->msg.msg_control = NULL;
		m->msg.msg_controllen = 0;
	} while (m->stream && n && m->iov.iov_len &&
		 !(flags & MSG_DONTWAIT) && call_blocks(fd));
	return sent ? sent : n;
}

struct sending {
	struct call *call;
	int fd;
	struct message *m;
	int flags;
};

static int transmit_as(void *arg)
{
	struct sending *s = arg;

	return transmit_all(s->call, s->fd, s->m, s->flags);
}

/* Its length, or a negative errno */
static int send_one(struct call *call, int fd, struct message *m, int flags)
{
	struct sending sending = { call, fd, m, flags };
	int err;

	/* Its pages would be the supervisor's. */
	if (flags & MSG_ZEROCOPY)
		return -EOPNOTSUPP;
	if (m->udp && m->msg.msg_name) {
		err = call_attach(call, ATTACH_SEND, fd, m->msg.msg_name,
				  m->msg.msg_namelen);
		if (err)
			return err;
	}
	if (m->inet) {
		guise_caps(&call->target);
		err = transmit_all(call, fd, m, flags);
		guise_caps_off();
	} else {
		err = guise_run(&call->target, transmit_as, &sending);
	}
	if (err == -EPIPE && m->stream && !(flags & MSG_NOSIGNAL))
		syscall(SYS_pidfd_send_signal, call->target.pidfd, SIGPIPE,
			NULL, 0);
	return err;
}

static void finish(struct message *m)
{
	rights_drop(&m->rights);
	free(m->control);
}

/* sendmmsg(): how many; what is wrong with a later one its own call says. */
static int send_many(struct call *call, int fd, struct message *m)
{
	const __u64 *args = call->target.req->data.args;
	unsigned int nr = (unsigned int)args[2], i, len;
	unsigned long long at = args[1];
	int err = 0;

	if (nr > IOV_MAX_SENT)
		nr = IOV_MAX_SENT;
	for (i = 0; i < nr; i++, at += sizeof(struct mmsghdr)) {
		begin(m);
		err = read_message(call, m, at);
		if (!err)
			err = send_one(call, fd, m, (int)args[3]);
		finish(m);
		if (err < 0)
			break;
		len = err;
		err = target_write(&call->target,
				   at + offsetof(struct mmsghdr, msg_len),
				   &len, sizeof(len));
		if (err)
			break;
	}
	return i ? (int)i : err;
}

static struct message *new_message(int fd)
{
	int domain, protocol = call_protocol(fd, &domain), type = 0;
	int udp = protocol == IPPROTO_UDP;
	size_t room = udp ? DATAGRAM_MAX : OTHER_MAX;
	socklen_t len = sizeof(type);
	struct message *m = malloc(sizeof(*m) + room);

	if (!m)
		return NULL;
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	m->inet = protocol >= 0;
	m->udp = udp;
	m->stream = type == SOCK_STREAM;
	m->room = room;
	return m;
}

static int send_copy(struct call *call, int fd)
{
	const struct seccomp_data *data = &call->target.req->data;
	int flags = (int)data->args[data->nr == SYS_sendto ? 3 : 2], err;
	struct message *m = new_message(fd);

	if (!m)
		return -ENOMEM;
	if (data->nr == SYS_sendmmsg) {
		err = send_many(call, fd, m);
	} else {
		begin(m);
		err = data->nr == SYS_sendto ? read_sendto(call, m) :
			read_message(call, m, data->args[1]);
		if (!err)
			err = send_one(call, fd, m, flags);
		finish(m);
	}
	free(m);
	return err;
}

/**
 * call_send() - a send that may have an address
 * @call: it
 * @fd: the copy of the socket
 *
 * Return: 0, or a negative errno.
 */
int call_send(struct call *call, int fd)
{
	int domain, protocol = call_protocol(fd, &domain), sent;

	if ((protocol != IPPROTO_UDP || call_has_nst(fd)) &&
	    target_alone(&call->target)) {
		call->go_on = 1;
		return 0;
	}
	sent = send_copy(call, fd);
	if (sent < 0)
		return sent;
	call->value = sent;
	return 0;
}
