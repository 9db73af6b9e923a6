// SPDX-License-Identifier: GPL-2.0
/*
 * nst_kernsock.ko: sockets of AF_NST that the kernel makes for itself. A test,
 * never part of an installation. Reading /proc/nst_kernsock runs it.
 */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/nst.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/sock.h>

#define KID	7
#define TIMEOUT	(20 * HZ)

/* One option value, with a box of one key. */
struct keys {
	struct nst_crypto_info info;
	struct nst_key key;
};

static int set_keys(struct socket *sock)
{
	struct keys *keys = kzalloc(sizeof(*keys), GFP_KERNEL);
	int err;

	if (!keys)
		return -ENOMEM;
	keys->info.version = NST_VERSION;
	keys->info.cipher_id = NST_CIPHER_AES_GCM;
	keys->info.nr_keys = 1;
	keys->key.kid = KID;
	memset(keys->key.key, 0x5a, sizeof(keys->key.key));
	err = sock->ops->setsockopt(sock, SOL_NST, NST_TX_RX,
				    KERNEL_SOCKPTR(keys), sizeof(*keys));
	kfree(keys);
	return err;
}

static int send_text(struct socket *sock, char *text)
{
	struct kvec vec = { .iov_base = text, .iov_len = strlen(text) };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	return kernel_sendmsg(sock, &msg, &vec, 1, vec.iov_len);
}

static int recv_text(struct socket *sock, char *buf, size_t len)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { 0 };

	return kernel_recvmsg(sock, &msg, &vec, 1, len, 0);
}

static int make(int type, int family, struct socket **sock)
{
	int err = sock_create_kern(&init_net, AF_NST, type, family, sock);

	if (err) {
		*sock = NULL;
		return err;
	}
	(*sock)->sk->sk_rcvtimeo = TIMEOUT;
	(*sock)->sk->sk_sndtimeo = TIMEOUT;
	return 0;
}

static int bind_any(struct socket *sock, int family,
		    struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;
	int len = family == AF_INET6 ? sizeof(*in6) : sizeof(*in);
	int err;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET6)
		in6->sin6_addr = in6addr_loopback;
	else
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* The type of an address differs between kernels. */
	err = kernel_bind(sock, (void *)ss, len);
	if (err)
		return err;
	err = kernel_getsockname(sock, (void *)ss);
	return err < 0 ? err : 0;
}

static const char *judge_sock(struct socket *sock, int type, int family)
{
	struct sock *sk = sock->sk;

	if (sk->sk_socket != sock || sk->sk_wq != &sock->wq)
		return "the sock belongs to another socket";
	if (sk->sk_family != family || sk->sk_type != type)
		return "family or type";
	if (!sk->sk_kern_sock || sk->sk_net_refcnt)
		return "not a socket of the kernel's";
	if (!sock->ops->owner || strcmp(sock->ops->owner->name, "nst_ulp"))
		return "operations of someone else";
	if (send_text(sock, "plaintext") >= 0)
		return "sends without keys";
	return NULL;
}

static const char *check_sock(int type, int family, int *err)
{
	struct socket *sock;
	const char *bad;

	*err = make(type, family, &sock);
	if (*err)
		return "create";
	bad = judge_sock(sock, type, family);
	sock_release(sock);
	return bad;
}

static const char *talk(struct socket *a, struct socket *b)
{
	char buf[16] = "";

	if (send_text(a, "a record") != 8)
		return "send";
	if (recv_text(b, buf, sizeof(buf) - 1) != 8 || strcmp(buf, "a record"))
		return "recv";
	return NULL;
}

/* Both are bound and connected to each other. */
static const char *connect_dgrams(struct socket *a, struct socket *b, int *err)
{
	int family = a->sk->sk_family;
	struct sockaddr_storage at_a, at_b;

	*err = bind_any(a, family, &at_a) ?: bind_any(b, family, &at_b);
	if (*err)
		return "bind";
	*err = kernel_connect(a, (void *)&at_b, sizeof(at_b), 0) ?:
	       kernel_connect(b, (void *)&at_a, sizeof(at_a), 0);
	return *err ? "connect" : NULL;
}

static const char *connect_stream(struct socket *lis, struct socket *a,
				  struct socket **b, int *err)
{
	int family = lis->sk->sk_family;
	struct sockaddr_storage ss;

	*err = bind_any(lis, family, &ss);
	if (*err)
		return "bind";
	*err = kernel_listen(lis, 1);
	if (*err)
		return "listen";
	*err = kernel_connect(a, (void *)&ss, sizeof(ss), 0);
	if (*err)
		return "connect";
	*err = kernel_accept(lis, b, 0);
	if (*err)
		return "accept";
	(*b)->sk->sk_rcvtimeo = TIMEOUT;
	return NULL;
}

static const char *run(int type, int family, int *err)
{
	struct socket *lis, *a, *b = NULL;
	const char *bad;

	bad = check_sock(type, family, err);
	if (bad)
		return bad;
	*err = make(type, family, &lis);
	if (*err)
		return "create";
	*err = make(type, family, &a);
	if (*err) {
		sock_release(lis);
		return "create another";
	}
	*err = set_keys(lis) ?: set_keys(a);
	bad = *err ? "keys" : NULL;
	if (type == SOCK_DGRAM)
		bad = bad ?: connect_dgrams(lis, a, err) ?: talk(a, lis) ?:
			     talk(lis, a);
	else
		bad = bad ?: connect_stream(lis, a, &b, err) ?: talk(a, b) ?:
			     talk(b, a);
	if (b)
		sock_release(b);
	sock_release(a);
	sock_release(lis);
	return bad;
}

/* Reading the file runs the test and says how it went. */
static int show(struct seq_file *file, void *unused)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const char *bad;
	int i, err;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		bad = run(SOCK_STREAM, families[i], &err);
		seq_printf(file, "stream-%d %s %d\n", families[i],
			   bad ?: "good", err);
		bad = run(SOCK_DGRAM, families[i], &err);
		seq_printf(file, "dgram-%d %s %d\n", families[i],
			   bad ?: "good", err);
	}
	return 0;
}

static int __init kernsock_init(void)
{
	return proc_create_single("nst_kernsock", 0400, NULL, show) ? 0 :
	       -ENOMEM;
}

static void __exit kernsock_exit(void)
{
	remove_proc_entry("nst_kernsock", NULL);
}

module_init(kernsock_init);
module_exit(kernsock_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of NST: sockets of AF_NST that the kernel makes");
