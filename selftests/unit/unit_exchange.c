// SPDX-License-Identifier: GPL-2.0
/*
 * unit_exchange [FILE]: libnst-exchange between two ends over streams that are
 * played here: with private keys of FILE (vectors that another implementation
 * made) from the first record to the keys that both set; and an end against a
 * peer that sends what it should not. A program of user space, so it uses
 * nothing of the shim for kernel code.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nst/exchange.h>

#include "group.h"
#include "key.h"

#define ENDS	2	/* 0: initiator, 1: responder */
#define MSG	35	/* bytes of a message with X25519 */

/* An end of a stream whose records are packets: a type and a body. */
static struct end {
	int fd;
	struct nst_info info;
	struct nst_crypto_info conf;
	unsigned int shut;
	uint8_t key[ENDS][NST_KEY_SIZE];	/* NST_TX, NST_RX */
	unsigned int keys[ENDS];
	int set_error;
	int interrupts;		/* a signal comes at every other call */
	unsigned int calls;
} ends[ENDS];

/* Private keys to be used instead of new ones, in order. */
static uint8_t private[ENDS][32];
static unsigned int nr_private, next_private;

static const void *last_value;	/* where setsockopt()'s was */

static unsigned int number;
static int failed;

static void verdict(int good, const char *name)
{
	number++;
	failed |= !good;
	printf("%sok %u %s\n", good ? "" : "not ", number, name);
}

/* --- what is played --------------------------------------------------------- */

static struct end *end_of(int fd)
{
	return fd == ends[0].fd ? &ends[0] : fd == ends[1].fd ? &ends[1] : NULL;
}

int __wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	struct end *end = end_of(fd);

	if (!end || level != SOL_NST) {
		errno = ENOPROTOOPT;
		return -1;
	}
	if (name == NST_INFO)
		memcpy(val, &end->info, *len);
	else
		memcpy(val, &end->conf, *len);
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *val,
		      socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *val,
		      socklen_t len)
{
	const struct nst_crypto_info *info = val;
	struct end *end = end_of(fd);
	int dir = name == NST_RX;

	last_value = val;
	if (end->interrupts && end->calls++ % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	errno = end->set_error;
	if (level != SOL_NST || len != sizeof(*info) + sizeof(struct nst_key) ||
	    info->version != NST_VERSION || info->kid || info->nr_keys != 1 ||
	    info->keys[0].kid != 1 || info->flags != end->conf.flags ||
	    info->cipher_id != end->conf.cipher_id ||
	    info->context_len != end->conf.context_len ||
	    memcmp(info->context, end->conf.context, NST_CONTEXT_MAX))
		errno = EINVAL;
	if (errno)
		return -1;
	memcpy(end->key[dir], info->keys[0].key, NST_KEY_SIZE);
	end->keys[dir]++;
	return 0;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	uint8_t packet[1 + NST_MESSAGE_MAX];
	ssize_t n;

	packet[0] = *CMSG_DATA(CMSG_FIRSTHDR(msg));
	memcpy(packet + 1, msg->msg_iov->iov_base, msg->msg_iov->iov_len);
	n = send(fd, packet, 1 + msg->msg_iov->iov_len, flags);
	return n < 0 ? n : n - 1;
}

/* As the kernel: without room for the type a control record stays. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	uint8_t packet[4096];
	ssize_t n = recv(fd, packet, sizeof(packet), flags | MSG_PEEK);
	size_t room = msg->msg_iov->iov_len;

	msg->msg_controllen = 0;
	if (n <= 0)
		return n;
	if (packet[0] && !cmsg) {
		errno = EIO;
		return -1;
	}
	if (!(flags & MSG_PEEK))
		recv(fd, packet, sizeof(packet), flags);
	n--;
	msg->msg_flags = n <= (ssize_t)room ? MSG_EOR : 0;
	if (n > (ssize_t)room)
		n = room;
	memcpy(msg->msg_iov->iov_base, packet + 1, n);
	if (cmsg) {
		cmsg->cmsg_level = SOL_NST;
		cmsg->cmsg_type = NST_GET_RECORD_TYPE;
		cmsg->cmsg_len = CMSG_LEN(1);
		*CMSG_DATA(cmsg) = packet[0];
		msg->msg_controllen = CMSG_SPACE(1);
	}
	return n;
}

int __wrap_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how)
{
	struct end *end = end_of(fd);

	end->shut += how == SHUT_RDWR;
	return 0;
}

/* A libcrypto without the group that is named here */
static uint16_t missing;

bool __real_nst_group_usable(const struct nst_group *group);
bool __wrap_nst_group_usable(const struct nst_group *group);
bool __wrap_nst_group_usable(const struct nst_group *group)
{
	return group->id != missing && __real_nst_group_usable(group);
}

EVP_PKEY *__real_nst_group_keygen(const struct nst_group *group);
EVP_PKEY *__wrap_nst_group_keygen(const struct nst_group *group);
EVP_PKEY *__wrap_nst_group_keygen(const struct nst_group *group)
{
	if (next_private == nr_private)
		return __real_nst_group_keygen(group);
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
					    private[next_private++], 32);
}

static void open_ends(const uint8_t *context, size_t len)
{
	int i, fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		exit(1);
	memset(ends, 0, sizeof(ends));
	nr_private = 0;
	next_private = 0;
	for (i = 0; i < ENDS; i++) {
		ends[i].fd = fds[i];
		ends[i].info.flags = NST_F_STRICT |
			(i ? NST_F_RESPONDER : NST_F_INITIATOR);
		ends[i].info.record_max = 32768;
		ends[i].conf.version = NST_VERSION;
		ends[i].conf.cipher_id = NST_CIPHER_SM4_GCM;
		ends[i].conf.flags = NST_F_STRICT;
		ends[i].conf.nr_keys = 3;
		ends[i].conf.kid = 77;
		ends[i].conf.context_len = len;
		memcpy(ends[i].conf.context, context, len);
	}
}

static void close_ends(void)
{
	close(ends[0].fd);
	close(ends[1].fd);
}

/* --- vectors ---------------------------------------------------------------- */

struct vector {
	int group;
	uint8_t context[32];
	size_t context_len;
	uint8_t private[ENDS][32];
	struct nst_message msg[ENDS];
	uint8_t z[64];
	size_t z_len;
	uint8_t key[NST_KEY_SIZE];
	int complete;
};

/* What follows the name of a member, between @at and @end. */
static const char *member(const char *at, const char *end, const char *name)
{
	char quoted[64];
	const char *p;

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	p = strstr(at, quoted);
	if (!p || p >= end)
		return NULL;
	p += strlen(quoted);
	return p + strspn(p, " \t\r\n:");
}

/* Bytes of a member in hex; SIZE_MAX if it is none, or longer than @room. */
static size_t hex(const char *at, const char *end, const char *name,
		  uint8_t *to, size_t room)
{
	const char *p = member(at, end, name);
	unsigned int byte;
	size_t n = 0;

	if (!p || *p++ != '"')
		return SIZE_MAX;
	for (; *p != '"'; p += 2) {
		if (n == room || sscanf(p, "%2x", &byte) != 1)
			return SIZE_MAX;
		to[n++] = byte;
	}
	return n;
}

static void read_vector(struct vector *v, const char *at, const char *end)
{
	const char *group = member(at, end, "group");

	memset(v, 0, sizeof(*v));
	v->group = group ? atoi(group) : 0;
	v->context_len = hex(at, end, "context", v->context, 32);
	v->msg[0].len = hex(at, end, "message1", v->msg[0].body,
			    NST_MESSAGE_MAX);
	v->msg[1].len = hex(at, end, "message2", v->msg[1].body,
			    NST_MESSAGE_MAX);
	v->z_len = hex(at, end, "z", v->z, sizeof(v->z));
	v->complete = v->context_len <= 32 && v->msg[0].len < SIZE_MAX &&
		      v->msg[1].len < SIZE_MAX && v->z_len < SIZE_MAX &&
		      hex(at, end, "key", v->key, 32) == 32;
	if (v->group == NST_GROUP_X25519 &&
	    (hex(at, end, "initiator_private", v->private[0], 32) != 32 ||
	     hex(at, end, "responder_private", v->private[1], 32) != 32))
		v->complete = 0;
}

/* What @end has sent, without taking it from the other end. */
static int sent(int end, uint8_t type, const struct nst_message *msg)
{
	uint8_t packet[1 + NST_MESSAGE_MAX];
	ssize_t n = recv(ends[!end].fd, packet, sizeof(packet),
			 MSG_PEEK | MSG_DONTWAIT);

	return n == 1 + (ssize_t)msg->len && packet[0] == type &&
	       !memcmp(packet + 1, msg->body, msg->len);
}

/* Both ends have set @key for both directions, once, and nobody was shut. */
static int set_by_both(const uint8_t *key)
{
	int i, dir, good = 1;

	for (i = 0; i < ENDS; i++) {
		good &= !ends[i].shut;
		for (dir = 0; dir < 2; dir++)
			good &= ends[i].keys[dir] == 1 &&
				!memcmp(ends[i].key[dir], key, NST_KEY_SIZE);
	}
	return good;
}

/* The order matters: the responder receives under it before it says so. */
static int run_vector(const struct vector *v)
{
	struct nst_exchange *ex[ENDS];
	int i, good;

	open_ends(v->context, v->context_len);
	memcpy(private, v->private, sizeof(private));
	nr_private = ENDS;
	for (i = 0; i < ENDS; i++)
		if (nst_exchange_new(&ex[i], ends[i].fd, NULL))
			return 0;
	good = nst_exchange_step(ex[1]) == POLLIN &&
	       nst_exchange_step(ex[0]) == POLLIN && sent(0, 254, &v->msg[0]) &&
	       !ends[0].keys[0] && !ends[0].keys[1] &&
	       nst_exchange_group(ex[0]) == 0 &&
	       nst_exchange_step(ex[1]) == 0 && sent(1, 255, &v->msg[1]) &&
	       nst_exchange_step(ex[0]) == 0 && set_by_both(v->key) &&
	       nst_exchange_group(ex[0]) == NST_GROUP_X25519 &&
	       nst_exchange_group(ex[1]) == NST_GROUP_X25519 &&
	       nst_exchange_step(ex[0]) == 0 && nst_exchange_step(ex[1]) == 0;
	for (i = 0; i < ENDS; i++)
		nst_exchange_free(ex[i]);
	good &= set_by_both(v->key);
	close_ends();
	return good;
}

static int derives(const struct vector *v)
{
	struct nst_crypto_info conf = { .context_len = v->context_len };
	uint8_t key[NST_KEY_SIZE];

	memcpy(conf.context, v->context, v->context_len);
	return !nst_key_make(key, &v->msg[0], &v->msg[1], v->z, v->z_len,
			     &conf) && !memcmp(key, v->key, sizeof(key));
}

/* Is it one of the group? Whoever made the vector may not have looked. */
static int is_message(const struct nst_message *msg, unsigned int group,
		      size_t share)
{
	return msg->len == 3 + share && msg->body[0] == 1 &&
	       (unsigned int)(msg->body[1] << 8 | msg->body[2]) == group;
}

static int holds(const struct vector *v)
{
	const struct nst_group *group = nst_group_find(v->group);

	return v->complete && group && v->z_len == group->z &&
	       is_message(&v->msg[0], v->group, group->first) &&
	       is_message(&v->msg[1], v->group, group->second) && derives(v) &&
	       (v->group != NST_GROUP_X25519 || run_vector(v));
}

/* 1 and the next one of a list; 0 at the list's end; -1 if it has none. */
static int next_vector(const char **at, struct vector *v)
{
	const char *begin = strchr(*at, '{'), *end;

	if (!begin)
		return strchr(*at, ']') ? 0 : -1;
	end = strchr(begin, '}');
	if (!end)
		return -1;
	read_vector(v, begin, end);
	*at = end + 1;
	return 1;
}

/* A file that was cut is not one of fewer vectors. */
static void test_cut(void)
{
	static const char *const cut[] = {
		"", "[", "[{\"group\": 29", "[{}", "[{},", "[{}, {\"z\": \"\"",
	};
	struct vector v;
	const char *at;
	int n, good = 1;
	size_t i;

	for (i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		at = cut[i];
		while ((n = next_vector(&at, &v)) > 0)
			;
		good &= n < 0;
	}
	at = "[{}, {}]";
	verdict(good && next_vector(&at, &v) == 1 &&
		next_vector(&at, &v) == 1 && !next_vector(&at, &v),
		"vectors__cut");
}

static void test_vectors(const char *path)
{
	char *text = NULL, name[64];
	const char *at;
	unsigned int nr = 0;
	struct vector v;
	size_t size = 0;
	FILE *f = fopen(path, "r");
	int n;

	if (!f || getdelim(&text, &size, 0, f) < 0) {
		perror(path);
		exit(1);
	}
	fclose(f);
	at = text;
	while ((n = next_vector(&at, &v)) > 0) {
		snprintf(name, sizeof(name), "exchange__vector_%u", nr++);
		verdict(holds(&v), name);
	}
	free(text);
	verdict(nr > 0 && !n, "exchange__vectors_were_there");
}

/* --- a peer that does as it likes ------------------------------------------- */

/* The end @who begins; what it sends is thrown away, and @packet answers. */
static int answered(int who, const uint8_t *packet, size_t len)
{
	struct nst_exchange *ex;
	uint8_t drop[2048];
	int err;

	open_ends((const uint8_t *)"ctx", 3);
	if (nst_exchange_new(&ex, ends[who].fd, NULL))
		return 1;
	err = nst_exchange_step(ex);
	if (err != POLLIN)
		return 1;
	recv(ends[!who].fd, drop, sizeof(drop), MSG_DONTWAIT);
	if (len)
		send(ends[!who].fd, packet, len, 0);
	else
		close(ends[!who].fd);
	err = nst_exchange_step(ex);
	/* A failure stays, and ends the connection, once. */
	if (err < 0 && (ends[who].shut != 1 || nst_exchange_step(ex) != err ||
			ends[who].shut != 1 || nst_exchange_group(ex)))
		err = 1;
	/* Before the end nothing is sent under a new key. */
	if (err < 0 && ends[who].keys[0])
		err = 1;
	nst_exchange_free(ex);
	close_ends();
	return err;
}

/* A message that is in order: a type, and a body with a share. */
static size_t good_packet(int who, uint8_t *packet)
{
	const struct nst_group *group = nst_group_find(NST_GROUP_X25519);
	EVP_PKEY *key = __real_nst_group_keygen(group);

	packet[0] = who ? 254 : 255;
	packet[1] = 1;
	packet[2] = 0;
	packet[3] = 0x1d;
	nst_group_share(group, key, packet + 4);
	EVP_PKEY_free(key);
	return 1 + MSG;
}

static void test_bytes(int who)
{
	uint8_t packet[64];
	int i, bit, cut = 1, head = 1, share = 1, want, err;
	size_t len = good_packet(who, packet);

	for (i = 1; i < (int)len; i++)
		cut &= answered(who, packet, i) == -EPROTO;
	cut &= answered(who, packet, len + 1) == -EPROTO;
	for (i = 0; i < (int)len; i++)
		for (bit = 0; bit < 8; bit++) {
			packet[i] ^= 1 << bit;
			err = answered(who, packet, len);
			packet[i] ^= 1 << bit;
			want = -EPROTO;
			/* A group that a responder does not know it refuses. */
			if (who && (i == 2 || i == 3))
				want = -EPROTONOSUPPORT;
			if (i < 4)
				head &= err == want;
			else
				share &= err == 0;
		}
	verdict(answered(who, packet, len) == 0, "peer__good");
	verdict(cut, "peer__cut_or_longer");
	verdict(head, "peer__type_version_and_group_flipped");
	/* A share of X25519 may be any 32 bytes: another key comes of it. */
	verdict(share, "peer__share_flipped");
}

/* Points of small order: what comes of them is zero. */
static void test_small_order(int who)
{
	static const uint8_t points[][32] = {
		{ 0 },
		{ 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56,
		  0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb,
		  0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
		  0xb8, 0x00 },
		/* p - 1 and p */
		{ 0xec, [1 ... 30] = 0xff, [31] = 0x7f },
		{ 0xed, [1 ... 30] = 0xff, [31] = 0x7f },
	};
	uint8_t packet[64];
	size_t i, len = good_packet(who, packet);
	int good = 1;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		memcpy(packet + 4, points[i], 32);
		good &= answered(who, packet, len) == -EKEYREJECTED;
	}
	verdict(good, "peer__points_of_small_order");
}

static void test_others(int who)
{
	uint8_t packet[2048] = { 0 };
	size_t len = good_packet(who, packet);
	int type, due = packet[0], good = 1;

	for (type = 0; type < 256; type++) {
		packet[0] = type;
		if (type != due)
			good &= answered(who, packet, len) == -EPROTO;
	}
	packet[0] = due;
	verdict(good, "peer__another_type");
	verdict(answered(who, packet, 0) == -ECONNABORTED, "peer__goes");
	verdict(answered(who, packet, 2000) == -EPROTO, "peer__far_too_long");
	packet[3] = 0;
	verdict(answered(who, packet, 4) == -EPROTONOSUPPORT &&
		answered(who, packet, 8) == -EPROTONOSUPPORT,
		"peer__refuses");
	verdict(who || answered(who, packet, 7) == -EPROTO,
		"peer__refuses_half_a_group");
}

/* What a responder takes that does not take what was offered. */
static void test_refusal(void)
{
	static const uint8_t offer[] = { 254, 1, 0x11, 0xed, 5, 6, 7 };
	static const uint8_t want[] = { 255, 1, 0, 0, 0, 0x1d };
	static const uint16_t group = NST_GROUP_X25519;
	struct nst_exchange_opts opts = {
		.size = sizeof(opts), .groups = &group, .nr_groups = 1,
	};
	struct nst_exchange *ex;
	uint16_t groups[4] = { 0 };
	uint8_t packet[64];

	open_ends((const uint8_t *)"", 0);
	nst_exchange_new(&ex, ends[1].fd, &opts);
	send(ends[0].fd, offer, sizeof(offer), 0);
	verdict(nst_exchange_step(ex) == -EPROTONOSUPPORT &&
		!ends[1].keys[0] && !ends[1].keys[1] && ends[1].shut == 1 &&
		recv(ends[0].fd, packet, sizeof(packet), 0) == sizeof(want) &&
		!memcmp(packet, want, sizeof(want)) &&
		!nst_exchange_peer_groups(ex, groups, 4), "refusal__sent");
	nst_exchange_free(ex);
	close_ends();
	open_ends((const uint8_t *)"", 0);
	nst_exchange_new(&ex, ends[0].fd, NULL);
	nst_exchange_step(ex);
	send(ends[1].fd, "\xff\x01\0\0\0\x1d\x11\xec", 8, 0);
	verdict(nst_exchange_step(ex) == -EPROTONOSUPPORT &&
		nst_exchange_peer_groups(ex, groups, 4) == 2 &&
		groups[0] == 0x1d && groups[1] == 0x11ec &&
		nst_exchange_peer_groups(ex, NULL, 0) == 2,
		"refusal__received");
	nst_exchange_free(ex);
	close_ends();
}

/* --- the caller ------------------------------------------------------------- */

static int new_says(uint32_t flags, const struct nst_exchange_opts *opts)
{
	struct nst_exchange *ex;
	int err;

	open_ends((const uint8_t *)"", 0);
	ends[0].info.flags = flags;
	err = nst_exchange_new(&ex, ends[0].fd, opts);
	/* Nothing was sent, and nothing ended. */
	if (!err || ex || ends[0].shut || ends[0].keys[0])
		err = 1;
	close_ends();
	return err;
}

static void test_caller(void)
{
	const uint32_t fine = NST_F_STRICT | NST_F_INITIATOR;
	uint16_t unknown = 0x1234;
	struct nst_exchange_opts opts = { .size = sizeof(opts) };
	struct nst_exchange *ex;

	verdict(new_says(NST_F_STRICT, NULL) == -EINVAL &&
		new_says(NST_F_INITIATOR, NULL) == -EINVAL &&
		new_says(0, NULL) == -EINVAL, "new__not_strict_or_no_role");
	opts.groups = &unknown;
	opts.nr_groups = 1;
	verdict(new_says(fine, &opts) == -EINVAL, "new__unknown_group");
	opts.nr_groups = 17;
	verdict(new_says(fine, &opts) == -EINVAL, "new__too_many_groups");
	opts.size--;
	verdict(new_says(fine, &opts) == -EINVAL, "new__size_short");
	opts.size = SIZE_MAX;
	verdict(new_says(fine, &opts) == -E2BIG, "new__size_garbage");
	open_ends((const uint8_t *)"", 0);
	verdict(nst_exchange_new(&ex, 99, NULL) < 0 && !ex, "new__no_nst");
	/* Given up under way: nothing may be sent without it. */
	nst_exchange_new(&ex, ends[0].fd, NULL);
	nst_exchange_step(ex);
	nst_exchange_free(ex);
	verdict(ends[0].shut == 1, "free__under_way");
	nst_exchange_free(NULL);
	close_ends();
	open_ends((const uint8_t *)"", 0);
	verdict(nst_exchange(ends[0].fd, NULL, 20) == -ETIMEDOUT &&
		ends[0].shut == 1, "whole__nobody_answers");
	ends[0].info.flags = 0;
	verdict(nst_exchange(ends[0].fd, NULL, 20) == -EINVAL &&
		ends[0].shut == 2, "whole__cannot_begin");
	close_ends();
}

/* The kernel takes no key: the connection ends, and no key is of use. */
static void test_set_fails(void)
{
	struct nst_exchange *ex[ENDS];
	int i;

	open_ends((const uint8_t *)"", 0);
	for (i = 0; i < ENDS; i++)
		nst_exchange_new(&ex[i], ends[i].fd, NULL);
	nst_exchange_step(ex[0]);
	ends[1].set_error = ENOMEM;
	verdict(nst_exchange_step(ex[1]) == -ENOMEM && ends[1].shut == 1,
		"set__responder");
	ends[1].set_error = 0;
	nst_exchange_free(ex[1]);
	close_ends();
	nst_exchange_free(ex[0]);
	open_ends((const uint8_t *)"", 0);
	for (i = 0; i < ENDS; i++)
		nst_exchange_new(&ex[i], ends[i].fd, NULL);
	nst_exchange_step(ex[0]);
	nst_exchange_step(ex[1]);
	ends[0].set_error = ENOMEM;
	verdict(nst_exchange_step(ex[0]) == -ENOMEM && ends[0].shut == 1,
		"set__initiator");
	for (i = 0; i < ENDS; i++)
		nst_exchange_free(ex[i]);
	close_ends();
}

/* A signal comes while keys are set, at each of the four: that is no matter. */
static void test_set_interrupted(void)
{
	struct nst_exchange *ex[ENDS];
	int i, good = 1;

	open_ends((const uint8_t *)"", 0);
	for (i = 0; i < ENDS; i++) {
		nst_exchange_new(&ex[i], ends[i].fd, NULL);
		ends[i].interrupts = 1;
	}
	good &= nst_exchange_step(ex[0]) == POLLIN;
	good &= nst_exchange_step(ex[1]) == 0;
	good &= nst_exchange_step(ex[0]) == 0;
	good &= set_by_both(ends[0].key[0]);
	verdict(good && ends[0].calls == 4 && ends[1].calls == 4,
		"set__interrupted");
	for (i = 0; i < ENDS; i++)
		nst_exchange_free(ex[i]);
	close_ends();
}

/* EAGAIN of setting a key is not that the socket is not ready. */
static void test_set_again(void)
{
	struct nst_exchange *ex[ENDS];
	int i, who;

	for (who = 0; who < ENDS; who++) {
		open_ends((const uint8_t *)"", 0);
		for (i = 0; i < ENDS; i++)
			nst_exchange_new(&ex[i], ends[i].fd, NULL);
		ends[who].set_error = EAGAIN;
		nst_exchange_step(ex[0]);
		i = nst_exchange_step(ex[1]);
		if (!who)
			i = nst_exchange_step(ex[0]);
		verdict(i == -EIO && ends[who].shut == 1 &&
			nst_exchange_step(ex[who]) == -EIO, "set__again");
		for (i = 0; i < ENDS; i++)
			nst_exchange_free(ex[i]);
		close_ends();
	}
}

/* An initiator offers what it names first, or nothing. */
static void test_missing(void)
{
	static const uint16_t groups[] = {
		NST_GROUP_X25519MLKEM768, NST_GROUP_X25519,
	};
	struct nst_exchange_opts opts = {
		.size = sizeof(opts), .groups = groups, .nr_groups = 2,
	};
	struct nst_exchange *ex;

	missing = NST_GROUP_X25519MLKEM768;
	verdict(new_says(NST_F_STRICT | NST_F_INITIATOR, &opts) ==
		-EPROTONOSUPPORT, "groups__first_is_missing");
	open_ends((const uint8_t *)"", 0);
	verdict(!nst_exchange_new(&ex, ends[1].fd, &opts),
		"groups__first_is_missing_to_a_responder");
	nst_exchange_free(ex);
	close_ends();
	missing = 0;
}

/* Both groups, if libcrypto has both: each end comes to the same key. */
static void test_groups(void)
{
	const struct nst_group *group;
	struct nst_exchange_opts opts = { .size = sizeof(opts) };
	struct nst_exchange *ex[ENDS];
	int i, good = 1, some = 0;
	size_t g;

	for (g = 0; (group = nst_group_at(g)); g++) {
		if (!nst_group_usable(group)) {
			printf("# no %s in this libcrypto\n", group->name);
			continue;
		}
		some++;
		opts.groups = &group->id;
		opts.nr_groups = 1;
		open_ends((const uint8_t *)"groups", 6);
		good &= !nst_exchange_new(&ex[0], ends[0].fd, &opts);
		good &= !nst_exchange_new(&ex[1], ends[1].fd, NULL);
		good &= nst_exchange_step(ex[0]) == POLLIN;
		good &= nst_exchange_step(ex[1]) == 0;
		good &= nst_exchange_step(ex[0]) == 0;
		good &= set_by_both(ends[0].key[0]);
		good &= nst_exchange_group(ex[1]) == group->id;
		for (i = 0; i < ENDS; i++)
			nst_exchange_free(ex[i]);
		close_ends();
	}
	verdict(good && some, "groups__all_that_libcrypto_has");
}

/* What a hybrid group's halves are checked for, where libcrypto has it. */
static void test_hybrid(void)
{
	const struct nst_group *group = nst_group_find(NST_GROUP_X25519MLKEM768);
	uint8_t share[NST_SHARE_MAX], answer[NST_SHARE_MAX], bad[NST_SHARE_MAX];
	uint8_t z[NST_Z_MAX];
	EVP_PKEY *own;
	int good;

	if (!nst_group_usable(group))
		return;
	own = __real_nst_group_keygen(group);
	good = own && !nst_group_share(group, own, share) &&
	       !nst_group_answer(group, share, answer, z) &&
	       !nst_group_finish(group, own, answer, z);
	verdict(good, "hybrid__good");
	memcpy(bad, share, group->first);
	memset(bad, 0xff, 3);	/* coefficients above the modulus */
	verdict(nst_group_answer(group, bad, answer, z) == -EKEYREJECTED,
		"hybrid__no_key_of_ml_kem");
	memcpy(bad, share, group->first);
	memset(bad + 1184, 0, 32);
	verdict(nst_group_answer(group, bad, answer, z) == -EKEYREJECTED,
		"hybrid__zero_from_x25519");
	nst_group_answer(group, share, answer, z);
	memset(answer + 1088, 0, 32);
	verdict(nst_group_finish(group, own, answer, z) == -EKEYREJECTED,
		"hybrid__zero_from_x25519_back");
	EVP_PKEY_free(own);
}

/* Where the kernel's structure was there is no key any more. */
static void test_wiped(void)
{
	uint8_t key[NST_KEY_SIZE];
	const volatile uint8_t *at;
	int i, same = 0;

	open_ends((const uint8_t *)"", 0);
	memset(key, 0xa5, sizeof(key));
	nst_conf_set(ends[0].fd, NST_TX, &ends[0].conf, key);
	at = (const uint8_t *)last_value + 48 + 8;
	for (i = 0; i < NST_KEY_SIZE; i++)
		same += at[i] == 0xa5;
	verdict(!same, "set__wiped");
	close_ends();
}

int main(int argc, char **argv)
{
	int who;

	test_vectors(argc > 1 ? argv[1] : VECTORS);
	test_cut();
	for (who = 0; who < ENDS; who++) {
		test_bytes(who);
		test_small_order(who);
		test_others(who);
	}
	test_refusal();
	test_caller();
	test_set_fails();
	test_set_interrupted();
	test_set_again();
	test_missing();
	test_groups();
	test_hybrid();
	test_wiped();
	printf("1..%u\n", number);
	return failed;
}
