/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world that the code under test sees, and the knobs of the tests on it:
 * failing allocations, clocks, random numbers, missing algorithms.
 */
#ifndef _SHIM_ENV_H
#define _SHIM_ENV_H

#include <linux/types.h>

/* Objects alive; a test that ends with another value than it began leaks. */
extern long shim_live_allocs;
extern long shim_live_tfms;

/* Locks held by the only thread there is. */
extern int shim_spin_depth;
/* How often a spinlock was taken. */
extern unsigned long shim_spin_times;
extern int shim_mutex_depth;
extern int shim_rcu_depth;

/*
 * Fail the n-th allocation from now (1 = the next), of memory, per-CPU data,
 * transforms and keys alike; 0 = none fails. shim_fail_hit tells whether one
 * did, and takes back what has not failed yet: a loop over n ends when an
 * operation got by without meeting it.
 */
void shim_fail_at(unsigned int n);
bool shim_fail_hit(void);
bool shim_should_fail(void);

/* Called by WARN_ON() and by misuse that the shim detects. */
void shim_bug(const char *file, int line, const char *what);
unsigned int shim_bugs(void);
void shim_might_sleep(const char *file, int line);

/* Bytes that plain kfree() must not find in what it frees. */
void shim_secret_add(const void *secret, size_t len);
void shim_secret_check(const void *mem, size_t len);

/* Clocks, in ns. */
extern u64 shim_real_ns;
extern u64 shim_boot_ns;

/* Who acts, and where: the user 1000 of the host. */
struct user_namespace;
extern struct user_namespace *shim_user_ns;
extern u32 shim_euid;

/* The next get_random_*() calls give these bytes, then a fixed sequence. */
void shim_random_inject(const void *bytes, size_t len);
size_t shim_random_left(void);

/* crypto_alloc_*() of a name that contains @part gives -ENOENT; NULL: none. */
extern const char *shim_crypto_missing;
/* So does one of an AEAD that is to be synchronous. */
extern bool shim_crypto_no_sync;
/* What an AEAD refuses its key with, a negative errno; 0: it takes it. */
extern int shim_crypto_key_err;
/* Answer -EINPROGRESS and do the work only when it is waited for. */
extern bool shim_crypto_async;
/* An AEAD of the kernel may copy the AAD to dst, or leave dst's alone. */
extern bool shim_crypto_copy_aad;
/* Number of AEAD operations done. */
extern unsigned long shim_crypto_ops;

/* Back to the beginning, between two tests. */
void shim_reset(void);

#endif /* _SHIM_ENV_H */
