// SPDX-License-Identifier: GPL-2.0
/* Records with their type. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <nst/nst.h>

#define RECV_FLAGS	(MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL | MSG_NOSIGNAL)

/*
 * What a UDP socket may have been asked to tell of a datagram comes before the
 * type: addresses, times, options.
 */
#define CONTROL_ROOM	4096

/**
 * struct call - one recvmsg() and what it has said
 * @msg: its arguments
 * @iov: of them
 * @control: receives control messages
 */
struct call {
	struct msghdr msg;
	struct iovec iov;
	union {
		struct cmsghdr align;
		char buf[CONTROL_ROOM];
	} control;
};

/* Datagrams have no size that a program could set. */
static int is_stream(const struct nst_info *info)
{
	return info->record_max != 0;
}

static ssize_t send_typed(int fd, uint8_t type, struct msghdr *msg, int flags)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(uint8_t))];
	} control;
	struct cmsghdr *cmsg;
	ssize_t n;

	memset(&control, 0, sizeof(control));
	msg->msg_control = control.buf;
	msg->msg_controllen = sizeof(control.buf);
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_NST;
	cmsg->cmsg_type = NST_SET_RECORD_TYPE;
	cmsg->cmsg_len = CMSG_LEN(sizeof(uint8_t));
	*CMSG_DATA(cmsg) = type;
	n = sendmsg(fd, msg, flags | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

ssize_t nst_send_record(int fd, uint8_t type, const void *buf, size_t len,
			int flags)
{
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct nst_info info;
	int err;

	if (type != NST_TYPE_DATA && type < NST_TYPE_APP_MIN)
		return -EINVAL;
	/* A plain socket would pass over the type and send the bytes. */
	err = nst_info(fd, &info);
	if (err)
		return err;
	/* On a stream the kernel makes no record of nothing, and says nothing. */
	if (is_stream(&info) && type != NST_TYPE_DATA && !len)
		return -EINVAL;
	return send_typed(fd, type, &msg, flags);
}

/* Type and bytes of what is next; with @typed a control record may be it. */
static ssize_t receive(int fd, struct call *call, int typed, int flags,
		       uint8_t *type)
{
	struct cmsghdr *cmsg;
	ssize_t n;

	memset(&call->msg, 0, sizeof(call->msg));
	call->msg.msg_iov = &call->iov;
	call->msg.msg_iovlen = 1;
	if (typed) {
		call->msg.msg_control = call->control.buf;
		call->msg.msg_controllen = sizeof(call->control.buf);
	}
	n = recvmsg(fd, &call->msg, flags);
	if (n < 0)
		return -errno;
	*type = NST_TYPE_DATA;
	for (cmsg = CMSG_FIRSTHDR(&call->msg); cmsg;
	     cmsg = CMSG_NXTHDR(&call->msg, cmsg))
		if (cmsg->cmsg_level == SOL_NST &&
		    cmsg->cmsg_type == NST_GET_RECORD_TYPE)
			*type = *CMSG_DATA(cmsg);
	return n;
}

/* A control record is at the head, or was until another thread took it. */
static ssize_t receive_control(int fd, struct call *call, int flags,
			       uint8_t *type)
{
	int peek = flags | MSG_PEEK | MSG_DONTWAIT;
	ssize_t n;

	n = receive(fd, call, 1, peek, type);
	if (n < 0)
		return n;
	if (*type != NST_TYPE_DATA && !(call->msg.msg_flags & MSG_EOR))
		return -EMSGSIZE;
	if (flags & MSG_PEEK)
		return n;
	n = receive(fd, call, 1, flags | MSG_DONTWAIT, type);
	if (n >= 0 && *type != NST_TYPE_DATA &&
	    !(call->msg.msg_flags & MSG_EOR))
		return -EMSGSIZE;
	return n;
}

/*
 * Who has no room for a type gets data at once, and EIO where a control record
 * is next; that stays where it is.
 */
static ssize_t receive_stream(int fd, struct call *call, int flags,
			      uint8_t *type)
{
	ssize_t n;

	do {
		n = receive(fd, call, 0, flags, type);
		if (n != -EIO)
			return n;
		n = receive_control(fd, call, flags, type);
		/* Another thread was faster: what comes next may be waited for. */
	} while (n == -EAGAIN);
	return n;
}

static ssize_t receive_datagram(int fd, struct call *call, int flags,
				uint8_t *type)
{
	ssize_t n = receive(fd, call, 1, flags, type);

	if (n >= 0 && (call->msg.msg_flags & MSG_TRUNC))
		return -EMSGSIZE;
	/* Whatever had no room may have been the type. */
	if (n >= 0 && (call->msg.msg_flags & MSG_CTRUNC))
		return -EIO;
	return n;
}

ssize_t nst_recv_record(int fd, uint8_t *type, void *buf, size_t len,
			int flags)
{
	struct nst_info info;
	struct call call;
	int err;

	if (flags & ~RECV_FLAGS)
		return -EOPNOTSUPP;
	/* What a plain socket has is nobody's record. */
	err = nst_info(fd, &info);
	if (err)
		return err;
	call.iov.iov_base = buf;
	call.iov.iov_len = len;
	return is_stream(&info) ? receive_stream(fd, &call, flags, type) :
				  receive_datagram(fd, &call, flags, type);
}
