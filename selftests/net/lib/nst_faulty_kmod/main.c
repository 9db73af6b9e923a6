// SPDX-License-Identifier: GPL-2.0
/*
 * nst_faulty.ko: an AES-GCM that fails to decrypt or to encrypt as often as it is
 * told, in the way of a driver that lacks memory or is broken, and tells who calls it.
 * A test, never part of an installation. The work is done by whatever the kernel has
 * besides.
 */
#include <crypto/internal/aead.h>
#include <crypto/scatterwalk.h>
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>

static int err;
module_param(err, int, 0600);
MODULE_PARM_DESC(err, "what it fails with, a positive errno");

static int times;
module_param(times, int, 0600);
MODULE_PARM_DESC(times, "how often it will fail");

static int seal_err;
module_param(seal_err, int, 0600);
MODULE_PARM_DESC(seal_err, "what encryption fails with, half-way, a positive errno");

static int seal_times;
module_param(seal_times, int, 0600);
MODULE_PARM_DESC(seal_times, "how often it will");

static int key_err;
module_param(key_err, int, 0600);
MODULE_PARM_DESC(key_err, "what taking a key fails with, a positive errno");

static int key_ms;
module_param(key_ms, int, 0600);
MODULE_PARM_DESC(key_ms, "how long taking a key lasts");

static int room;
module_param(room, int, 0600);
MODULE_PARM_DESC(room, "bytes that transforms made from now on want besides");

/*
 * How often the cipher was called by a task that could wait for storage, or not; that
 * could use reserves; and whether that was a program's call or a worker.
 */
static int wide, narrow_call, narrow_work, reserve_call, reserve_work;
module_param(wide, int, 0600);
module_param(narrow_call, int, 0600);
module_param(narrow_work, int, 0600);
module_param(reserve_call, int, 0600);
module_param(reserve_work, int, 0600);

/* One test at a time: more than none is all that it asks. */
static void note_caller(void)
{
	bool work = current->flags & PF_WQ_WORKER;

	if (!(current->flags & PF_MEMALLOC_NOIO))
		wide++;
	else if (work)
		narrow_work++;
	else
		narrow_call++;
	if (!(current->flags & PF_MEMALLOC))
		return;
	if (work)
		reserve_work++;
	else
		reserve_call++;
}

struct ctx {
	unsigned int room;
	struct crypto_aead *real;
};

static int init(struct crypto_aead *aead)
{
	struct ctx *ctx = crypto_aead_ctx(aead);

	ctx->real = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_NEED_FALLBACK);
	if (IS_ERR(ctx->real))
		return PTR_ERR(ctx->real);
	ctx->room = READ_ONCE(room);
	crypto_aead_set_reqsize(aead, sizeof(struct aead_request) + ctx->room +
				crypto_aead_reqsize(ctx->real));
	return 0;
}

static void drop(struct crypto_aead *aead)
{
	struct ctx *ctx = crypto_aead_ctx(aead);

	crypto_free_aead(ctx->real);
}

static int setkey(struct crypto_aead *aead, const u8 *key, unsigned int len)
{
	struct ctx *ctx = crypto_aead_ctx(aead);

	note_caller();
	if (READ_ONCE(key_err))
		return -READ_ONCE(key_err);
	if (READ_ONCE(key_ms))
		msleep(READ_ONCE(key_ms));
	return crypto_aead_setkey(ctx->real, key, len);
}

static int setauthsize(struct crypto_aead *aead, unsigned int size)
{
	struct ctx *ctx = crypto_aead_ctx(aead);

	return crypto_aead_setauthsize(ctx->real, size);
}

static struct aead_request *pass_on(struct aead_request *req)
{
	struct ctx *ctx = crypto_aead_ctx(crypto_aead_reqtfm(req));
	struct aead_request *to = aead_request_ctx(req);

	aead_request_set_tfm(to, ctx->real);
	aead_request_set_callback(to, req->base.flags, req->base.complete,
				  req->base.data);
	aead_request_set_crypt(to, req->src, req->dst, req->cryptlen, req->iv);
	aead_request_set_ad(to, req->assoclen);
	return to;
}

/* Half-way is here: when the plaintext is overwritten and the tag is not there. */
static void spoil(struct aead_request *req)
{
	unsigned int len = req->assoclen + req->cryptlen;
	u8 junk[16];

	memset(junk, 0xa5, sizeof(junk));
	while (len > req->assoclen) {
		unsigned int n = min_t(unsigned int, sizeof(junk),
				       len - req->assoclen);

		len -= n;
		scatterwalk_map_and_copy(junk, req->dst, len, n, 1);
	}
}

static int encrypt(struct aead_request *req)
{
	int why = READ_ONCE(seal_err);

	note_caller();
	if (why && READ_ONCE(seal_times) > 0) {
		WRITE_ONCE(seal_times, seal_times - 1);
		spoil(req);
		return -why;
	}
	return crypto_aead_encrypt(pass_on(req));
}

static int decrypt(struct aead_request *req)
{
	struct crypto_aead *aead = crypto_aead_reqtfm(req);
	struct ctx *ctx = crypto_aead_ctx(aead);
	int why;

	note_caller();
	/* What was promised is there, or much is destroyed. */
	if (ctx->room)
		memset(aead_request_ctx(req) + crypto_aead_reqsize(aead) -
		       ctx->room, 0xa5, ctx->room);
	/*
	 * One test at a time, which sets @err and @times one behind the other: 0 is
	 * no failure, and must not pass for a decryption either.
	 */
	why = READ_ONCE(err);
	if (why && READ_ONCE(times) > 0) {
		WRITE_ONCE(times, times - 1);
		return -why;
	}
	return crypto_aead_decrypt(pass_on(req));
}

static struct aead_alg alg = {
	.init		= init,
	.exit		= drop,
	.setkey		= setkey,
	.setauthsize	= setauthsize,
	.encrypt	= encrypt,
	.decrypt	= decrypt,
	.ivsize		= 12,
	.maxauthsize	= 16,
	.base = {
		.cra_name	 = "gcm(aes)",
		.cra_driver_name = "nst-faulty-gcm",
		.cra_priority	 = 100000,
		.cra_flags	 = CRYPTO_ALG_ASYNC | CRYPTO_ALG_NEED_FALLBACK,
		.cra_blocksize	 = 1,
		.cra_ctxsize	 = sizeof(struct ctx),
		.cra_module	 = THIS_MODULE,
	},
};

#if defined(CONFIG_KPROBES) && defined(CONFIG_X86_64)
static int no_buffer;
module_param(no_buffer, int, 0600);
MODULE_PARM_DESC(no_buffer, "how often NST will have no buffer for a plaintext");

static noinline notrace void do_nothing(void)
{
	barrier();
}

/* At the function's entry: go back at once, with NULL. */
static int give_none(struct kprobe *probe, struct pt_regs *regs)
{
	if (READ_ONCE(no_buffer) <= 0)
		return 0;
	WRITE_ONCE(no_buffer, no_buffer - 1);
	regs_set_return_value(regs, 0);
	instruction_pointer_set(regs, (unsigned long)do_nothing);
	return 1;
}

/* With one the probe stays a trap: a jump in its place would not go where we say. */
static void stay_a_trap(struct kprobe *probe, struct pt_regs *regs,
			unsigned long flags)
{
}

static struct kprobe probe = {
	.symbol_name = "nst_rxrec_buffer", .pre_handler = give_none,
	.post_handler = stay_a_trap,
};

static int start_probe(void)
{
	return register_kprobe(&probe);
}

static void stop_probe(void)
{
	unregister_kprobe(&probe);
}
#else
static int start_probe(void)
{
	return 0;
}

static void stop_probe(void)
{
}
#endif

static int __init faulty_init(void)
{
	int err = start_probe();

	if (err)
		return err;
	err = crypto_register_aead(&alg);
	if (err)
		stop_probe();
	return err;
}

static void __exit faulty_exit(void)
{
	crypto_unregister_aead(&alg);
	stop_probe();
}

module_init(faulty_init);
module_exit(faulty_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of NST: a cipher that fails");
