// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of this module that fail when a test wants it: the Nth from now on, wherever it
 * is made, by a program, a worker or a softirq. The linker sends the calls of the
 * functions below here (--wrap in Kbuild); so nothing else knows of it, and a test
 * finds all of them by counting. For NST_FAULT=1 only, and 6.1 (function names).
 *
 * /sys/module/nst_ulp/parameters/fault_nth: which call will fail, 0: none. It counts
 * down, and is 0 when it has failed. fault_times: how many in a row from that one on.
 * fault_where: the function and who called it. fault_calls: how many calls were made.
 */
#include <linux/atomic.h>
#include <linux/genetlink.h>
#include <linux/instruction_pointer.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <linux/uio.h>
#include <linux/xarray.h>
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>

static atomic_t nth = ATOMIC_INIT(0);
static atomic_t calls = ATOMIC_INIT(0);
static atomic_t again = ATOMIC_INIT(0);
static int fault_times = 1;
module_param(fault_times, int, 0600);
MODULE_PARM_DESC(fault_times, "how many calls fail in a row");

static const char *where_name = "nothing";
static unsigned long where_ip;

static int set_counter(const char *val, const struct kernel_param *kp)
{
	atomic_t *counter = kp->arg;
	int value, err = kstrtoint(val, 0, &value);

	if (err)
		return err;
	atomic_set(&again, 0);
	atomic_set(counter, value);
	return 0;
}

static int get_counter(char *buf, const struct kernel_param *kp)
{
	return sprintf(buf, "%d\n", atomic_read((atomic_t *)kp->arg));
}

static const struct kernel_param_ops counter_ops = {
	.set = set_counter, .get = get_counter,
};

module_param_cb(fault_nth, &counter_ops, &nth, 0600);
MODULE_PARM_DESC(fault_nth, "which call from now on fails");
module_param_cb(fault_calls, &counter_ops, &calls, 0600);
MODULE_PARM_DESC(fault_calls, "calls that could have failed");

static int get_where(char *buf, const struct kernel_param *kp)
{
	return sprintf(buf, "%s in %pS\n", where_name, (void *)where_ip);
}

static const struct kernel_param_ops where_ops = { .get = get_where };

module_param_cb(fault_where, &where_ops, NULL, 0400);
MODULE_PARM_DESC(fault_where, "the call that failed last");

static bool fails(const char *name, unsigned long ip)
{
	atomic_inc(&calls);
	if (atomic_dec_if_positive(&again) < 0) {
		/* -1: none is wanted; more than 0: not yet */
		if (atomic_dec_if_positive(&nth))
			return false;
		atomic_set(&again, READ_ONCE(fault_times) - 1);
	}
	WRITE_ONCE(where_name, name);
	WRITE_ONCE(where_ip, ip);
	pr_info("nst fault: %s in %pS\n", name, (void *)ip);
	return true;
}

#define FAULT_AS(name, type, failed, proto, args)			\
type __real_##name proto;						\
type __wrap_##name proto;						\
type __wrap_##name proto						\
{									\
	return fails(#name, _RET_IP_) ? (failed) : __real_##name args;	\
}

#define FAULT_NULL(name, type, proto, args)				\
	FAULT_AS(name, type, NULL, proto, args)
#define FAULT_PTR(name, type, proto, args)				\
	FAULT_AS(name, type, ERR_PTR(-ENOMEM), proto, args)
#define FAULT_INT(name, proto, args)					\
	FAULT_AS(name, int, -ENOMEM, proto, args)

FAULT_NULL(__kmalloc, void *, (size_t size, gfp_t gfp), (size, gfp))
FAULT_NULL(kmalloc_trace, void *,
	   (struct kmem_cache *cache, gfp_t gfp, size_t size), (cache, gfp, size))
FAULT_NULL(kmem_cache_alloc, void *, (struct kmem_cache *cache, gfp_t gfp),
	   (cache, gfp))
FAULT_NULL(kmemdup, void *, (const void *from, size_t len, gfp_t gfp),
	   (from, len, gfp))
FAULT_NULL(kvmalloc_node, void *, (size_t size, gfp_t gfp, int node),
	   (size, gfp, node))
FAULT_NULL(__alloc_pages, struct page *,
	   (gfp_t gfp, unsigned int order, int nid, nodemask_t *mask),
	   (gfp, order, nid, mask))
FAULT_NULL(__alloc_percpu, void *, (size_t size, size_t align), (size, align))
FAULT_NULL(__alloc_percpu_gfp, void *, (size_t size, size_t align, gfp_t gfp),
	   (size, align, gfp))
FAULT_NULL(kmem_cache_create, struct kmem_cache *,
	   (const char *name, unsigned int size, unsigned int align,
	    slab_flags_t flags, void (*ctor)(void *)),
	   (name, size, align, flags, ctor))
FAULT_NULL(__alloc_skb, struct sk_buff *,
	   (unsigned int size, gfp_t gfp, int flags, int node),
	   (size, gfp, flags, node))
FAULT_NULL(skb_clone, struct sk_buff *, (struct sk_buff *skb, gfp_t gfp),
	   (skb, gfp))
FAULT_NULL(alloc_skb_with_frags, struct sk_buff *,
	   (unsigned long head, unsigned long data, int order, int *err, gfp_t gfp),
	   (head, data, order, err, gfp))
FAULT_NULL(__pskb_pull_tail, void *, (struct sk_buff *skb, int delta),
	   (skb, delta))
FAULT_NULL(genlmsg_put, void *,
	   (struct sk_buff *skb, u32 port, u32 seq, const struct genl_family *family,
	    int flags, u8 cmd), (skb, port, seq, family, flags, cmd))
FAULT_NULL(register_net_sysctl, struct ctl_table_header *,
	   (struct net *net, const char *path, struct ctl_table *table),
	   (net, path, table))
FAULT_NULL(proc_create_net_single, struct proc_dir_entry *,
	   (const char *name, umode_t mode, struct proc_dir_entry *parent,
	    int (*show)(struct seq_file *, void *), void *data),
	   (name, mode, parent, show, data))

FAULT_PTR(crypto_alloc_aead, struct crypto_aead *,
	  (const char *name, u32 type, u32 mask), (name, type, mask))
FAULT_PTR(crypto_alloc_shash, struct crypto_shash *,
	  (const char *name, u32 type, u32 mask), (name, type, mask))
FAULT_PTR(crypto_alloc_skcipher, struct crypto_skcipher *,
	  (const char *name, u32 type, u32 mask), (name, type, mask))
FAULT_PTR(crypto_alloc_sync_skcipher, struct crypto_sync_skcipher *,
	  (const char *name, u32 type, u32 mask), (name, type, mask))
FAULT_PTR(kern_mount, struct vfsmount *, (struct file_system_type *type), (type))
FAULT_PTR(file_open_root, struct file *,
	  (const struct path *root, const char *name, int flags, umode_t mode),
	  (root, name, flags, mode))
FAULT_PTR(rhashtable_insert_slow, void *,
	  (struct rhashtable *table, const void *key, struct rhash_head *obj),
	  (table, key, obj))

FAULT_INT(crypto_aead_setkey,
	  (struct crypto_aead *tfm, const u8 *key, unsigned int len), (tfm, key, len))
FAULT_INT(crypto_aead_setauthsize, (struct crypto_aead *tfm, unsigned int size),
	  (tfm, size))
/* Half-way: what was there is overwritten. */
FAULT_AS(crypto_aead_encrypt, int, __real_crypto_aead_encrypt(req) ?: -ENOMEM,
	 (struct aead_request *req), (req))
FAULT_AS(crypto_aead_decrypt, int, __real_crypto_aead_decrypt(req) ?: -ENOMEM,
	 (struct aead_request *req), (req))
FAULT_INT(crypto_skcipher_setkey,
	  (struct crypto_skcipher *tfm, const u8 *key, unsigned int len),
	  (tfm, key, len))
FAULT_INT(crypto_skcipher_encrypt, (struct skcipher_request *req), (req))
FAULT_INT(crypto_shash_finup,
	  (struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out),
	  (desc, data, len, out))
FAULT_INT(crypto_shash_tfm_digest,
	  (struct crypto_shash *tfm, const u8 *data, unsigned int len, u8 *out),
	  (tfm, data, len, out))
FAULT_INT(skb_ensure_writable, (struct sk_buff *skb, unsigned int len), (skb, len))
FAULT_INT(sock_queue_err_skb, (struct sock *sk, struct sk_buff *skb), (sk, skb))
FAULT_INT(__sock_create,
	  (struct net *net, int family, int type, int proto, struct socket **res,
	   int kern), (net, family, type, proto, res, kern))
FAULT_INT(sock_create_kern,
	  (struct net *net, int family, int type, int proto, struct socket **res),
	  (net, family, type, proto, res))
FAULT_INT(rhashtable_init,
	  (struct rhashtable *table, const struct rhashtable_params *params),
	  (table, params))
FAULT_INT(__xa_alloc_cyclic,
	  (struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, u32 *next,
	   gfp_t gfp), (xa, id, entry, limit, next, gfp))
FAULT_INT(register_pernet_subsys, (struct pernet_operations *ops), (ops))
FAULT_INT(genl_register_family, (struct genl_family *family), (family))
FAULT_INT(nf_register_net_hooks,
	  (struct net *net, const struct nf_hook_ops *ops, unsigned int nr),
	  (net, ops, nr))
FAULT_INT(nf_register_sockopt, (struct nf_sockopt_ops *ops), (ops))
FAULT_INT(sock_register, (const struct net_proto_family *family), (family))
FAULT_INT(tcp_register_ulp, (struct tcp_ulp_ops *ops), (ops))
FAULT_INT(pin_user_pages_fast,
	  (unsigned long start, int nr, unsigned int flags, struct page **pages),
	  (start, nr, flags, pages))

FAULT_AS(nla_put, int, -EMSGSIZE,
	 (struct sk_buff *skb, int type, int len, const void *data),
	 (skb, type, len, data))
FAULT_AS(nla_put_64bit, int, -EMSGSIZE,
	 (struct sk_buff *skb, int type, int len, const void *data, int pad),
	 (skb, type, len, data, pad))
FAULT_AS(put_cmsg, int, -EFAULT,
	 (struct msghdr *msg, int level, int type, int len, void *data),
	 (msg, level, type, len, data))
FAULT_AS(iov_iter_get_pages2, ssize_t, -ENOMEM,
	 (struct iov_iter *iter, struct page **pages, size_t max, unsigned int nr,
	  size_t *start), (iter, pages, max, nr, start))
FAULT_AS(skb_page_frag_refill, bool, false,
	 (unsigned int size, struct page_frag *frag, gfp_t gfp), (size, frag, gfp))
FAULT_AS(__sk_mem_schedule, int, 0, (struct sock *sk, int size, int kind),
	 (sk, size, kind))
FAULT_AS(__xa_store, void *, (void *)((-ENOMEM << 2) | 2L),
	 (struct xarray *xa, unsigned long index, void *entry, gfp_t gfp),
	 (xa, index, entry, gfp))
