/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: per-CPU data of one CPU. */
#ifndef _SHIM_LINUX_PERCPU_H
#define _SHIM_LINUX_PERCPU_H

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#define DEFINE_PER_CPU(type, name)	typeof(type) name
#define DECLARE_PER_CPU(type, name)	extern typeof(type) name

#define alloc_percpu(type)	((type *)kzalloc(sizeof(type), GFP_KERNEL))
#define alloc_percpu_gfp(type, gfp) ((type *)kzalloc(sizeof(type), gfp))
#define free_percpu(p)		kfree(p)

#define smp_processor_id()	0
#define raw_smp_processor_id()	0
#define get_cpu()		({ shim_spin_depth++; 0; })
#define put_cpu()		((void)shim_spin_depth--)
#define per_cpu_ptr(p, cpu)	((void)(cpu), (p))
#define per_cpu(v, cpu)		(*per_cpu_ptr(&(v), cpu))
#define this_cpu_ptr(p)		(p)
#define raw_cpu_ptr(p)		(p)
#define get_cpu_ptr(p)		({ shim_spin_depth++; (p); })
#define put_cpu_ptr(p)		((void)shim_spin_depth--)
#define this_cpu_read(v)	(v)
#define this_cpu_write(v, x)	((void)((v) = (x)))
#define this_cpu_add(v, x)	((void)((v) += (x)))
#define this_cpu_inc(v)		this_cpu_add(v, 1)
#define this_cpu_dec(v)		this_cpu_add(v, -1)
#define this_cpu_xchg(v, x)	xchg(&(v), x)
#define this_cpu_cmpxchg(v, o, n) cmpxchg(&(v), o, n)

#endif /* _SHIM_LINUX_PERCPU_H */
