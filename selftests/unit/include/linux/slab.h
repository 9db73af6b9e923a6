/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: counted allocations that can be made to fail. */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <linux/kernel.h>
#include <linux/overflow.h>

#define GFP_KERNEL		1U
#define GFP_ATOMIC		2U
#define __GFP_ZERO		0x100U
#define __GFP_NOWARN		0x200U
#define __GFP_NORETRY		0x400U
#define __GFP_ACCOUNT		0x800U
#define GFP_KERNEL_ACCOUNT	GFP_KERNEL
#define GFP_NOWAIT		GFP_ATOMIC
#define GFP_USER		GFP_KERNEL
#define gfpflags_allow_blocking(gfp)	((gfp) & GFP_KERNEL)

void *shim_alloc(size_t size, gfp_t gfp, const char *file, int line);
void kfree(const void *p);
void kfree_sensitive(const void *p);
size_t ksize(const void *p);

#define kmalloc(size, gfp)	shim_alloc(size, gfp, __FILE__, __LINE__)
#define kzalloc(size, gfp)	kmalloc(size, (gfp) | __GFP_ZERO)
#define kmalloc_array(n, size, gfp) kmalloc(array_size(n, size), gfp)
#define kcalloc(n, size, gfp)	kzalloc(array_size(n, size), gfp)
#define kvmalloc(size, gfp)	kmalloc(size, gfp)
#define kvzalloc(size, gfp)	kzalloc(size, gfp)
#define kvmalloc_array(n, s, gfp) kmalloc_array(n, s, gfp)
#define kvcalloc(n, s, gfp)	kcalloc(n, s, gfp)
#define kvfree(p)		kfree(p)
#define kvfree_sensitive(p, n)	kfree_sensitive(p)
#define kmalloc_node(size, gfp, node) kmalloc(size, gfp)
#define kzalloc_node(size, gfp, node) kzalloc(size, gfp)

#define kmemdup(src, size, gfp)						\
	({								\
		size_t __size = (size);					\
		void *__dup = kmalloc(__size, gfp);			\
		if (__dup)						\
			__builtin_memcpy(__dup, src, __size);		\
		__dup;							\
	})

struct kmem_cache {
	size_t size;
};

struct kmem_cache *shim_cache_create(size_t size);
void kmem_cache_destroy(struct kmem_cache *cache);
#define kmem_cache_create(name, size, align, flags, ctor) \
	shim_cache_create(size)
#define KMEM_CACHE(type, flags)	shim_cache_create(sizeof(struct type))
#define kmem_cache_alloc(c, gfp)	kmalloc((c)->size, gfp)
#define kmem_cache_zalloc(c, gfp)	kzalloc((c)->size, gfp)
#define kmem_cache_free(c, p)		kfree(p)

#endif /* _SHIM_LINUX_SLAB_H */
