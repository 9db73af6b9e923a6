// SPDX-License-Identifier: GPL-2.0
/* The knobs of the tests, the clocks, the random numbers, RCU. */
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>

#define SECRETS_MAX	16
#define SECRET_PIECE	16
#define INJECT_MAX	256

long shim_live_allocs;
long shim_live_tfms;
int shim_spin_depth;
unsigned long shim_spin_times;
int shim_mutex_depth;
int shim_rcu_depth;
u64 shim_real_ns;
u64 shim_boot_ns;
struct user_namespace *shim_user_ns = &init_user_ns;
u32 shim_euid = 1000;
const char *shim_crypto_missing;
bool shim_crypto_no_sync;
int shim_crypto_key_err;
bool shim_crypto_async;
bool shim_crypto_copy_aad;
unsigned long shim_crypto_ops;

static unsigned int fail_countdown;
static bool fail_hit;
static unsigned int bugs;
static struct rcu_head *rcu_todo;
static struct notifier_block *vmfork_nb;
static bool fork_behind;
static u64 random_state;

static struct {
	u8 bytes[INJECT_MAX];
	size_t at, len;
} inject;

static struct {
	const void *mem;
	size_t len;
} secrets[SECRETS_MAX];

static unsigned int nr_secrets;
static unsigned int resets;

void shim_reset(void)
{
	shim_spin_depth = 0;
	shim_mutex_depth = 0;
	shim_rcu_depth = 0;
	shim_real_ns = 1700000000ULL * NSEC_PER_SEC;
	/* What was remembered for a while in a test is forgotten in the next. */
	shim_boot_ns = (100000ULL + 1000 * resets++) * NSEC_PER_SEC;
	shim_user_ns = &init_user_ns;
	shim_euid = 1000;
	shim_work_cancelled = NULL;
	shim_crypto_missing = NULL;
	shim_crypto_no_sync = false;
	shim_crypto_key_err = 0;
	shim_crypto_async = false;
	shim_crypto_copy_aad = false;
	fail_countdown = 0;
	fail_hit = false;
	bugs = 0;
	random_state = 0x123456789abcdefULL;
	inject.at = 0;
	inject.len = 0;
	nr_secrets = 0;
}

void shim_bug(const char *file, int line, const char *what)
{
	bugs++;
	printf("# BUG at %s:%d: %s\n", file, line, what);
}

unsigned int shim_bugs(void)
{
	return bugs;
}

void shim_might_sleep(const char *file, int line)
{
	if (shim_spin_depth || shim_rcu_depth)
		shim_bug(file, line, "sleeps in atomic context");
}

void shim_fail_at(unsigned int n)
{
	fail_countdown = n;
	fail_hit = false;
}

bool shim_fail_hit(void)
{
	fail_countdown = 0;
	return fail_hit;
}

bool shim_should_fail(void)
{
	if (!fail_countdown || --fail_countdown)
		return false;
	fail_hit = true;
	return true;
}

/* Key material */

void shim_secret_add(const void *secret, size_t len)
{
	if (nr_secrets == SECRETS_MAX || len < SECRET_PIECE) {
		shim_bug(__FILE__, __LINE__, "cannot watch this secret");
		return;
	}
	secrets[nr_secrets].mem = secret;
	secrets[nr_secrets++].len = len;
}

void shim_secret_check(const void *mem, size_t len)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < nr_secrets; i++)
		for (at = 0; at + SECRET_PIECE <= secrets[i].len;
		     at += SECRET_PIECE)
			if (memmem(mem, len, (u8 *)secrets[i].mem + at,
				   SECRET_PIECE))
				shim_bug(__FILE__, __LINE__,
					 "key material in freed memory");
}

/* Random numbers */

void shim_random_inject(const void *bytes, size_t len)
{
	if (inject.at == inject.len) {
		inject.at = 0;
		inject.len = 0;
	}
	if (inject.len + len > INJECT_MAX) {
		shim_bug(__FILE__, __LINE__, "too many random bytes chosen");
		return;
	}
	memcpy(inject.bytes + inject.len, bytes, len);
	inject.len += len;
}

size_t shim_random_left(void)
{
	return inject.len - inject.at;
}

void get_random_bytes(void *buf, size_t len)
{
	u8 *p = buf;

	while (len--) {
		if (inject.at < inject.len) {
			*p++ = inject.bytes[inject.at++];
			continue;
		}
		random_state = random_state * 6364136223846793005ULL +
			       1442695040888963407ULL;
		*p++ = random_state >> 56;
	}
	if (fork_behind) {
		fork_behind = false;
		shim_vmfork();
	}
}

void shim_vmfork_behind_random(void)
{
	fork_behind = true;
}

int get_random_bytes_wait(void *buf, size_t len)
{
	get_random_bytes(buf, len);
	return 0;
}

u64 get_random_u64(void)
{
	u64 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

u32 get_random_u32(void)
{
	u32 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

u16 get_random_u16(void)
{
	u16 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

u8 get_random_u8(void)
{
	u8 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

u32 get_random_u32_below(u32 ceil)
{
	return get_random_u32() % ceil;
}

int register_random_vmfork_notifier(struct notifier_block *nb)
{
	WARN_ON(vmfork_nb);
	vmfork_nb = nb;
	return 0;
}

int unregister_random_vmfork_notifier(struct notifier_block *nb)
{
	WARN_ON(vmfork_nb != nb);
	vmfork_nb = NULL;
	return 0;
}

void shim_vmfork(void)
{
	if (vmfork_nb)
		vmfork_nb->notifier_call(vmfork_nb, 0, NULL);
}

/* RCU */

void shim_rcu_run(void)
{
	while (rcu_todo) {
		struct rcu_head *head = rcu_todo;

		rcu_todo = head->next;
		/* A small number is the place of the head in what to free. */
		if ((unsigned long)head->func < 4096)
			kfree((char *)head - (unsigned long)head->func);
		else
			head->func(head);
	}
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = rcu_todo;
	rcu_todo = head;
	if (!shim_rcu_depth)
		shim_rcu_run();
}

void shim_kfree_rcu(struct rcu_head *head, size_t offset)
{
	call_rcu(head, (void (*)(struct rcu_head *))offset);
}
