// SPDX-License-Identifier: GPL-2.0
/* Set keys, ask for an epoch, tell what is in force. */
#include <linux/err.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "core/keyring.h"
#include "core/lookup.h"
#include "optval.h"
#include "tcp/diag.h"
#include "tcp/inherit.h"
#include "tcp/opt.h"
#include "tcp/ready.h"
#include "tcp/rx.h"
#include "tcp/sock.h"

#define ALL_FLAGS	(NST_F_STRICT | NST_F_INITIATOR | NST_F_RESPONDER)

/* May @conf be set now? Under both locks. */
static int check_conf(const struct nst_tcp *nst, const struct nst_conf *conf,
		      int dirs)
{
	const struct nst_stream *st = &nst->st;
	bool started = st->tx.started || st->rx.started;

	if (READ_ONCE(st->nn->strict) && !(conf->flags & NST_F_STRICT))
		return -EPERM;
	if (READ_ONCE(nst->sk->sk_state) == TCP_LISTEN &&
	    (conf->flags & NST_F_INITIATOR))
		return -EINVAL;
	/* Roles, strictness and context are for the whole stream. */
	if (st->tx.conf && (started || !(dirs & NST_SET_TX)) &&
	    !nst_conf_agree(conf, st->tx.conf))
		return -EINVAL;
	if (st->rx.conf && (started || !(dirs & NST_SET_RX)) &&
	    !nst_conf_agree(conf, st->rx.conf))
		return -EINVAL;
	return 0;
}

static u32 role_of(const struct nst_tcp *nst, u32 flags)
{
	if (flags & NST_F_INITIATOR)
		return NST_WIRE_INITIATOR;
	if (flags & NST_F_RESPONDER)
		return NST_WIRE_RESPONDER;
	return nst->auto_role;
}

/**
 * nst_tcp_begin_anew() - the next connection of this socket will be its own
 * @nst: the socket's state; it has no connection any more, or has listened
 *
 * Context: under the socket lock.
 */
void nst_tcp_begin_anew(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;

	spin_lock_bh(&nst->conf_lock);
	nst->auto_role = NST_WIRE_INITIATOR;
	if (st->tx.conf || st->rx.conf)
		WRITE_ONCE(st->role, role_of(nst, st->flags));
	spin_unlock_bh(&nst->conf_lock);
}

/* Both locks are held; nothing can fail any more. */
static void set_conf(struct nst_tcp *nst, struct nst_conf *conf, int dirs)
{
	struct nst_conf *old_tx = NULL, *old_rx = NULL;
	struct nst_stream *st = &nst->st;

	lockdep_assert_held(&nst->rx_lock);
	lockdep_assert_held(&nst->tx_lock);
	spin_lock_bh(&nst->conf_lock);
	if (dirs & NST_SET_TX) {
		old_tx = st->tx.conf;
		WRITE_ONCE(st->tx.conf, nst_conf_get(conf));
	}
	if (dirs & NST_SET_RX) {
		old_rx = st->rx.conf;
		WRITE_ONCE(st->rx.conf, nst_conf_get(conf));
	}
	WRITE_ONCE(st->flags, conf->flags);
	WRITE_ONCE(st->role, role_of(nst, conf->flags));
	spin_unlock_bh(&nst->conf_lock);
	if (dirs & NST_SET_TX) {
		st->tx.kid = conf->kid;
		st->tx.renew = true;
	}
	/* What comes next is judged by the new keys alone (protocol, Turn). */
	if (dirs & NST_SET_RX)
		nst_epoch_end(&st->rx.ep);
	nst_conf_put(old_tx);
	nst_conf_put(old_rx);
}

static int lock_both(struct nst_tcp *nst)
{
	if (mutex_lock_interruptible(&nst->rx_lock))
		return -ERESTARTSYS;
	if (mutex_lock_interruptible(&nst->tx_lock)) {
		mutex_unlock(&nst->rx_lock);
		nst_tcp_rekick(nst);
		return -ERESTARTSYS;
	}
	return 0;
}

static void unlock_both(struct nst_tcp *nst)
{
	mutex_unlock(&nst->tx_lock);
	mutex_unlock(&nst->rx_lock);
	nst_tcp_rekick(nst);
}

static int install_conf(struct nst_tcp *nst, struct nst_conf *conf, int dirs)
{
	struct sock *sk = nst->sk;
	int err, missing = 0;

	/*
	 * A missing suite is told here and not by the first record. To look for it may
	 * run modprobe, for which nobody waits who wants a lock of the socket.
	 */
	if (conf->suite)
		missing = nst_suite_check(conf->suite);
	else
		nst_suite_ask_all();
	err = lock_both(nst);
	if (err)
		return err;
	err = check_conf(nst, conf, dirs) ?: missing;
	if (!err)
		set_conf(nst, conf, dirs);
	unlock_both(nst);
	if (err)
		return err;
	nst_tcp_tell_children(nst);
	/* What has arrived before the key can be looked at now. */
	lock_sock(sk);
	if (sk->sk_state != TCP_LISTEN)
		nst_tcp_announce(nst);
	release_sock(sk);
	/* A start record may be due: this end's, or the answer to the peer's. */
	if (nst_tcp_owes(nst))
		nst_tcp_kick(nst, 0);
	return 0;
}

static int set_crypto(struct nst_tcp *nst, sockptr_t optval, unsigned int len,
		      int dirs)
{
	struct nst_conf *conf;
	int err;

	conf = nst_conf_parse(nst->st.nn, optval, len, dirs, ALL_FLAGS);
	if (IS_ERR(conf))
		return PTR_ERR(conf);
	err = install_conf(nst, conf, dirs);
	nst_conf_put(conf);
	return err;
}

static int set_rekey(struct nst_tcp *nst, sockptr_t optval, unsigned int len)
{
	struct nst_tx_stream *tx = &nst->st.tx;
	struct nst_rekey rekey;
	struct nst_boxkey *key;
	u64 gen;
	int err = nst_opt_get_rekey(&rekey, optval, len);

	if (err)
		return err;
	if (mutex_lock_interruptible(&nst->tx_lock))
		return -ERESTARTSYS;
	err = -ENOKEY;
	if (tx->conf)
		err = nst_keyring_find_tx(tx->conf->ring, rekey.kid, &key, &gen);
	if (!err) {
		nst_boxkey_put(key);
		tx->kid = rekey.kid;
		tx->renew = true;
	}
	mutex_unlock(&nst->tx_lock);
	nst_tcp_rekick(nst);
	/* A START that had no key may have one. */
	if (!err && nst_tcp_owes(nst))
		nst_tcp_kick(nst, 0);
	return err;
}

static int set_record_max(struct nst_tcp *nst, sockptr_t optval,
			  unsigned int len)
{
	u32 max;
	int err = nst_opt_get(&max, sizeof(max), optval, len);

	if (err)
		return err;
	if (max < NST_RECORD_MAX_MIN || max > NST_RECORD_MAX_MAX)
		return -EINVAL;
	WRITE_ONCE(nst->record_max, max);
	return 0;
}

/* Options of TCP that would let bytes pass NST by, or that NST can't serve. */
static bool tcp_option_refused(int optname)
{
	switch (optname) {
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_REPAIR_OPTIONS:
	case TCP_REPAIR_WINDOW:
	case TCP_FASTOPEN_CONNECT:
	case TCP_INQ:
	case TCP_ZEROCOPY_RECEIVE:
		return true;
	default:
		return false;
	}
}

/**
 * nst_sockopt_set() - proto.setsockopt
 * @sk: the socket
 * @level: SOL_NST, or passed to TCP
 * @optname: the option
 * @optval: its value
 * @optlen: bytes of it
 *
 * After an error nothing has changed.
 *
 * Context: process.
 * Return: 0; -EINVAL for a wrong length, flag or byte; -ENOKEY; -ENOPKG if
 * this kernel lacks the suite; -EPERM if the namespace is strict; ...
 */
int nst_sockopt_set(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	struct nst_tcp *nst = nst_tcp(sk);

	if (!nst)
		return -EIO;
	if (level == SOL_TCP && tcp_option_refused(optname))
		return -EOPNOTSUPP;
	if (level != SOL_NST)
		return nst->base->setsockopt(sk, level, optname, optval,
					     optlen);
	nst_tcp_inherit_now(nst);
	switch (optname) {
	case NST_TX:
		return set_crypto(nst, optval, optlen, NST_SET_TX);
	case NST_RX:
		return set_crypto(nst, optval, optlen, NST_SET_RX);
	case NST_TX_RX:
		return set_crypto(nst, optval, optlen, NST_SET_TX | NST_SET_RX);
	case NST_REKEY:
		return set_rekey(nst, optval, optlen);
	case NST_RECORD_MAX:
		return set_record_max(nst, optval, optlen);
	default:
		return -ENOPROTOOPT;
	}
}

/* What a program has set, without the keys. */
static int get_crypto(struct nst_tcp *nst, struct nst_crypto_info *info,
		      bool tx)
{
	const struct nst_conf *conf;
	int err = -ENOKEY;

	spin_lock_bh(&nst->conf_lock);
	conf = tx ? nst->st.tx.conf : nst->st.rx.conf;
	if (conf) {
		nst_conf_tell(conf, info);
		err = 0;
	}
	spin_unlock_bh(&nst->conf_lock);
	return err;
}

static int get_nst_option(struct nst_tcp *nst, int optname, int room,
			  char __user *optval, int __user *optlen)
{
	union {
		struct nst_crypto_info crypto;
		struct nst_info info;
		u32 max;
	} value = {};
	int err;

	switch (optname) {
	case NST_TX:
	case NST_RX:
		err = get_crypto(nst, &value.crypto, optname == NST_TX);
		if (err)
			return err;
		return nst_opt_put(&value, sizeof(value.crypto), room, false,
				   optval, optlen);
	case NST_RECORD_MAX:
		value.max = READ_ONCE(nst->record_max);
		return nst_opt_put(&value, sizeof(value.max), room, false,
				   optval, optlen);
	case NST_INFO:
		nst_diag_fill(nst, &value.info);
		return nst_opt_put(&value, sizeof(value.info), room, true,
				   optval, optlen);
	default:
		return -ENOPROTOOPT;
	}
}

/**
 * nst_sockopt_get() - proto.getsockopt
 * @sk: the socket
 * @level: SOL_NST, or passed to TCP
 * @optname: the option
 * @optval: where to
 * @optlen: bytes there; receives the bytes written
 *
 * Context: process.
 * Return: 0; -EINVAL if there is too little room; -ENOKEY if there is nothing
 * to tell; ...
 */
int nst_sockopt_get(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen)
{
	struct nst_tcp *nst = nst_tcp(sk);
	int room;

	if (!nst)
		return -EIO;
	if (level == SOL_TCP && tcp_option_refused(optname))
		return -EOPNOTSUPP;
	if (level != SOL_NST)
		return nst->base->getsockopt(sk, level, optname, optval,
					     optlen);
	room = nst_opt_room(optlen);
	if (room < 0)
		return room;
	nst_tcp_inherit_now(nst);
	return get_nst_option(nst, optname, room, optval, optlen);
}
