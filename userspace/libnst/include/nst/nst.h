/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * libnst: NST for TCP and UDP sockets in a call or two. libnst(3) tells all.
 *
 * For all functions: an error is a negative errno (errno itself says nothing); its
 * cause and the way out are in one line of nst_strerror(). The library has no
 * state: any thread may call anything at any time, also for the same socket,
 * which the kernel keeps in order. Nothing is kept of what a pointer points
 * to; memory belongs to the caller. Copies of keys are wiped before a function
 * returns, whatever it returns. Nothing here waits but nst_send_record() and
 * nst_recv_record(), as send() and recv() do, and an attach and new keys for
 * other threads that are inside the socket. All but nst_cause_name() and
 * nst_strerror() are system calls and little more: they allocate nothing and
 * may be called from a signal handler and behind fork() or vfork().
 */
#ifndef _NST_NST_H
#define _NST_NST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/nst.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct nst_opts - which keys, and how
 * @size: sizeof(struct nst_opts)
 * @cipher: NST_CIPHER_*; 0: AES_GCM for sending, any for receiving
 * @reserved: 0
 * @kid: the key to send with, and the only one to receive with; 0: the active
 *	one for sending, any of the box for receiving
 * @flags: NST_F_STRICT (TCP only), NST_F_INITIATOR or NST_F_RESPONDER
 * @context: what both ends set alike, the service's name for instance
 * @context_len: bytes of it, at most NST_CONTEXT_MAX
 * @keys: a box of the socket's own: the first is the one to send with; NULL:
 *	the box of the network namespace, which nstkeyctl loads
 * @nr_keys: how many, at most 64
 *
 * What is not set must be 0: begin with { .size = sizeof(struct nst_opts) }.
 * A later library may know more members behind these; all 0 means what this
 * one does. It takes programs that know less, and one that knows less than the
 * program takes what is 0 there.
 */
struct nst_opts {
	size_t size;
	uint8_t cipher;
	uint8_t reserved;
	uint16_t kid;
	uint32_t flags;
	const void *context;
	size_t context_len;
	const struct nst_key *keys;
	size_t nr_keys;
};

/**
 * nst_tcp() - give a TCP socket NST, and keys for both directions
 * @fd: a socket of IPv4 or IPv6: new, connecting, connected or listening; or
 *	one of AF_NST
 * @opts: which keys, and how; NULL: the box of the namespace, and nothing else
 *
 * From the moment that the socket is attached nothing leaves or enters in
 * plaintext. If setting the keys fails, it stays so, without keys: close it,
 * or call again. That sets the keys of a socket that is attached and has not
 * both. One that has is left alone (-EEXIST, and nst_is_attached() is 1), as an
 * accepted socket, which has what its listener has, or what nst-run did; so is
 * one with another ULP, as kTLS (-EEXIST, and nst_is_attached() is 0).
 *
 * -EBUSY is not tried again here, for only the caller knows how long it may
 * wait: a send() of another thread, asleep in TCP, may go on for ever.
 *
 * Context: any thread. Waits for other threads inside the socket: the attach
 * for a quarter of a second at most, new keys until they have copied.
 * Return: 0; -EINVAL or -E2BIG for wrong options, and nothing has changed;
 * -EOPNOTSUPP if this is no TCP socket of IPv4 or IPv6; -ENOENT if the module
 * is not loaded; -EPERM; -EEXIST; -EBUSY; -ENOTCONN; -ENOPKG; -ENOKEY if kid
 * is none of @opts' keys; -EINTR; -ENOMEM; -EBADF; -ENOTSOCK.
 */
int nst_tcp(int fd, const struct nst_opts *opts);

/**
 * nst_udp() - give a UDP socket NST, and keys for both directions
 * @fd: a socket of IPv4 or IPv6, bound, connected, both or neither; or one of
 *	AF_NST
 * @opts: which keys, and how; NULL: the box of the namespace, and nothing else
 *
 * What the socket had received and not read is dropped. The rest is as for
 * nst_tcp(), but that a module that is not loaded is -ENOPROTOOPT, and -EBUSY
 * may be of UDP_CORK, UDP_ENCAP or a sockmap as well, which stay.
 *
 * Context: any thread. Waits for datagrams on their way to the device, a
 * quarter of a second at most.
 * Return: 0, or a negative errno as nst_tcp(); -EINVAL also for NST_F_STRICT.
 */
int nst_udp(int fd, const struct nst_opts *opts);

/**
 * nst_set_keys() - change the keys of a socket that has NST
 * @fd: the socket
 * @opts: which keys, and how; NULL: the box of the namespace, and nothing else
 *
 * The next record begins a new epoch. Flags and context of a TCP socket stay as
 * they are from its first record on (-EINVAL). With opts->cipher both
 * directions change, or, after an error, none; without it receiving changes
 * first, and if sending then fails, stays changed.
 *
 * Context: any thread.
 * Return: 0, or a negative errno; -ENOPROTOOPT if the socket has no NST.
 */
int nst_set_keys(int fd, const struct nst_opts *opts);

/**
 * nst_is_attached() - has a socket NST, and keys?
 * @fd: the socket
 *
 * Context: any thread.
 * Return: 1 if it has NST and a key is set for both directions (not: that the
 * box has one); 0 if it has no NST; -ENOKEY if it has NST without both keys;
 * -EBADF, -ENOTSOCK; -EIO if it has NST and will never work.
 */
int nst_is_attached(int fd);

/**
 * nst_info() - what is in force on a socket with NST
 * @fd: the socket
 * @info: receives it; what an older kernel does not tell is 0
 *
 * Context: any thread. The numbers are read while others go on counting.
 * Return: 0, or a negative errno, and *info is all 0; -ENOPROTOOPT if the socket
 * has no NST.
 */
int nst_info(int fd, struct nst_info *info);

/**
 * nst_rekey() - begin a new epoch with the next record sent
 * @fd: the socket
 * @kid: the key to send with from now on; 0: the active one
 *
 * Context: any thread.
 * Return: 0, or a negative errno, and nothing has changed: -ENOKEY if there is
 * no such key, -EACCES if it is for receiving only, -EKEYREVOKED if it is
 * retired, -ENOPROTOOPT if the socket has no NST.
 */
int nst_rekey(int fd, uint16_t kid);

/**
 * nst_send_record() - send a record of some type
 * @fd: a socket with NST
 * @type: NST_TYPE_APP_MIN to 255, or NST_TYPE_DATA
 * @buf: what to send
 * @len: bytes of it; TCP, not NST_TYPE_DATA: 1 to NST_RECORD_MAX
 * @flags: MSG_* as for send(); MSG_NOSIGNAL is always added
 *
 * A control record, and any datagram, goes out whole, or not at all and an
 * error says so; so it may be sent again. On TCP NST_TYPE_DATA is what send()
 * is: bytes of a stream, of which fewer may be taken than were given.
 *
 * A socket without NST sends nothing (-ENOPROTOOPT). So that this is sure, the
 * socket is asked first, which is a system call more.
 *
 * Context: any thread. May wait, unless the socket is non-blocking or @flags
 * has MSG_DONTWAIT.
 * Return: bytes sent, which is @len for all but data on TCP; or a negative
 * errno: -EMSGSIZE if it is too long for a record; -EINVAL for a type that is
 * the protocol's, or an empty control record on TCP; and what send() gives.
 */
ssize_t nst_send_record(int fd, uint8_t type, const void *buf, size_t len,
			int flags);

/**
 * nst_recv_record() - receive a record and its type
 * @fd: a socket with NST
 * @type: receives the type; NST_TYPE_DATA at the end of a stream
 * @buf: receives what is in it
 * @len: bytes there
 * @flags: MSG_* as for recv()
 *
 * On TCP one call returns bytes of the stream, as recv() does (NST_TYPE_DATA;
 * they may come of many records, or of a part of one), or one control record,
 * whole. One that is longer than @len is -EMSGSIZE, and stays: a call with more
 * room gets it (NST_RECORD_MAX_MAX is always enough). Only where several
 * threads receive from one socket may another one's record come in between and
 * be cut; that is -EMSGSIZE too, and the rest of it comes as a record.
 *
 * On UDP one call returns a datagram. One that is longer than @len is -EMSGSIZE
 * and lost, as with UDP it always is in part.
 *
 * A socket without NST gives nothing (-ENOPROTOOPT).
 *
 * Context: any thread. May wait, unless the socket is non-blocking or @flags
 * has MSG_DONTWAIT.
 * Return: bytes received; 0 at the end of a stream, which its peer has sealed,
 * or for an empty datagram; or a negative errno, which on TCP is sticky but for
 * -EAGAIN, -EINTR, -EMSGSIZE, -ENOKEY (without a key set) and -EFAULT.
 */
ssize_t nst_recv_record(int fd, uint8_t *type, void *buf, size_t len,
			int flags);

/**
 * nst_cause_name() - why a record was refused
 * @cause: struct nst_info's, from a kernel module of the library's release
 *
 * Context: any thread, signal handlers too.
 * Return: a static string, as in /proc/net/nst_stat; NULL for 0 and for what is
 * unknown.
 */
const char *nst_cause_name(unsigned int cause);

/**
 * nst_strerror() - what is wrong, and the way out
 * @err: what a function here has returned, or an errno of a socket with NST
 *
 * Context: any thread, signal handlers too.
 * Return: a static string, one line without a full stop; never NULL.
 */
const char *nst_strerror(int err);

#ifdef __cplusplus
}
#endif

#endif /* _NST_NST_H */
