// SPDX-License-Identifier: GPL-2.0
/*
 * libnst against a kernel that is played here: what it asks for, in which
 * order, what it makes of each answer, and that no key stays behind. A program
 * of user space, so it uses nothing of the shim for kernel code; the linker
 * leads the library's system calls here (--wrap).
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <nst/nst.h>

#include "nst_ulp/drop.h"

#define CALLS_MAX	8
#define VALUE_MAX	(48 + 64 * 40)

/* A call of setsockopt() as it came. */
struct asked {
	int level;
	int name;
	size_t len;
	const void *where;
	unsigned char value[VALUE_MAX];
};

/* What recvmsg() is to answer. */
struct answer {
	ssize_t n;	/* or -errno */
	int type;	/* -1: no such message */
	int flags;
};

/* The kernel: a socket, what it answers, and what was asked. */
static struct {
	int no_socket;		/* errno of everything */
	int domain;
	int protocol;
	int attach;		/* errno of the attach */
	int set[CALLS_MAX];	/* errno of each call of level SOL_NST */
	int info;		/* errno of NST_INFO */
	struct nst_info told;
	socklen_t info_len;
	ssize_t sent;
	struct answer answer[CALLS_MAX];

	unsigned int attaches;
	unsigned int nr;
	struct asked asked[CALLS_MAX];
	unsigned int sends;
	uint8_t sent_type;
	int sent_flags;
	unsigned int recvs;
	int recv_flags[CALLS_MAX];
	int recv_room[CALLS_MAX];
} k;

static unsigned int number;
static int failed;

static void verdict(int good, const char *name)
{
	number++;
	failed |= !good;
	printf("%sok %u %s\n", good ? "" : "not ", number, name);
}

/* A socket that has NST or not, and keys or not. */
static void play(int protocol, int has_nst, int tx, int rx)
{
	memset(&k, 0, sizeof(k));
	k.domain = AF_INET;
	k.protocol = protocol;
	k.info = has_nst ? 0 : ENOPROTOOPT;
	k.info_len = sizeof(k.told);
	k.told.tx.keyed = tx;
	k.told.rx.keyed = rx;
	k.told.record_max = protocol == IPPROTO_TCP ? 32768 : 0;
	k.sent = 5;
}

static int answer(int err)
{
	errno = err;
	return err ? -1 : 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	(void)fd;
	if (k.no_socket)
		return answer(k.no_socket);
	if (level == SOL_NST && name == NST_INFO) {
		if (k.info)
			return answer(k.info);
		*len = *len < k.info_len ? *len : k.info_len;
		memcpy(val, &k.told, *len);
		return 0;
	}
	*len = sizeof(int);
	memcpy(val, name == SO_DOMAIN ? &k.domain : &k.protocol, sizeof(int));
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *val,
		      socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *val,
		      socklen_t len)
{
	struct asked *asked = &k.asked[k.nr];
	int err = k.set[k.nr];

	(void)fd;
	if (level != SOL_NST) {
		k.attaches++;
		err = k.attach;
	}
	asked->level = level;
	asked->name = name;
	asked->len = len;
	asked->where = val;
	memcpy(asked->value, val, len);
	k.nr += k.nr < CALLS_MAX - 1;
	return answer(err);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

	(void)fd;
	k.sends++;
	k.sent_flags = flags;
	if (cmsg && cmsg->cmsg_level == SOL_NST &&
	    cmsg->cmsg_type == NST_SET_RECORD_TYPE &&
	    cmsg->cmsg_len == CMSG_LEN(1))
		k.sent_type = *CMSG_DATA(cmsg);
	if (k.sent >= 0)
		return k.sent;
	return answer(-k.sent);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	const struct answer *a = &k.answer[k.recvs];
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

	(void)fd;
	k.recv_flags[k.recvs] = flags;
	k.recv_room[k.recvs] = msg->msg_controllen > 0;
	k.recvs += k.recvs < CALLS_MAX - 1;
	msg->msg_flags = a->flags;
	msg->msg_controllen = 0;
	if (a->n < 0)
		return answer(-a->n);
	if (cmsg && a->type >= 0) {
		cmsg->cmsg_level = SOL_NST;
		cmsg->cmsg_type = NST_GET_RECORD_TYPE;
		cmsg->cmsg_len = CMSG_LEN(1);
		*CMSG_DATA(cmsg) = a->type;
		msg->msg_controllen = CMSG_SPACE(1);
	}
	return a->n;
}

/* --- options ---------------------------------------------------------------- */

static struct nst_opts fresh(void)
{
	struct nst_opts opts = { .size = sizeof(opts) };

	return opts;
}

static const struct nst_crypto_info *crypto(unsigned int i)
{
	return (const struct nst_crypto_info *)k.asked[i].value;
}

static int is(unsigned int i, int name, int cipher)
{
	return k.asked[i].level == SOL_NST && k.asked[i].name == name &&
	       crypto(i)->version == NST_VERSION &&
	       crypto(i)->cipher_id == cipher;
}

static void test_defaults(void)
{
	static const struct nst_crypto_info plain = {
		.version = NST_VERSION, .cipher_id = NST_CIPHER_AES_GCM,
	};
	struct nst_opts opts = fresh();

	play(IPPROTO_TCP, 0, 0, 0);
	verdict(nst_tcp(3, NULL) == 0 && k.nr == 3 && k.attaches == 1 &&
		k.asked[0].level == SOL_TCP && k.asked[0].name == TCP_ULP &&
		k.asked[0].len == 3 && !memcmp(k.asked[0].value, "nst", 3) &&
		is(1, NST_RX, 0) && is(2, NST_TX, NST_CIPHER_AES_GCM) &&
		k.asked[2].len == sizeof(plain) &&
		!memcmp(crypto(2), &plain, sizeof(plain)), "opts__null");
	play(IPPROTO_TCP, 0, 0, 0);
	verdict(nst_tcp(3, &opts) == 0 && k.nr == 3 &&
		!memcmp(crypto(2), &plain, sizeof(plain)), "opts__only_size");
}

static void test_all_set(void)
{
	struct nst_key keys[2] = { { .kid = 7, .key = "secret" },
				   { .kid = 9, .key = "other" } };
	struct nst_opts opts = fresh();

	opts.cipher = NST_CIPHER_SM4_CBC;
	opts.kid = 9;
	opts.flags = NST_F_STRICT | NST_F_RESPONDER;
	opts.context = "service";
	opts.context_len = 7;
	opts.keys = keys;
	opts.nr_keys = 2;
	play(IPPROTO_TCP, 0, 0, 0);
	verdict(nst_tcp(3, &opts) == 0 && k.nr == 2 &&
		is(1, NST_TX_RX, NST_CIPHER_SM4_CBC) &&
		k.asked[1].len == 48 + 2 * 40 && crypto(1)->kid == 9 &&
		crypto(1)->flags == opts.flags && crypto(1)->nr_keys == 2 &&
		crypto(1)->context_len == 7 &&
		!memcmp(crypto(1)->context, "service\0", 8) &&
		!memcmp(crypto(1)->keys, keys, sizeof(keys)),
		"opts__all_in_one_call");
}

/* On the heap and no byte longer, so that who reads too far is seen. */
static int with_size(size_t size, size_t room, unsigned char tail)
{
	size_t have = room > sizeof(struct nst_opts) ? room :
		      sizeof(struct nst_opts);
	struct nst_opts *opts = calloc(1, have);
	int err;

	opts->size = size;
	if (room > sizeof(*opts))
		((unsigned char *)opts)[room - 1] = tail;
	play(IPPROTO_TCP, 0, 0, 0);
	err = nst_tcp(3, opts);
	free(opts);
	return err;
}

static void test_size(void)
{
	size_t size = sizeof(struct nst_opts);

	verdict(with_size(0, 0, 0) == -EINVAL && !k.nr, "opts__size_0");
	verdict(with_size(size - 1, 0, 0) == -EINVAL && !k.nr,
		"opts__size_short");
	verdict(with_size(size + 24, size + 24, 0) == 0,
		"opts__size_of_a_newer_program");
	verdict(with_size(size + 24, size + 24, 1) == -E2BIG && !k.nr,
		"opts__size_with_what_is_unknown");
	verdict(with_size(SIZE_MAX, 0, 0) == -E2BIG && !k.nr,
		"opts__size_garbage");
}

static int try(const struct nst_opts *opts)
{
	play(IPPROTO_TCP, 0, 0, 0);
	return nst_tcp(3, opts);
}

static void test_bounds(void)
{
	static struct nst_key keys[65];
	char context[33] = "0123456789abcdef0123456789abcdef";
	struct nst_opts opts = fresh();

	opts.context = context;
	opts.context_len = 32;
	verdict(try(&opts) == 0 && !memcmp(crypto(2)->context, context, 32),
		"opts__context_32");
	opts.context_len = 33;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__context_33");
	opts.context_len = SIZE_MAX;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__context_huge");
	opts.context = NULL;
	opts.context_len = 1;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__context_missing");
	opts.context_len = 0;
	opts.keys = keys;
	opts.nr_keys = 64;
	verdict(try(&opts) == 0 && k.asked[2].len == VALUE_MAX,
		"opts__keys_64");
	opts.nr_keys = 65;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__keys_65");
	opts.nr_keys = SIZE_MAX / sizeof(keys[0]) + 2;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__keys_overflow");
	opts.keys = NULL;
	opts.nr_keys = 1;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__keys_missing");
	opts = fresh();
	opts.reserved = 1;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__reserved");
	opts = fresh();
	opts.cipher = 8;
	verdict(try(&opts) == -EINVAL && !k.nr, "opts__cipher_8");
}

/* --- attach ----------------------------------------------------------------- */

static int attach_says(int protocol, int err, int has_nst, int tx, int rx)
{
	play(protocol, has_nst, tx, rx);
	k.attach = err;
	return protocol == IPPROTO_UDP ? nst_udp(3, NULL) : nst_tcp(3, NULL);
}

static void test_attach_errors(void)
{
	static const int errors[] = {
		EBUSY, ENOENT, EPERM, ENOTCONN, EOPNOTSUPP, ENOMEM, EINTR,
		ENOPROTOOPT,
	};
	int good = 1;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		good &= attach_says(IPPROTO_TCP, errors[i], 0, 0, 0) ==
			-errors[i] && k.attaches == 1 && k.nr == 1;
		good &= attach_says(IPPROTO_UDP, errors[i], 0, 0, 0) ==
			-errors[i] && k.attaches == 1 && k.nr == 1;
	}
	verdict(good, "attach__error_is_told_and_no_key_set");
}

static void test_exists(void)
{
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	int i, p;

	for (i = 0; i < 2; i++) {
		p = protocols[i];
		verdict(attach_says(p, EEXIST, 0, 0, 0) == -EEXIST &&
			k.nr == 1, "exists__another_ulp");
		verdict(attach_says(p, EEXIST, 1, 1, 1) == -EEXIST &&
			k.nr == 1, "exists__keyed_is_left_alone");
		verdict(attach_says(p, EEXIST, 1, 0, 0) == 0 && k.nr == 3,
			"exists__without_keys_gets_them");
		verdict(attach_says(p, EEXIST, 1, 1, 0) == 0 && k.nr == 3 &&
			attach_says(p, EEXIST, 1, 0, 1) == 0 && k.nr == 3,
			"exists__with_one_key_gets_both");
		play(p, 1, 0, 0);
		k.attach = EEXIST;
		k.info = EIO;
		verdict((p == IPPROTO_UDP ? nst_udp(3, NULL) :
			 nst_tcp(3, NULL)) == -EIO && k.nr == 1,
			"exists__dead");
	}
}

typedef int attach_fn(int fd, const struct nst_opts *opts);

static int kind_says(int domain, int protocol, attach_fn *attach)
{
	play(protocol, 0, 0, 0);
	k.domain = domain;
	return attach(3, NULL);
}

static void test_kinds(void)
{
	verdict(kind_says(AF_INET6, IPPROTO_TCP, nst_tcp) == 0 &&
		k.asked[0].level == SOL_TCP, "kinds__tcp_ipv6");
	verdict(kind_says(AF_INET, IPPROTO_UDP, nst_udp) == 0 &&
		k.asked[0].level == IPPROTO_IP &&
		k.asked[0].name == NST_ATTACH && k.asked[0].len == 4,
		"kinds__udp_ipv4");
	verdict(kind_says(AF_INET6, IPPROTO_UDP, nst_udp) == 0 &&
		k.asked[0].level == IPPROTO_IPV6 &&
		k.asked[0].name == NST_ATTACH, "kinds__udp_ipv6");
	verdict(kind_says(AF_INET, IPPROTO_UDP, nst_tcp) == -EOPNOTSUPP &&
		kind_says(AF_INET, IPPROTO_TCP, nst_udp) == -EOPNOTSUPP &&
		kind_says(AF_INET, IPPROTO_UDPLITE, nst_udp) == -EOPNOTSUPP &&
		kind_says(AF_INET, 262, nst_tcp) == -EOPNOTSUPP &&
		kind_says(AF_UNIX, 0, nst_tcp) == -EOPNOTSUPP &&
		kind_says(AF_UNIX, 0, nst_udp) == -EOPNOTSUPP && !k.nr,
		"kinds__not_for_nst");
	play(IPPROTO_TCP, 0, 0, 0);
	k.no_socket = ENOTSOCK;
	verdict(nst_tcp(3, NULL) == -ENOTSOCK && nst_udp(3, NULL) == -ENOTSOCK &&
		nst_is_attached(3) == -ENOTSOCK && !k.nr, "kinds__no_socket");
}

/* --- keys ------------------------------------------------------------------- */

static int sets(int e0, int e1, int e2, const struct nst_opts *opts)
{
	play(IPPROTO_TCP, 1, 1, 1);
	k.set[0] = e0;
	k.set[1] = e1;
	k.set[2] = e2;
	return nst_set_keys(3, opts);
}

static void test_set_keys(void)
{
	struct nst_opts named = fresh();

	named.cipher = NST_CIPHER_AES_256_GCM;
	verdict(sets(0, 0, 0, NULL) == 0 && k.nr == 2 && is(0, NST_RX, 0) &&
		is(1, NST_TX, NST_CIPHER_AES_GCM), "set_keys__receive_first");
	verdict(sets(EINVAL, 0, 0, NULL) == 0 && k.nr == 3 &&
		is(1, NST_TX_RX, NST_CIPHER_AES_GCM) && is(2, NST_RX, 0),
		"set_keys__another_context");
	verdict(sets(EINVAL, EINVAL, 0, NULL) == -EINVAL && k.nr == 2,
		"set_keys__context_stays");
	verdict(sets(ENOMEM, 0, 0, NULL) == -ENOMEM && k.nr == 1,
		"set_keys__receive_fails");
	verdict(sets(0, ENOPKG, 0, NULL) == -ENOPKG && k.nr == 2,
		"set_keys__send_fails");
	verdict(sets(EPERM, 0, 0, &named) == -EPERM && k.nr == 1 &&
		is(0, NST_TX_RX, NST_CIPHER_AES_256_GCM),
		"set_keys__atomic_with_cipher");
	play(IPPROTO_TCP, 0, 0, 0);
	verdict(nst_set_keys(3, NULL) == -ENOPROTOOPT && !k.nr,
		"set_keys__no_nst");
}

/* Where the library had the kernel's structure there is none of its keys. */
static int is_wiped(const struct nst_key *keys, size_t nr)
{
	const volatile unsigned char *at;
	unsigned int i;
	size_t key, j;

	for (i = 0; i < k.nr; i++) {
		if (k.asked[i].level != SOL_NST)
			continue;
		at = (const unsigned char *)k.asked[i].where + 48;
		for (key = 0; key < nr; key++, at += sizeof(*keys))
			for (j = 0; j < NST_KEY_SIZE; j++)
				if (at[8 + j] == keys[key].key[j] &&
				    at[8 + j])
					return 0;
	}
	return 1;
}

static void test_wiped(void)
{
	static const int errors[] = { 0, EINVAL, ENOMEM, EINTR, ENOPKG };
	struct nst_opts opts = fresh(), named;
	static struct nst_key keys[64];
	int good = 1;
	size_t i, j;

	for (i = 0; i < 64; i++) {
		keys[i].kid = i + 1;
		for (j = 0; j < NST_KEY_SIZE; j++)
			keys[i].key[j] = 0x81 + i + j;
	}
	opts.keys = keys;
	opts.nr_keys = 64;
	named = opts;
	named.cipher = NST_CIPHER_AES_GCM;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		good &= sets(errors[i], 0, 0, &opts) <= 0 && k.nr &&
			is_wiped(keys, 64);
		good &= sets(0, errors[i], 0, &opts) <= 0 && k.nr &&
			is_wiped(keys, 64);
		good &= sets(EINVAL, 0, errors[i], &opts) <= 0 && k.nr &&
			is_wiped(keys, 64);
		good &= sets(errors[i], 0, 0, &named) <= 0 && k.nr == 1 &&
			is_wiped(keys, 64);
	}
	verdict(good, "set_keys__wiped_whatever_comes");
}

/* --- state ------------------------------------------------------------------ */

static int state(int has_nst, int tx, int rx)
{
	play(IPPROTO_TCP, has_nst, tx, rx);
	return nst_is_attached(3);
}

static void test_state(void)
{
	struct nst_info info;

	verdict(state(0, 0, 0) == 0 && state(1, 0, 0) == -ENOKEY &&
		state(1, 1, 0) == -ENOKEY && state(1, 0, 1) == -ENOKEY &&
		state(1, 1, 1) == 1, "is_attached__states");
	play(IPPROTO_TCP, 1, 1, 1);
	k.info = EIO;
	verdict(nst_is_attached(3) == -EIO, "is_attached__dead");
	play(IPPROTO_TCP, 0, 0, 0);
	k.domain = AF_CAN;
	k.info = EINVAL;
	verdict(nst_is_attached(3) == 0 && nst_info(3, &info) == -ENOPROTOOPT,
		"is_attached__words_of_others");
	play(IPPROTO_TCP, 0, 0, 0);
	k.info = EOPNOTSUPP;
	verdict(nst_is_attached(3) == 0 && nst_info(3, &info) == -ENOPROTOOPT,
		"is_attached__words_of_later_kernels");
	play(IPPROTO_TCP, 1, 1, 1);
	k.info_len = 8;
	k.told.flags = NST_F_STRICT;
	memset(&info, 0xff, sizeof(info));
	verdict(nst_info(3, &info) == 0 && info.flags == NST_F_STRICT &&
		!info.record_max && !info.rx.bytes, "info__older_kernel");
	k.no_socket = EBADF;
	memset(&info, 0xff, sizeof(info));
	verdict(nst_info(3, &info) == -EBADF && !info.flags && !info.rx.bytes,
		"info__error");
	play(IPPROTO_TCP, 1, 1, 1);
	verdict(nst_rekey(3, 9) == 0 && k.asked[0].name == NST_REKEY &&
		k.asked[0].len == 4 && !memcmp(k.asked[0].value,
		&(struct nst_rekey){ .kid = 9 }, 4), "rekey__kid");
	k.nr = 0;
	k.set[0] = EKEYREVOKED;
	verdict(nst_rekey(3, 0) == -EKEYREVOKED, "rekey__error");
	play(IPPROTO_TCP, 0, 0, 0);
	verdict(nst_rekey(3, 9) == -ENOPROTOOPT && !k.nr, "rekey__no_nst");
}

/* --- records ---------------------------------------------------------------- */

static void test_send(void)
{
	int type, good = 1;

	play(IPPROTO_TCP, 1, 1, 1);
	verdict(nst_send_record(3, 16, "hello", 5, MSG_DONTWAIT) == 5 &&
		k.sent_type == 16 && k.sent_flags ==
		(MSG_DONTWAIT | MSG_NOSIGNAL), "send__type");
	k.sent = -EMSGSIZE;
	verdict(nst_send_record(3, 255, "hello", 5, 0) == -EMSGSIZE,
		"send__error");
	k.sends = 0;
	for (type = 1; type < NST_TYPE_APP_MIN; type++)
		good &= nst_send_record(3, type, "hello", 5, 0) == -EINVAL;
	verdict(good && !k.sends, "send__types_of_the_protocol");
	verdict(nst_send_record(3, 16, "", 0, 0) == -EINVAL && !k.sends,
		"send__nothing_is_no_record");
	k.sent = 0;
	verdict(nst_send_record(3, 0, "", 0, 0) == 0 && k.sends == 1,
		"send__no_data_goes_on");
	play(IPPROTO_UDP, 1, 1, 1);
	k.sent = 0;
	verdict(nst_send_record(3, 16, "", 0, 0) == 0 && k.sends == 1,
		"send__empty_datagram");
	play(IPPROTO_TCP, 0, 0, 0);
	verdict(nst_send_record(3, 16, "hello", 5, 0) == -ENOPROTOOPT &&
		nst_send_record(3, 0, "hello", 5, 0) == -ENOPROTOOPT &&
		!k.sends, "send__never_in_plaintext");
}

static ssize_t got;
static uint8_t got_type;

/* Plays answers @a, @b and @c to one call. */
static void receive(int protocol, int flags, struct answer a, struct answer b,
		    struct answer c)
{
	char buf[8];

	play(protocol, 1, 1, 1);
	k.answer[0] = a;
	k.answer[1] = b;
	k.answer[2] = c;
	k.answer[3] = (struct answer){ .n = 4, .type = -1 };
	got_type = 99;
	got = nst_recv_record(3, &got_type, buf, sizeof(buf), flags);
}

#define NONE	((struct answer){ .n = -EPROTO })
#define A(n, type, flags)	((struct answer){ n, type, flags })

static void test_recv_stream(void)
{
	const int tcp = IPPROTO_TCP;

	receive(tcp, MSG_WAITALL, A(5, -1, 0), NONE, NONE);
	verdict(got == 5 && got_type == 0 && k.recvs == 1 &&
		k.recv_flags[0] == MSG_WAITALL && !k.recv_room[0],
		"recv__data_in_one_call");
	receive(tcp, 0, A(-EIO, 0, 0), A(5, 16, MSG_EOR), A(5, 16, MSG_EOR));
	verdict(got == 5 && got_type == 16 && k.recvs == 3 && k.recv_room[2] &&
		k.recv_flags[1] == (MSG_PEEK | MSG_DONTWAIT) &&
		k.recv_flags[2] == MSG_DONTWAIT, "recv__control");
	receive(tcp, 0, A(-EIO, 0, 0), A(8, 16, 0), NONE);
	verdict(got == -EMSGSIZE && k.recvs == 2, "recv__too_long_stays");
	receive(tcp, MSG_PEEK, A(-EIO, 0, 0), A(5, 16, MSG_EOR), NONE);
	verdict(got == 5 && got_type == 16 && k.recvs == 2, "recv__peek");
	receive(tcp, 0, A(-EIO, 0, 0), A(-EAGAIN, 0, 0), A(3, -1, 0));
	verdict(got == 3 && got_type == 0 && k.recvs == 3 &&
		k.recv_flags[2] == 0, "recv__another_took_it_and_we_wait");
	receive(tcp, 0, A(-EIO, 0, 0), A(5, 16, MSG_EOR), A(-EAGAIN, 0, 0));
	verdict(got == 4 && got_type == 0 && k.recvs == 4,
		"recv__another_took_it_late");
	receive(tcp, 0, A(-EIO, 0, 0), A(5, 16, MSG_EOR), A(8, 17, 0));
	verdict(got == -EMSGSIZE && k.recvs == 3, "recv__another_came_longer");
	receive(tcp, 0, A(-EIO, 0, 0), A(5, 16, MSG_EOR), A(6, 0, MSG_EOR));
	verdict(got == 6 && got_type == 0, "recv__data_came_instead");
	receive(tcp, 0, A(-EIO, 0, 0), A(-EIO, 0, 0), NONE);
	verdict(got == -EIO && k.recvs == 2, "recv__dead");
	receive(tcp, MSG_DONTWAIT, A(-EAGAIN, 0, 0), NONE, NONE);
	verdict(got == -EAGAIN && k.recvs == 1, "recv__nothing");
	receive(tcp, 0, A(0, -1, 0), NONE, NONE);
	verdict(got == 0 && got_type == NST_TYPE_DATA, "recv__end");
}

static void test_recv(void)
{
	const int udp = IPPROTO_UDP;
	uint8_t type;
	char c;

	test_recv_stream();
	receive(udp, 0, A(5, 77, MSG_EOR), NONE, NONE);
	verdict(got == 5 && got_type == 77 && k.recvs == 1, "recv__datagram");
	receive(udp, 0, A(8, 77, MSG_TRUNC), NONE, NONE);
	verdict(got == -EMSGSIZE, "recv__datagram_too_long");
	receive(udp, 0, A(5, -1, MSG_CTRUNC), NONE, NONE);
	verdict(got == -EIO, "recv__datagram_without_its_type");
	receive(udp, MSG_TRUNC, NONE, NONE, NONE);
	verdict(got == -EOPNOTSUPP && !k.recvs, "recv__flags");
	play(IPPROTO_TCP, 0, 0, 0);
	verdict(nst_recv_record(3, &type, &c, 1, 0) == -ENOPROTOOPT &&
		!k.recvs, "recv__never_plaintext");
}

/* --- texts ------------------------------------------------------------------ */

static int is_good_line(int err)
{
	const char *text = nst_strerror(-err);

	return text == nst_strerror(err) && strstr(text, "; ") &&
	       strlen(text) < 160 && !strchr(text, '\n') &&
	       text[strlen(text) - 1] != '.';
}

static void test_strerror(void)
{
	static const int errors[] = {
		E2BIG, EACCES, EAFNOSUPPORT, EAGAIN, EBADF, EBUSY,
		ECONNREFUSED, ECONNRESET, EDESTADDRREQ, EEXIST, EFAULT, EINTR,
		EINVAL, EIO, EMSGSIZE, ENOENT, ENOPROTOOPT, ENOTCONN,
		ENOTSOCK, EOPNOTSUPP, EPERM, ETIMEDOUT,
	};
	int good = 1;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		good &= is_good_line(errors[i]);
	verdict(good, "strerror__what_calls_say");
	good = 1;
#define X(sym, name, err) good &= is_good_line(err);
	NST_DROP_LIST(X)
#undef X
	verdict(good, "strerror__what_receivers_are_told");
	verdict(!strcmp(nst_strerror(0), "no error") &&
		!strcmp(nst_strerror(-EHOSTUNREACH), "No route to host") &&
		!strcmp(nst_strerror(9999), "unknown error") &&
		!strcmp(nst_strerror(INT_MIN), "unknown error") &&
		!strcmp(nst_strerror(INT_MAX), "unknown error"),
		"strerror__others");
}

static void test_cause(void)
{
	int good = 1;

#define X(sym, name, err) \
	good &= !strcmp(nst_cause_name(NST_DROP_##sym), name);
	NST_DROP_LIST(X)
#undef X
	verdict(good, "cause_name__all");
	verdict(!nst_cause_name(0) && !nst_cause_name(NST_DROP_MAX) &&
		!nst_cause_name(UINT_MAX), "cause_name__none");
}

int main(void)
{
	test_defaults();
	test_all_set();
	test_size();
	test_bounds();
	test_attach_errors();
	test_exists();
	test_kinds();
	test_set_keys();
	test_wiped();
	test_state();
	test_send();
	test_recv();
	test_strerror();
	test_cause();
	printf("1..%u\n", number);
	return failed;
}
