// SPDX-License-Identifier: GPL-2.0
/* Two messages, one each way, and the keys that follow from them. */
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <nst/exchange.h>

#include "../wipe.h"
#include "group.h"
#include "key.h"

#define VERSION		1
#define HEAD		3	/* version and group */
#define TYPE_FIRST	254
#define TYPE_SECOND	255
#define GROUPS_MAX	16	/* that a caller may name */

/* What is to be done next. */
enum step {
	SEND_FIRST,
	RECV_FIRST,
	SEND_SECOND,
	SET_SECOND,
	SEND_REFUSAL,
	RECV_SECOND,
	DONE,
};

/**
 * struct nst_exchange - an exchange under way
 * @fd: the socket
 * @step: what is to be done next
 * @err: why it has failed, or 0
 * @group: what the initiator has offered
 * @groups: what this end takes
 * @nr_groups: how many
 * @own: the initiator's key
 * @first: message 1
 * @second: message 2
 * @conf: of the stream
 * @key: what the responder goes on with, between its two steps
 */
struct nst_exchange {
	int fd;
	enum step step;
	int err;
	const struct nst_group *group;
	const struct nst_group *groups[GROUPS_MAX];
	size_t nr_groups;
	EVP_PKEY *own;
	struct nst_message first;
	struct nst_message second;
	struct nst_stream_conf conf;
	uint8_t key[NST_KEY_SIZE];
};

static void put_head(struct nst_message *msg, uint16_t group)
{
	msg->body[0] = VERSION;
	msg->body[1] = group >> 8;
	msg->body[2] = group & 0xff;
	msg->len = HEAD;
}

static uint16_t get_u16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void forget(struct nst_exchange *ex)
{
	EVP_PKEY_free(ex->own);
	ex->own = NULL;
	explicit_bzero(ex->key, sizeof(ex->key));
}

/* --- the messages ----------------------------------------------------------- */

static int make_first(struct nst_exchange *ex)
{
	ex->group = ex->groups[0];
	ex->own = nst_group_keygen(ex->group);
	if (!ex->own)
		return -EIO;
	put_head(&ex->first, ex->group->id);
	ex->first.len += ex->group->first;
	return nst_group_share(ex->group, ex->own, ex->first.body + HEAD);
}

static void make_refusal(struct nst_exchange *ex)
{
	struct nst_message *msg = &ex->second;
	size_t i;

	put_head(msg, 0);
	for (i = 0; i < ex->nr_groups; i++) {
		msg->body[msg->len++] = ex->groups[i]->id >> 8;
		msg->body[msg->len++] = ex->groups[i]->id & 0xff;
	}
}

/* The key, which this end receives under before it says so. */
static int make_second(struct nst_exchange *ex)
{
	const struct nst_group *group = ex->group;
	uint8_t z[NST_Z_MAX];
	int err;

	put_head(&ex->second, group->id);
	ex->second.len += group->second;
	err = nst_group_answer(group, ex->first.body + HEAD,
			       ex->second.body + HEAD, z);
	if (!err)
		err = nst_key_make(ex->key, &ex->first, &ex->second, z,
				   group->z, &ex->conf.tx);
	explicit_bzero(z, sizeof(z));
	return err ? err : nst_conf_set(ex->fd, NST_RX, &ex->conf.rx, ex->key);
}

static int judge_first(struct nst_exchange *ex)
{
	const struct nst_message *msg = &ex->first;
	const struct nst_group *group;
	size_t i;
	int err;

	if (msg->len < HEAD || msg->body[0] != VERSION)
		return -EPROTO;
	group = nst_group_find(get_u16(msg->body + 1));
	for (i = 0; group && i < ex->nr_groups; i++) {
		if (ex->groups[i] != group)
			continue;
		if (msg->len != HEAD + group->first)
			return -EPROTO;
		ex->group = group;
		err = make_second(ex);
		if (!err)
			ex->step = SEND_SECOND;
		return err;
	}
	make_refusal(ex);
	ex->step = SEND_REFUSAL;
	return 0;
}

static int judge_second(struct nst_exchange *ex)
{
	const struct nst_message *msg = &ex->second;
	const struct nst_group *group = ex->group;
	uint8_t z[NST_Z_MAX];
	int err;

	if (msg->len < HEAD || msg->body[0] != VERSION)
		return -EPROTO;
	if (!get_u16(msg->body + 1))
		return (msg->len - HEAD) % 2 ? -EPROTO : -EPROTONOSUPPORT;
	if (get_u16(msg->body + 1) != group->id ||
	    msg->len != HEAD + group->second)
		return -EPROTO;
	err = nst_group_finish(group, ex->own, msg->body + HEAD, z);
	if (!err)
		err = nst_key_make(ex->key, &ex->first, msg, z, group->z,
				   &ex->conf.tx);
	explicit_bzero(z, sizeof(z));
	if (!err)
		err = nst_conf_set(ex->fd, NST_RX, &ex->conf.rx, ex->key);
	return err ? err : nst_conf_set(ex->fd, NST_TX, &ex->conf.tx, ex->key);
}

static int send_message(struct nst_exchange *ex, uint8_t type,
			const struct nst_message *msg)
{
	ssize_t n = nst_send_record(ex->fd, type, msg->body, msg->len,
				    MSG_DONTWAIT);

	return n < 0 ? n : 0;
}

static int recv_message(struct nst_exchange *ex, uint8_t want,
			struct nst_message *msg)
{
	uint8_t type;
	ssize_t n = nst_recv_record(ex->fd, &type, msg->body,
				    sizeof(msg->body), MSG_DONTWAIT);

	/* Longer than any message there is. */
	if (n == -EMSGSIZE)
		return -EPROTO;
	if (n < 0)
		return n;
	if (!n && type == NST_TYPE_DATA)
		return -ECONNABORTED;
	if (type != want)
		return -EPROTO;
	msg->len = n;
	return 0;
}

/* --- steps ------------------------------------------------------------------ */

static int take_step(struct nst_exchange *ex)
{
	int err;

	switch (ex->step) {
	case SEND_FIRST:
		err = ex->own ? 0 : make_first(ex);
		if (!err)
			err = send_message(ex, TYPE_FIRST, &ex->first);
		if (!err)
			ex->step = RECV_SECOND;
		return err;
	case RECV_FIRST:
		err = recv_message(ex, TYPE_FIRST, &ex->first);
		return err ? err : judge_first(ex);
	case SEND_SECOND:
		err = send_message(ex, TYPE_SECOND, &ex->second);
		if (!err)
			ex->step = SET_SECOND;
		return err;
	case SET_SECOND:
		err = nst_conf_set(ex->fd, NST_TX, &ex->conf.tx, ex->key);
		break;
	case SEND_REFUSAL:
		err = send_message(ex, TYPE_SECOND, &ex->second);
		return err ? err : -EPROTONOSUPPORT;
	default:
		err = recv_message(ex, TYPE_SECOND, &ex->second);
		if (!err)
			err = judge_second(ex);
	}
	if (!err)
		ex->step = DONE;
	return err;
}

static void fail(struct nst_exchange *ex, int err)
{
	ex->err = err;
	forget(ex);
	/* A program that goes on in spite of it sends nothing. */
	shutdown(ex->fd, SHUT_RDWR);
}

int nst_exchange_step(struct nst_exchange *ex)
{
	int err = ex->err;

	/* What libcrypto has to say is not for the program's own queue. */
	ERR_set_mark();
	while (!err && ex->step != DONE) {
		err = take_step(ex);
		/* Handlers have run by now. */
		if (err == -EINTR)
			err = 0;
	}
	ERR_pop_to_mark();
	nst_wipe_stack();
	if (err == -EAGAIN)
		return ex->step == RECV_FIRST || ex->step == RECV_SECOND ?
		       POLLIN : POLLOUT;
	if (err && !ex->err)
		fail(ex, err);
	if (!err)
		forget(ex);
	return err;
}

/* --- begin and end ---------------------------------------------------------- */

static void add_group(struct nst_exchange *ex, const struct nst_group *group)
{
	if (nst_group_usable(group))
		ex->groups[ex->nr_groups++] = group;
}

static int read_groups(struct nst_exchange *ex,
		       const struct nst_exchange_opts *opts)
{
	const struct nst_group *group;
	size_t i;

	if (!opts || !opts->nr_groups) {
		for (i = 0; (group = nst_group_at(i)); i++)
			add_group(ex, group);
	} else {
		if (opts->nr_groups > GROUPS_MAX || !opts->groups)
			return -EINVAL;
		for (i = 0; i < opts->nr_groups; i++) {
			group = nst_group_find(opts->groups[i]);
			if (!group)
				return -EINVAL;
			add_group(ex, group);
		}
	}
	return ex->nr_groups ? 0 : -EPROTONOSUPPORT;
}

static int check_size(const struct nst_exchange_opts *opts)
{
	const unsigned char *tail = (const unsigned char *)opts;
	size_t i;

	if (!opts)
		return 0;
	if (opts->size < sizeof(*opts))
		return -EINVAL;
	if (opts->size > 4096)
		return -E2BIG;
	for (i = sizeof(*opts); i < opts->size; i++)
		if (tail[i])
			return -E2BIG;
	return 0;
}

/*
 * What an initiator names first is what it wants: without it there is no
 * exchange, and not one of another group instead.
 */
static int check_first(const struct nst_exchange *ex,
		       const struct nst_exchange_opts *opts)
{
	return opts && opts->nr_groups && ex->groups[0]->id != opts->groups[0] ?
	       -EPROTONOSUPPORT : 0;
}

static int prepare(struct nst_exchange *ex, int fd,
		   const struct nst_exchange_opts *opts)
{
	struct nst_info info;
	int err = check_size(opts);

	if (!err)
		err = nst_info(fd, &info);
	/* Before the flags, which a socket without keys has none of. */
	if (!err)
		err = nst_conf_read(fd, &ex->conf);
	if (!err && (!(info.flags & NST_F_STRICT) ||
		     !(info.flags & (NST_F_INITIATOR | NST_F_RESPONDER))))
		err = -EINVAL;
	if (!err)
		err = read_groups(ex, opts);
	if (!err && info.flags & NST_F_INITIATOR)
		err = check_first(ex, opts);
	if (err)
		return err;
	ex->fd = fd;
	ex->step = info.flags & NST_F_INITIATOR ? SEND_FIRST : RECV_FIRST;
	return 0;
}

int nst_exchange_new(struct nst_exchange **ex, int fd,
		     const struct nst_exchange_opts *opts)
{
	struct nst_exchange *new = calloc(1, sizeof(*new));
	int err;

	*ex = NULL;
	if (!new)
		return -ENOMEM;
	ERR_set_mark();
	err = prepare(new, fd, opts);
	ERR_pop_to_mark();
	if (err)
		free(new);
	else
		*ex = new;
	return err;
}

uint16_t nst_exchange_group(const struct nst_exchange *ex)
{
	return ex->step == DONE && !ex->err ? ex->group->id : 0;
}

size_t nst_exchange_peer_groups(const struct nst_exchange *ex,
				uint16_t *groups, size_t nr)
{
	const struct nst_message *msg = &ex->second;
	size_t i, have;

	if (ex->err != -EPROTONOSUPPORT || ex->step != RECV_SECOND)
		return 0;
	have = (msg->len - HEAD) / 2;
	for (i = 0; i < have && i < nr; i++)
		groups[i] = get_u16(msg->body + HEAD + 2 * i);
	return have;
}

void nst_exchange_free(struct nst_exchange *ex)
{
	if (!ex)
		return;
	if (ex->step != DONE && !ex->err)
		fail(ex, -ECANCELED);
	forget(ex);
	free(ex);
}
