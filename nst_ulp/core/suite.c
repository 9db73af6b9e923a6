// SPDX-License-Identifier: GPL-2.0
/*
 * The suites: what each is made of, and what is known of whether this kernel has
 * it. To find out may run modprobe, so what is known decides who has to wait.
 */
#include <crypto/aead.h>
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/nst.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include "core/cipher.h"
#include "core/suite.h"
#include "limits.h"

static const struct nst_suite suites[] = {
	[NST_CIPHER_AES_GCM] = {
		.name = "aes-gcm", .aead = "gcm(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 16, .okm_len = 28,
	},
	[NST_CIPHER_AES_CBC] = {
		.name = "aes-cbc", .aead = "authenc(hmac(sha256),cbc(aes))",
		.ivgen = "cbc(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 16, .okm_len = 64,
	},
	[NST_CIPHER_SM4_GCM] = {
		.name = "sm4-gcm", .aead = "gcm(sm4)",
		.hmac = "hmac(sm3)", .hash = "sm3",
		.key_len = 16, .okm_len = 28,
	},
	[NST_CIPHER_SM4_CBC] = {
		.name = "sm4-cbc", .aead = "authenc(hmac(sm3),cbc(sm4))",
		.ivgen = "cbc(sm4)", .untested = true,
		.hmac = "hmac(sm3)", .hash = "sm3",
		.key_len = 16, .okm_len = 64,
	},
	[NST_CIPHER_AES_256_GCM] = {
		.name = "aes-256-gcm", .aead = "gcm(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 44,
	},
	[NST_CIPHER_AES_256_CBC] = {
		.name = "aes-256-cbc", .aead = "authenc(hmac(sha256),cbc(aes))",
		.ivgen = "cbc(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 96,
	},
	[NST_CIPHER_CHACHA20_POLY1305] = {
		.name = "chacha20-poly1305", .aead = "rfc7539(chacha20,poly1305)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 44,
	},
};

static_assert(ARRAY_SIZE(suites) == NST_WIRE_SUITE_MAX + 1);

/* Until when (ns since boot) a suite is taken to be missing; 0: it is not. */
static u64 missing_until[NST_WIRE_SUITE_MAX + 1];

/*
 * The suites of which all parts were there when somebody looked, since a module
 * came or went for the last time: @found for streams, @at_hand for datagrams, too.
 * A module that goes takes its algorithms along; one that comes may bring a better
 * cipher, and the crypto API then takes apart what was made of the old one. Both are
 * counted in @changes, and what was seen before is not noted behind. @known_lock is
 * held to change the three; who only asks reads without it, and may be told what was
 * true a moment ago: the kernel tells of a module when its algorithms are gone.
 */
static DEFINE_SPINLOCK(known_lock);
static unsigned long found, at_hand;
static unsigned int changes;

/*
 * The suites that somebody has asked for since they were looked for last, and those
 * that ever were. Bits are set and taken one by one, by anyone, without a lock: who
 * sets one in @asked queues the work behind it, which takes it before it looks.
 */
static unsigned long asked, looked;

/* When (ns since boot) to look again for what is not at hand. Anyone writes. */
static u64 look_at[NST_WIRE_SUITE_MAX + 1];

/* How often to look again if modules came or went meanwhile: looking loads some. */
#define LOOKS	4

/**
 * nst_suite() - look a suite up
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * Return: its line of the table; NULL if there is none.
 */
const struct nst_suite *nst_suite(u8 id)
{
	if (!id || id >= ARRAY_SIZE(suites))
		return NULL;
	return &suites[id];
}

/* Note in @what that a suite was seen after @seen changes. False: there was another. */
static bool note(unsigned long *what, u8 id, unsigned int seen)
{
	bool same;

	spin_lock(&known_lock);
	same = seen == changes;
	if (same)
		set_bit(id, what);
	spin_unlock(&known_lock);
	return same;
}

static void forget(unsigned long suites)
{
	spin_lock(&known_lock);
	WRITE_ONCE(found, found & ~suites);
	WRITE_ONCE(at_hand, at_hand & ~suites);
	spin_unlock(&known_lock);
}

/* Look for a suite with @see, which may load modules, and note in @what if it is there. */
static int look_for(unsigned long *what, u8 id, int (*see)(u8 id))
{
	unsigned int seen, nr = 0;
	int err;

	do {
		seen = READ_ONCE(changes);
		err = see(id);
	} while (!err && !note(what, id, seen) && ++nr < LOOKS);
	return err;
}

static int module_event(struct notifier_block *nb, unsigned long state,
			void *module)
{
	if (state != MODULE_STATE_LIVE && state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	spin_lock(&known_lock);
	WRITE_ONCE(changes, changes + 1);
	WRITE_ONCE(found, 0);
	WRITE_ONCE(at_hand, 0);
	spin_unlock(&known_lock);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

/**
 * nst_suite_init() - learn of modules that come and go
 *
 * Return: 0 or an errno.
 */
int nst_suite_init(void)
{
	return register_module_notifier(&module_nb);
}

/**
 * nst_suite_missing() - what the crypto API says, said of a suite
 * @err: its errno
 *
 * Return: -ENOPKG if that means that this kernel has no such algorithm, else @err.
 */
int nst_suite_missing(int err)
{
	return err == -ENOENT || err == -ELIBBAD ? -ENOPKG : err;
}

/**
 * nst_suite_known_missing() - was a suite missing a moment ago?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * To search for what is missing runs modprobe: not for each who asks.
 *
 * Context: any.
 * Return: true, for NST_SUITE_RETRY seconds.
 */
bool nst_suite_known_missing(u8 id)
{
	u64 until = READ_ONCE(missing_until[id]);

	return until && ktime_get_boottime_ns() < until;
}

/**
 * nst_suite_remember() - remember how the search for a suite has ended
 * @id: 1..NST_WIRE_SUITE_MAX
 * @err: 0; -ENOPKG if it is missing; another errno, which tells nothing
 *
 * Return: @err.
 */
int nst_suite_remember(u8 id, int err)
{
	u64 until = 0;

	if (err == -ENOPKG) {
		until = ktime_get_boottime_ns() + NST_SUITE_RETRY * NSEC_PER_SEC;
		forget(BIT(id));
	}
	if (!err || until)
		WRITE_ONCE(missing_until[id], until);
	return err;
}

/* The driver of the AEAD, found by making one. */
static int whole_driver(u8 id, char *aead, size_t size)
{
	struct nst_cipher cipher = {};
	int err = nst_cipher_make(&cipher, id);

	if (err)
		return err;
	strscpy(aead, crypto_tfm_alg_driver_name(crypto_aead_tfm(cipher.aead)),
		size);
	nst_cipher_free(&cipher);
	return 0;
}

/*
 * The name that the template will give, from that of its parts, which have tests:
 * to make the whole is to have "alg: No test" in the kernel's log, and who only
 * looks should leave no trace there.
 */
static int parts_driver(const struct nst_suite *suite, const char *hmac,
			char *aead, size_t size)
{
	struct crypto_template *tmpl = crypto_lookup_template("authenc");
	struct crypto_skcipher *enc;

	if (!tmpl)
		return -ENOPKG;
	module_put(tmpl->module);
	enc = crypto_alloc_skcipher(suite->ivgen, 0, 0);
	if (IS_ERR(enc))
		return nst_suite_missing(PTR_ERR(enc));
	snprintf(aead, size, "authenc(%s,%s)", hmac,
		 crypto_tfm_alg_driver_name(crypto_skcipher_tfm(enc)));
	crypto_free_skcipher(enc);
	return 0;
}

/**
 * nst_suite_driver() - which drivers of this kernel do a suite
 * @id: 1..NST_WIRE_SUITE_MAX
 * @aead: receives the AEAD's driver name
 * @hmac: receives the HMAC's driver name
 * @size: bytes of each of the two
 *
 * Looks for them anew also if the suite was missing a moment ago.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno.
 */
int nst_suite_driver(u8 id, char *aead, char *hmac, size_t size)
{
	const struct nst_suite *suite = nst_suite(id);
	struct crypto_shash *shash;

	if (!suite)
		return -ENOPKG;
	shash = crypto_alloc_shash(suite->hmac, 0, 0);
	if (IS_ERR(shash))
		return nst_suite_remember(id, nst_suite_missing(PTR_ERR(shash)));
	strscpy(hmac, crypto_tfm_alg_driver_name(crypto_shash_tfm(shash)), size);
	crypto_free_shash(shash);
	return nst_suite_remember(id, suite->untested ?
			parts_driver(suite, hmac, aead, size) :
			whole_driver(id, aead, size));
}

static int have(u8 id)
{
	struct nst_cipher cipher = {};
	struct crypto_shash *hmac;
	int err = nst_cipher_init_atomic(&cipher, id);

	if (err)
		return err;
	nst_cipher_free(&cipher);
	hmac = crypto_alloc_shash(nst_suite(id)->hmac, 0, 0);
	if (IS_ERR(hmac))
		return nst_suite_missing(PTR_ERR(hmac));
	crypto_free_shash(hmac);
	return 0;
}

/**
 * nst_suite_datagrams() - can this kernel open datagrams of a suite?
 * @id: 1..NST_WIRE_SUITE_MAX, of which nst_suite_driver() knows drivers
 *
 * That takes a driver that works in softirqs, which may be another one than streams
 * have. As nst_suite_driver() it looks anew.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if it cannot; another errno.
 */
int nst_suite_datagrams(u8 id)
{
	/* To make the whole would leave a trace, and its parts need no SIMD. */
	return nst_suite(id)->untested ? 0 : look_for(&at_hand, id, have);
}

static int has_all(u8 id)
{
	char aead[CRYPTO_MAX_ALG_NAME], hmac[CRYPTO_MAX_ALG_NAME];
	const struct nst_suite *suite = nst_suite(id);

	if (crypto_has_alg(suite->aead, CRYPTO_ALG_TYPE_AEAD,
			   CRYPTO_ALG_TYPE_MASK) &&
	    crypto_has_alg(suite->hmac, CRYPTO_ALG_TYPE_SHASH,
			   CRYPTO_ALG_TYPE_MASK))
		return 0;
	return nst_suite_driver(id, aead, hmac, sizeof(aead));
}

/**
 * nst_suite_check() - can this kernel do a suite?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * Makes no transforms if all that it takes is there.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if it cannot; another errno.
 */
int nst_suite_check(u8 id)
{
	if (!nst_suite(id) || nst_suite_known_missing(id))
		return -ENOPKG;
	return look_for(&found, id, has_all);
}

static void look(struct work_struct *work)
{
	u8 id;

	for (id = 1; id <= NST_WIRE_SUITE_MAX; id++) {
		if (!test_and_clear_bit(id, &asked))
			continue;
		nst_suite_check(id);
		set_bit(id, &looked);
	}
}

static DECLARE_WORK(look_work, look);

/**
 * nst_suite_ask() - is a suite there? For who must not wait until that is known
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * To look for it may run modprobe, which may take as long as it likes. Others do that.
 *
 * Context: any.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; -EAGAIN: ask again.
 */
int nst_suite_ask(u8 id)
{
	if (test_bit(id, &found))
		return 0;
	if (nst_suite_known_missing(id))
		return -ENOPKG;
	set_bit(id, &asked);
	queue_work(system_unbound_wq, &look_work);
	return -EAGAIN;
}

/**
 * nst_suite_ask_all() - have all suites looked for that never were
 *
 * For who will meet any of them, and will not want to wait then.
 *
 * Context: any.
 */
void nst_suite_ask_all(void)
{
	u8 id;

	for (id = 1; id <= NST_WIRE_SUITE_MAX; id++)
		if (!test_bit(id, &looked))
			nst_suite_ask(id);
}

/**
 * nst_suite_exit() - nobody asks any more
 *
 * Context: process, at module exit.
 */
void nst_suite_exit(void)
{
	unregister_module_notifier(&module_nb);
	cancel_work_sync(&look_work);
}

/**
 * nst_suite_at_hand() - may a suite be used without a long wait?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * For who serves many. One that was missing is looked for seldom: each look runs
 * modprobe, and whoever sends a datagram can name any suite.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite, or could not lately;
 * another errno.
 */
int nst_suite_at_hand(u8 id)
{
	u64 now = ktime_get_boottime_ns();
	int err;

	if (test_bit(id, &at_hand))
		return 0;
	if (now < READ_ONCE(look_at[id]))
		return -ENOPKG;
	err = look_for(&at_hand, id, have);
	if (err == -ENOPKG)
		WRITE_ONCE(look_at[id], now + NST_SUITE_LOOK * NSEC_PER_SEC);
	return err;
}

/**
 * nst_suite_have() - have the algorithms of a suite at hand from now on
 * @id: 1..NST_WIRE_SUITE_MAX; 0: of all that this kernel can do
 *
 * The first transform that softirqs can use takes a tenth of a second: the kernel
 * puts its algorithm together and tests it.
 *
 * Context: process, may load modules.
 */
void nst_suite_have(u8 id)
{
	if (!id)
		for (id = 1; id <= NST_WIRE_SUITE_MAX; id++)
			nst_suite_at_hand(id);
	else if (!test_bit(id, &at_hand))
		look_for(&at_hand, id, have);
}
