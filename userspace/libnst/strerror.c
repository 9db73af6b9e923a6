// SPDX-License-Identifier: GPL-2.0
/* What is wrong, and the way out. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <nst/nst.h>

#define SAY(wrong, way)	wrong "; " way

static const char *const lines[] = {
	[0] = "no error",

	/* Setting up: what an attach and the options say. */
	[E2BIG] =
		SAY("the program asks for what this libnst does not know",
		    "a newer one is needed"),
	[EAFNOSUPPORT] =
		SAY("no such family: the module nst_ulp is not loaded, or has another number",
		    "modprobe nst_ulp"),
	[EBUSY] =
		SAY("a call of another thread, a sockmap, KCM, UDP_CORK or UDP_ENCAP has it",
		    "attach it before it is used, or try again"),
	[EEXIST] =
		SAY("the socket has NST and keys already, or another ULP as kTLS",
		    "nst_is_attached() tells which, nst_set_keys() changes keys"),
	[EINVAL] =
		SAY("options, flags, type or length not for this socket, or unlike those in force",
		    "see libnst(3); an exchange wants a strict stream that has keys"),
	[ENOENT] =
		SAY("the module nst_ulp is not loaded",
		    "modprobe nst_ulp, and name it in /etc/modules-load.d"),
	[ENOPKG] =
		SAY("this kernel cannot do the suite",
		    "'nstkeyctl caps' lists those that it can"),
	[ENOPROTOOPT] =
		SAY("the socket has no NST, or the module nst_ulp is not loaded",
		    "nst_tcp() or nst_udp() first; if that says so: modprobe nst_ulp"),
	[EOPNOTSUPP] =
		SAY("no socket of TCP (MPTCP is none) or UDP over IP, or a flag that NST refuses",
		    "see libnst(3)"),
	[EPERM] =
		SAY("forbidden by sysctl net.nst.enabled or net.nst.strict, or by the guard",
		    "NST_F_STRICT if strict sockets may, else ask the administrator"),

	/* Keys, set or used, and what a peer has sent under them. */
	[EACCES] =
		SAY("the key is for receiving only, or the peer uses one not accepted here",
		    "'nstkeyctl activate', or agree on one"),
	[EBADMSG] =
		SAY("not authentic: the peer's key or context is another one, or it was forged",
		    "compare 'nstkeyctl show' of both hosts"),
	[EKEYEXPIRED] =
		SAY("the peer has sent too much without a new epoch",
		    "its NST is at fault"),
	[EKEYREJECTED] =
		SAY("replayed, own records that came back, both ends in one role, or no share",
		    "one is NST_F_INITIATOR, the other NST_F_RESPONDER"),
	[EKEYREVOKED] =
		SAY("the key is retired",
		    "use the active one ('nstkeyctl show'), on both ends"),
	[ENOKEY] =
		SAY("no such key in the box, or no keys set for a direction",
		    "'nstkeyctl load' here and at the peer, or set keys for both"),
	[EPROTONOSUPPORT] =
		SAY("the ends have no way in common to agree on a key",
		    "see nst_exchange(3)"),
	[EPROTO] =
		SAY("the peer has no NST, is not strict, does no exchange, or bytes passed NST by",
		    "nst_info() has the cause"),
	[ESTALE] =
		SAY("the clocks differ by more than net.nst.timestamp_window, or one was set back",
		    "'nstkeyctl doctor', or NST_F_STRICT"),

	/* Sending and receiving. */
	[EAGAIN] = SAY("not now", "wait with poll(), and call again"),
	[ECONNABORTED] =
		SAY("the stream was cut off: no close record of the peer came",
		    "what was received may not be all"),
	[ECONNREFUSED] = SAY("nobody listens there", "start the peer"),
	[ECONNRESET] =
		SAY("the peer has reset the connection, as NST does when it refuses a record",
		    "'nstkeyctl stats' there"),
	[EDESTADDRREQ] = SAY("the datagram has no destination", "connect() the socket"),
	[EINTR] = SAY("a signal came", "call again"),
	[EIO] =
		SAY("a control record is next, or this socket will never work",
		    "nst_recv_record() reads it; if that says so: close it"),
	[EMSGSIZE] =
		SAY("too long for a record or a datagram, or for the buffer that is to receive it",
		    "see NST_RECORD_MAX, or give more room"),
	[ENOBUFS] = SAY("no memory, or the send buffer is full", "try again later"),
	[ENOMEM] =
		SAY("no memory, on this host or in the program's cgroup",
		    "try again later"),
	[ENOTCONN] =
		SAY("not connected, or the connection is ending",
		    "attach before that, or use a new socket"),
	[EPIPE] =
		SAY("the connection is gone, or was shut down by this end",
		    "nothing can be sent any more"),
	[ETIMEDOUT] =
		SAY("the peer does not answer",
		    "it is down, does no exchange, or a guard there drops what is not NST"),

	/* What any call may say. */
	[EBADF] = SAY("no open file descriptor", "the program is at fault"),
	[EFAULT] = SAY("not the program's memory", "the program is at fault"),
	[ENOTSOCK] = SAY("not a socket", "the program is at fault"),
};

#define NR_LINES	((int)(sizeof(lines) / sizeof(lines[0])))

const char *nst_strerror(int err)
{
	const char *text = NULL;

	/* INT_MIN has no positive counterpart, and is no errno. */
	if (err < -4095)
		return "unknown error";
	if (err < 0)
		err = -err;
	if (err < NR_LINES)
		text = lines[err];
	/* The C library's, in English: static, and any thread may ask. */
	if (!text)
		text = strerrordesc_np(err);
	return text ? text : "unknown error";
}
