// SPDX-License-Identifier: GPL-2.0
/* Set keys for a UDP socket, ask for an epoch, tell what is in force. */
#include <linux/err.h>
#include <linux/in6.h>
#include <linux/udp.h>
#include <net/udp.h>
#include "core/keyring.h"
#include "core/lookup.h"
#include "optval.h"
#include "udp/opt.h"
#include "udp/room.h"
#include "udp/sock.h"
#include "udp/state.h"

/* Strictness is about STARTs, and datagrams have none. */
#define ALL_FLAGS	(NST_F_INITIATOR | NST_F_RESPONDER)

static u32 role_of(u32 flags)
{
	if (flags & NST_F_INITIATOR)
		return NST_WIRE_INITIATOR;
	return flags & NST_F_RESPONDER ? NST_WIRE_RESPONDER : 0;
}

static struct nst_conf *rx_conf(const struct nst_udp *nst)
{
	struct nst_udp_rx *rx;

	rx = rcu_dereference_protected(nst->rx,
				       lockdep_is_held(&nst->conf_lock));
	return rx ? rx->conf : NULL;
}

/* May @conf be set now? */
static int check_conf(const struct nst_udp *nst, const struct nst_conf *conf,
		      int dirs)
{
	const struct nst_conf *tx = nst->tx_conf, *rx = rx_conf(nst);

	/* Only strict sockets, and a UDP socket is none. */
	if (READ_ONCE(nst->nn->strict))
		return -EPERM;
	if (!(dirs & NST_SET_TX) && tx && !nst_conf_agree(conf, tx))
		return -EINVAL;
	if (!(dirs & NST_SET_RX) && rx && !nst_conf_agree(conf, rx))
		return -EINVAL;
	return 0;
}

/* Nothing can fail any more. @rx is what will receive, if that is set. */
static void set_conf(struct nst_udp *nst, struct nst_conf *conf,
		     struct nst_udp_rx *rx, int dirs)
{
	struct nst_udp_rx *old_rx;
	struct nst_conf *old_tx;

	lockdep_assert_held(&nst->conf_lock);
	WRITE_ONCE(nst->role, role_of(conf->flags));
	if (dirs & NST_SET_TX) {
		spin_lock(&nst->tx_lock);
		old_tx = nst->tx_conf;
		WRITE_ONCE(nst->tx_conf, nst_conf_get(conf));
		nst->tx_kid = conf->kid;
		nst->renew = true;
		spin_unlock(&nst->tx_lock);
		nst_conf_put(old_tx);
	}
	if (dirs & NST_SET_RX) {
		nst_members_rekey(&nst->members);
		old_rx = rcu_replace_pointer(nst->rx, rx,
					     lockdep_is_held(&nst->conf_lock));
		nst_udp_rx_put(old_rx);
	}
}

static int install_conf(struct nst_udp *nst, struct nst_conf *conf, int dirs)
{
	struct nst_udp_rx *rx = NULL;
	int err;

	/* A missing suite is told here and not at the first datagram. */
	err = conf->suite ? nst_suite_check(conf->suite) : 0;
	if (err)
		return err;
	if (dirs & NST_SET_RX) {
		/* Or the first sender would have to wait for that, too. */
		nst_suite_have(conf->suite);
		rx = nst_udp_rx_new(conf);
		if (!rx)
			return -ENOMEM;
	}
	err = -ERESTARTSYS;
	if (!mutex_lock_interruptible(&nst->conf_lock)) {
		err = check_conf(nst, conf, dirs);
		if (!err)
			set_conf(nst, conf, rx, dirs);
		nst_udp_conf_unlock(nst);
	}
	if (err)
		nst_udp_rx_put(rx);
	return err;
}

static int set_crypto(struct nst_udp *nst, sockptr_t optval, unsigned int len,
		      int dirs)
{
	struct nst_conf *conf;
	int err;

	conf = nst_conf_parse(nst->nn, optval, len, dirs, ALL_FLAGS);
	if (IS_ERR(conf))
		return PTR_ERR(conf);
	err = install_conf(nst, conf, dirs);
	nst_conf_put(conf);
	return err;
}

static int set_rekey(struct nst_udp *nst, sockptr_t optval, unsigned int len)
{
	struct nst_rekey rekey;
	struct nst_boxkey *key;
	u64 gen;
	int err = nst_opt_get_rekey(&rekey, optval, len);

	if (err)
		return err;
	if (mutex_lock_interruptible(&nst->conf_lock))
		return -ERESTARTSYS;
	err = -ENOKEY;
	if (nst->tx_conf)
		err = nst_keyring_find_tx(nst->tx_conf->ring, rekey.kid, &key,
					  &gen);
	if (!err) {
		nst_boxkey_put(key);
		spin_lock(&nst->tx_lock);
		nst->tx_kid = rekey.kid;
		nst->renew = true;
		spin_unlock(&nst->tx_lock);
	}
	nst_udp_conf_unlock(nst);
	return err;
}

static int set_segment(struct nst_udp *nst, sockptr_t optval, unsigned int len)
{
	int value;

	if (len < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (value < 0 || value > USHRT_MAX)
		return -EINVAL;
	WRITE_ONCE(nst->gso_size, value);
	return 0;
}

/* UDP takes its options by UDP-Lite's level, too: they are judged the same. */
static int judged_as(int level)
{
	return level == SOL_UDPLITE ? SOL_UDP : level;
}

/* Options that would gather plaintext below NST, or take the socket from it. */
static bool refused(int level, int optname)
{
	if (level == SOL_UDP)
		return optname == UDP_CORK || optname == UDP_ENCAP;
	if (level == SOL_IPV6)
		return optname == IPV6_ADDRFORM ||
		       optname == IPV6_RECVERR_RFC4884;
	if (level == SOL_IP)
		return optname == IP_RECVERR_RFC4884;
	return level == SOL_SOCKET && optname == SO_ZEROCOPY;
}

/*
 * To switch off what is off harms nobody. The value is not passed on: a program
 * could write another one there meanwhile.
 */
static bool switches_off(int level, int optname, sockptr_t optval,
			 unsigned int len)
{
	int value;

	if ((level == SOL_IPV6 && optname == IPV6_ADDRFORM) ||
	    (level == SOL_UDP && optname == UDP_ENCAP) || len < sizeof(value))
		return false;
	return !copy_from_sockptr(&value, optval, sizeof(value)) && !value;
}

/**
 * nst_udp_opt_set() - proto.setsockopt
 * @sk: the socket
 * @level: SOL_NST, or passed to UDP
 * @optname: the option
 * @optval: its value
 * @optlen: bytes of it
 *
 * After an error nothing has changed.
 *
 * Context: process.
 * Return: 0; -EINVAL for a wrong length, flag or byte; -ENOKEY; -ENOPKG if this
 * kernel lacks the suite; -EPERM if the namespace wants strict sockets;
 * -EOPNOTSUPP for what NST cannot serve; ...
 */
int nst_udp_opt_set(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	struct nst_udp *nst = nst_udp(sk);
	int judged = judged_as(level);

	if (!nst)
		return -EIO;
	if (refused(judged, optname))
		return switches_off(judged, optname, optval, optlen) ?
		       0 : -EOPNOTSUPP;
	if (judged == SOL_UDP && optname == UDP_SEGMENT)
		return set_segment(nst, optval, optlen);
	if (level != SOL_NST)
		return nst->base->setsockopt(sk, level, optname, optval,
					     optlen);
	switch (optname) {
	case NST_TX:
		return set_crypto(nst, optval, optlen, NST_SET_TX);
	case NST_RX:
		return set_crypto(nst, optval, optlen, NST_SET_RX);
	case NST_TX_RX:
		return set_crypto(nst, optval, optlen,
				  NST_SET_TX | NST_SET_RX);
	case NST_REKEY:
		return set_rekey(nst, optval, optlen);
	case NST_RECORD_MAX:
		return -EOPNOTSUPP;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_crypto(struct nst_udp *nst, struct nst_crypto_info *info,
		      bool tx)
{
	const struct nst_conf *conf;
	int err = -ENOKEY;

	if (mutex_lock_killable(&nst->conf_lock))
		return -EINTR;
	conf = tx ? nst->tx_conf : rx_conf(nst);
	if (conf) {
		nst_conf_tell(conf, info);
		err = 0;
	}
	nst_udp_conf_unlock(nst);
	return err;
}

/* Does not wait for who changes epoch, or sets keys. */
static void get_info(struct nst_udp *nst, struct nst_info *info)
{
	struct nst_info_dir *tx = &info->tx, *rx = &info->rx;
	struct nst_epoch_id id;
	u32 role = READ_ONCE(nst->role);
	u64 last;

	if (role == NST_WIRE_INITIATOR)
		info->flags = NST_F_INITIATOR;
	if (role == NST_WIRE_RESPONDER)
		info->flags = NST_F_RESPONDER;
	rx->keyed = !!rcu_access_pointer(nst->rx);
	spin_lock(&nst->tx_lock);
	tx->keyed = !!nst->tx_conf;
	if (nst->epoch) {
		tx->cipher_id = nst->epoch->ep.id.suite;
		tx->kid = nst->epoch->ep.id.kid;
		tx->epoch = nst->epoch->ep.id.epoch;
		tx->epoch_records = nst->epoch->ep.records;
	}
	tx->started = !!nst->tx_records;
	tx->epochs = nst->tx_epochs;
	tx->records = nst->tx_records;
	tx->bytes = nst->tx_bytes;
	spin_unlock(&nst->tx_lock);
	last = READ_ONCE(nst->rx_last);
	memcpy(&id, &last, sizeof(id));
	rx->cipher_id = id.suite;
	rx->kid = id.kid;
	rx->epoch = id.epoch;
	rx->records = atomic64_read(&nst->rx_records);
	rx->bytes = atomic64_read(&nst->rx_bytes);
	rx->started = !!rx->records;
}

static int put_value(const void *value, int size, bool shorter,
		     char __user *optval, int __user *optlen)
{
	int room = nst_opt_room(optlen);

	return room < 0 ? room :
	       nst_opt_put(value, size, room, shorter, optval, optlen);
}

/**
 * nst_udp_opt_get() - proto.getsockopt
 * @sk: the socket
 * @level: SOL_NST, or passed to UDP
 * @optname: the option
 * @optval: where to
 * @optlen: bytes there; receives the bytes written
 *
 * Context: process.
 * Return: 0; -EINVAL if there is too little room; -ENOKEY if there is nothing
 * to tell; ...
 */
int nst_udp_opt_get(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen)
{
	struct nst_udp *nst = nst_udp(sk);
	union {
		struct nst_crypto_info crypto;
		struct nst_info info;
		int segment;
	} value = {};
	int err;

	if (!nst)
		return -EIO;
	if (judged_as(level) == SOL_UDP && optname == UDP_SEGMENT) {
		value.segment = READ_ONCE(nst->gso_size);
		return put_value(&value, sizeof(int), true, optval, optlen);
	}
	if (level != SOL_NST)
		return nst->base->getsockopt(sk, level, optname, optval,
					     optlen);
	switch (optname) {
	case NST_TX:
	case NST_RX:
		err = get_crypto(nst, &value.crypto, optname == NST_TX);
		return err ?: put_value(&value, sizeof(value.crypto), false,
					optval, optlen);
	case NST_INFO:
		get_info(nst, &value.info);
		return put_value(&value, sizeof(value.info), true, optval,
				 optlen);
	case NST_RECORD_MAX:
		return -EOPNOTSUPP;
	default:
		return -ENOPROTOOPT;
	}
}
