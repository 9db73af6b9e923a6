/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: small helpers of the kernel's C. */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H

#include <stdio.h>
#include <stdlib.h>
#include <linux/types.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/bitops.h>
#include <shim/env.h>

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#define ULONG_MAX	(~0UL)
#define S64_MAX		((s64)(U64_MAX >> 1))

#define cpu_to_be16(x)	__builtin_bswap16(x)
#define cpu_to_be32(x)	__builtin_bswap32(x)
#define cpu_to_be64(x)	__builtin_bswap64(x)
#define be16_to_cpu(x)	__builtin_bswap16(x)
#define be32_to_cpu(x)	__builtin_bswap32(x)
#define be64_to_cpu(x)	__builtin_bswap64(x)

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define barrier()	__asm__ __volatile__("" : : : "memory")

#define READ_ONCE(x)	(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	smp_mb()
#define smp_wmb()	smp_mb()
#define cmpxchg(p, old, new)						\
	({								\
		typeof(*(p)) __old = (old);				\
		__atomic_compare_exchange_n(p, &__old, new, 0,		\
					    __ATOMIC_SEQ_CST,		\
					    __ATOMIC_SEQ_CST);		\
		__old;							\
	})
#define xchg(p, new)	__atomic_exchange_n(p, new, __ATOMIC_SEQ_CST)

#define container_of(ptr, type, member)					\
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b)							\
	({								\
		typeof(a) __a = (a);					\
		typeof(b) __b = (b);					\
		__a < __b ? __a : __b;					\
	})
#define max(a, b)							\
	({								\
		typeof(a) __a = (a);					\
		typeof(b) __b = (b);					\
		__a > __b ? __a : __b;					\
	})
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define swap(a, b)							\
	do {								\
		typeof(a) __tmp = (a);					\
		(a) = (b);						\
		(b) = __tmp;						\
	} while (0)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ALIGN(x, a)		(((x) + (typeof(x))(a) - 1) & ~((typeof(x))(a) - 1))
#define round_up(x, a)		ALIGN(x, a)
#define round_down(x, a)	((x) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define IS_ENABLED(x)		0

#undef static_assert
#define static_assert(e, ...)	_Static_assert(e, #e)
#define BUILD_BUG_ON(e)		_Static_assert(!(e), #e)

/* A warning of the code under test fails the test that provoked it. */
#define WARN_ON(c)							\
	({								\
		bool __c = !!(c);					\
		if (__c)						\
			shim_bug(__FILE__, __LINE__, #c);		\
		__c;							\
	})
#define WARN_ON_ONCE(c)		WARN_ON(c)
#define WARN(c, ...)		WARN_ON(c)
#define WARN_ONCE(c, ...)	WARN_ON(c)
#define DEBUG_NET_WARN_ON_ONCE(c) WARN_ON(c)
#define BUG_ON(c)		((void)WARN_ON(c))
#define might_sleep()		shim_might_sleep(__FILE__, __LINE__)

#define pr_err(...)		((void)0)
#define pr_warn(...)		((void)0)
#define pr_info(...)		((void)0)
#define pr_debug(...)		((void)0)
#define pr_warn_ratelimited(...) ((void)0)
#define pr_err_ratelimited(...)	((void)0)

#define cond_resched()		((void)0)

#endif /* _SHIM_LINUX_KERNEL_H */
