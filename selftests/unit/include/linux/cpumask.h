/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: there is one CPU. */
#ifndef _SHIM_LINUX_CPUMASK_H
#define _SHIM_LINUX_CPUMASK_H

#define nr_cpu_ids			1U
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define for_each_online_cpu(cpu)	for_each_possible_cpu(cpu)

#endif /* _SHIM_LINUX_CPUMASK_H */
