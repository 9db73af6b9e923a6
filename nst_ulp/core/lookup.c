// SPDX-License-Identifier: GPL-2.0
/*
 * Looking for the suites of core/suite.c, and for who does them. That may run
 * modprobe, so what is known decides who has to wait for it.
 */
#include <crypto/aead.h>
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nst.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include "core/cipher.h"
#include "core/lookup.h"
#include "core/suite.h"
#include "limits.h"

/*
 * The suites that somebody has asked for since they were looked for last, by what
 * for, and those that ever were. Bits are set and taken one by one, by anyone, without
 * a lock: who sets one in @asked queues the work behind it, which takes it before it
 * looks.
 */
static unsigned long asked[NST_SUITE_USES], looked;

/*
 * When (ns since boot) to look again for what is not at hand; 0: nobody has looked in
 * vain. Anyone writes.
 */
static u64 look_at[NST_WIRE_SUITE_MAX + 1];

/* How often to look again if modules came or went meanwhile: looking loads some. */
#define LOOKS	4

/* Look for a suite with @see, which may load modules, and note it for @use if it is there. */
static int look_for(enum nst_suite_use use, u8 id, int (*see)(u8 id))
{
	unsigned int seen, nr = 0;
	int err;

	do {
		seen = nst_suite_changes();
		err = see(id);
	} while (!err && !nst_suite_note(use, id, seen) && ++nr < LOOKS);
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
 * @anew: look for them also if the suite was missing a moment ago, which runs modprobe
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno.
 */
int nst_suite_driver(u8 id, char *aead, char *hmac, size_t size, bool anew)
{
	const struct nst_suite *suite = nst_suite(id);
	struct crypto_shash *shash;

	if (!suite || (!anew && nst_suite_known_missing(id)))
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
	WRITE_ONCE(look_at[id], 0);
	return 0;
}

/* Look for it now, and note how that has ended. */
static int look_for_datagrams(u8 id)
{
	int err = look_for(NST_SUITE_DATAGRAMS, id, have);
	u64 wait = err == -ENOPKG ? NST_SUITE_LOOK : NST_SUITE_RETRY;

	/* Killed, or another has found it: that says nothing of the suite. */
	if (err && err != -EINTR && !nst_suite_known(NST_SUITE_DATAGRAMS, id))
		WRITE_ONCE(look_at[id],
			   ktime_get_boottime_ns() + wait * NSEC_PER_SEC);
	return err;
}

/**
 * nst_suite_at_hand() - have a suite at hand, if it was not missing lately
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * One that was missing is looked for seldom: each look runs modprobe.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite, or could not lately;
 * another errno.
 */
int nst_suite_at_hand(u8 id)
{
	if (nst_suite_known(NST_SUITE_DATAGRAMS, id))
		return 0;
	if (ktime_get_boottime_ns() < READ_ONCE(look_at[id]))
		return -ENOPKG;
	return look_for_datagrams(id);
}

/**
 * nst_suite_datagrams() - can this kernel open datagrams of a suite?
 * @id: 1..NST_WIRE_SUITE_MAX, of which nst_suite_driver() knows drivers
 * @anew: look for it also if it was missing a moment ago
 *
 * That takes a driver that works in softirqs, which may be another one than streams
 * have.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if it cannot; another errno.
 */
int nst_suite_datagrams(u8 id, bool anew)
{
	/* To make the whole would leave a trace, and its parts need no SIMD. */
	if (nst_suite(id)->untested)
		return 0;
	return anew ? look_for_datagrams(id) : nst_suite_at_hand(id);
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
	return nst_suite_driver(id, aead, hmac, sizeof(aead), true);
}

/**
 * nst_suite_check() - can this kernel do a suite?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * Makes no transforms if all that it takes is there, and does not look again as long
 * as no module has come or gone.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if it cannot; another errno.
 */
int nst_suite_check(u8 id)
{
	if (!nst_suite(id) || nst_suite_known_missing(id))
		return -ENOPKG;
	if (nst_suite_known(NST_SUITE_STREAMS, id))
		return 0;
	return look_for(NST_SUITE_STREAMS, id, has_all);
}

static void look(struct work_struct *work);

/* One for each suite: modprobe may hold one up, and then the others go on. */
#define LOOK(id)	[id] = __WORK_INITIALIZER(look_work[id], look)
static struct work_struct look_work[] = {
	LOOK(NST_CIPHER_AES_GCM), LOOK(NST_CIPHER_AES_CBC),
	LOOK(NST_CIPHER_SM4_GCM), LOOK(NST_CIPHER_SM4_CBC),
	LOOK(NST_CIPHER_AES_256_GCM), LOOK(NST_CIPHER_AES_256_CBC),
	LOOK(NST_CIPHER_CHACHA20_POLY1305),
};

static_assert(ARRAY_SIZE(look_work) == NST_WIRE_SUITE_MAX + 1);

static void look(struct work_struct *work)
{
	u8 id = work - look_work;

	if (test_and_clear_bit(id, &asked[NST_SUITE_STREAMS])) {
		nst_suite_check(id);
		set_bit(id, &looked);
	}
	if (test_and_clear_bit(id, &asked[NST_SUITE_DATAGRAMS]))
		nst_suite_at_hand(id);
}

static void ask(enum nst_suite_use use, u8 id)
{
	set_bit(id, &asked[use]);
	queue_work(system_unbound_wq, &look_work[id]);
}

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
	if (nst_suite_known(NST_SUITE_STREAMS, id))
		return 0;
	if (nst_suite_known_missing(id))
		return -ENOPKG;
	ask(NST_SUITE_STREAMS, id);
	return -EAGAIN;
}

/**
 * nst_suite_ask_datagrams() - may a suite be used without a long wait?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * For the one worker that serves all, when whoever sends a datagram can name any
 * suite: it never looks for one itself. What was missing is missing until another
 * has found it. What was there, before a module has come or gone, most likely still
 * is: to see that again takes a moment, which a datagram can wait; but if it is not,
 * it takes a modprobe.
 *
 * Context: any.
 * Return: 0; -ENOPKG if this kernel cannot do the suite, or could not lately;
 * -EAGAIN: ask again.
 */
int nst_suite_ask_datagrams(u8 id)
{
	u64 at = READ_ONCE(look_at[id]);

	if (nst_suite_known(NST_SUITE_DATAGRAMS, id))
		return 0;
	if (ktime_get_boottime_ns() >= at)
		ask(NST_SUITE_DATAGRAMS, id);
	return at ? -ENOPKG : -EAGAIN;
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
 * nst_suite_ask_exit() - nobody asks any more
 *
 * Context: process, at module exit.
 */
void nst_suite_ask_exit(void)
{
	unsigned int id;

	for (id = 1; id <= NST_WIRE_SUITE_MAX; id++)
		cancel_work_sync(&look_work[id]);
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
	else if (!nst_suite_known(NST_SUITE_DATAGRAMS, id))
		look_for_datagrams(id);
}
