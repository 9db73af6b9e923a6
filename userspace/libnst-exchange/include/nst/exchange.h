/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * libnst-exchange: forward secrecy for a connection with NST. Both programs
 * call nst_exchange() before the first byte; ephemeral keys cross as records,
 * and the connection goes on under a key that no box has.
 *
 * As in <nst/nst.h> errors are negative errnos, with a line of nst_strerror()
 * each, and there is no state outside of what the caller holds. Different
 * exchanges may be under way in different threads; one of them is for one
 * thread at a time. Nobody else may use the connection meanwhile.
 *
 * What goes wrong behind the first message ends the connection: it is shut
 * down in both directions, sends nothing any more, and is to be closed.
 */
#ifndef _NST_EXCHANGE_H
#define _NST_EXCHANGE_H

#include <nst/nst.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Ways to agree on a key. */
#define NST_GROUP_X25519		0x001d
#define NST_GROUP_X25519MLKEM768	0x11ec	/* OpenSSL 3.5 or later */

/**
 * struct nst_exchange_opts - what to agree on
 * @size: sizeof(struct nst_exchange_opts)
 * @groups: NST_GROUP_*: the first is what an initiator offers, all are what a
 *	responder takes; NULL: X25519, and all that libcrypto has
 * @nr_groups: how many
 *
 * A later library may know more members behind these, as with struct nst_opts.
 */
struct nst_exchange_opts {
	size_t size;
	const uint16_t *groups;
	size_t nr_groups;
};

struct nst_exchange;

/**
 * nst_exchange() - the whole exchange
 * @fd: a connected TCP socket with NST, strict, that has both keys and a role,
 *	blocking or not
 * @opts: what to agree on; NULL: X25519 offered, all taken
 * @timeout_ms: milliseconds that it may take; negative: for ever
 *
 * Whatever goes wrong, the connection is shut down, so that a program that
 * looks away sends nothing without what it asked for.
 *
 * Context: any thread. Waits for the peer.
 * Return: 0; -ETIMEDOUT; or as nst_exchange_new() and nst_exchange_step().
 */
int nst_exchange(int fd, const struct nst_exchange_opts *opts, int timeout_ms);

/**
 * nst_exchange_new() - prepare an exchange, to be done in steps
 * @ex: receives it, to be given to nst_exchange_free()
 * @fd: as for nst_exchange(); it must stay open
 * @opts: what to agree on, as for nst_exchange()
 *
 * Nothing is sent.
 *
 * Context: any thread.
 * Return: 0; -EINVAL if the stream is not strict or has no role, or for wrong
 * options; -EPROTONOSUPPORT if libcrypto has none of the groups, or, for an
 * initiator, not the first one that it names; -ENOPROTOOPT, -ENOKEY, -EBADF, ...
 * as nst_info(); -ENOMEM.
 */
int nst_exchange_new(struct nst_exchange **ex, int fd,
		     const struct nst_exchange_opts *opts);

/**
 * nst_exchange_step() - go on as far as possible without waiting
 * @ex: the exchange
 *
 * Context: one thread at a time. Does not wait.
 * Return: 0 if it is done; POLLIN or POLLOUT: call again when poll() has that
 * for the socket; or a negative errno, and then the same for ever:
 * -EPROTO if the peer has sent anything but the message that is due, as one
 * does that knows of no exchange; -EPROTONOSUPPORT if the ends have no group
 * in common; -EKEYREJECTED if its share is no key; -ECONNABORTED if the stream
 * ended before; and what sending, receiving or setting keys gives.
 */
int nst_exchange_step(struct nst_exchange *ex);

/**
 * nst_exchange_group() - what the ends have agreed on
 * @ex: the exchange
 *
 * Return: NST_GROUP_*, 0 as long as it is not done.
 */
uint16_t nst_exchange_group(const struct nst_exchange *ex);

/**
 * nst_exchange_peer_groups() - what a responder takes that has refused
 * @ex: the exchange of an initiator that has failed with -EPROTONOSUPPORT
 * @groups: receives them
 * @nr: how many there is room for
 *
 * A new connection may try one of these.
 *
 * Return: how many it has named, more than @nr perhaps.
 */
size_t nst_exchange_peer_groups(const struct nst_exchange *ex,
				uint16_t *groups, size_t nr);

/**
 * nst_exchange_free() - wipe and free, done or not
 * @ex: the exchange, or NULL
 *
 * One that is under way is given up: the connection is shut down.
 */
void nst_exchange_free(struct nst_exchange *ex);

#ifdef __cplusplus
}
#endif

#endif /* _NST_EXCHANGE_H */
