// SPDX-License-Identifier: GPL-2.0
/* The machine of an end, and how it is set. */
#define _GNU_SOURCE
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "machine.h"
#include "object.h"

static void add_text(struct json_object *json, const char *name,
		     const char *text)
{
	if (text[0])
		object_add_text(json, name, text);
}

/* The first line of a file, or what follows @key in it; "" without one. */
static const char *line_of(const char *path, const char *key)
{
	static char line[200];
	FILE *f = fopen(path, "re");
	size_t n = key ? strlen(key) : 0;
	const char *text = "";

	if (!f)
		return text;
	while (!*text && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, key ? key : "", n))
			text = line + n + strspn(line + n, "\t :");
	}
	fclose(f);
	return text;
}

/* An IPv6 socket that speaks IPv4 has the device of that address. */
static void unmap(struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *six = (void *)addr;
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (addr->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return;
	memcpy(&four.sin_addr, &six->sin6_addr.s6_addr[12], sizeof(four.sin_addr));
	memcpy(addr, &four, sizeof(four));
}

/* The name of the device that has the address of this end. */
static int device_of(int fd, char name[IF_NAMESIZE])
{
	struct sockaddr_storage addr;
	struct sockaddr_in6 *a6 = (void *)&addr, *b6;
	struct sockaddr_in *a4 = (void *)&addr, *b4;
	socklen_t len = sizeof(addr);
	struct ifaddrs *all, *i;
	int found = 0;

	if (getsockname(fd, (void *)&addr, &len) || getifaddrs(&all))
		return 0;
	unmap(&addr);
	for (i = all; i && !found; i = i->ifa_next) {
		b4 = (void *)i->ifa_addr;
		b6 = (void *)i->ifa_addr;
		if (!b4 || b4->sin_family != addr.ss_family)
			continue;
		found = addr.ss_family == AF_INET ?
			a4->sin_addr.s_addr == b4->sin_addr.s_addr :
			!memcmp(&a6->sin6_addr, &b6->sin6_addr, 16);
		if (found)
			snprintf(name, IF_NAMESIZE, "%s", i->ifa_name);
	}
	freeifaddrs(all);
	return found;
}

static void add_offload(struct json_object *json, const char *name, int fd,
			struct ifreq *ifr, uint32_t command)
{
	struct ethtool_value value = { .cmd = command };

	ifr->ifr_data = (void *)&value;
	if (!ioctl(fd, SIOCETHTOOL, ifr))
		object_add_bool(json, name, value.data);
}

static struct json_object *device_to_json(int fd, const char *name)
{
	struct json_object *json = json_object_new_object();
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { 0 };
	char path[128];

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	add_text(json, "name", name);
	if (!ioctl(fd, SIOCGIFMTU, &ifr))
		object_add_count(json, "mtu", ifr.ifr_mtu);
	ifr.ifr_data = (void *)&driver;
	if (!ioctl(fd, SIOCETHTOOL, &ifr))
		add_text(json, "driver", driver.driver);
	snprintf(path, sizeof(path), "/sys/class/net/%s/speed", name);
	add_text(json, "speed_mbit", line_of(path, NULL));
	add_offload(json, "tso", fd, &ifr, ETHTOOL_GTSO);
	add_offload(json, "gso", fd, &ifr, ETHTOOL_GGSO);
	add_offload(json, "gro", fd, &ifr, ETHTOOL_GGRO);
	return json;
}

struct json_object *machine_to_json(int fd)
{
	static const char * const settings[][2] = {
		{ "governor",
		  "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor" },
		{ "congestion_control",
		  "/proc/sys/net/ipv4/tcp_congestion_control" },
		{ "tcp_rmem", "/proc/sys/net/ipv4/tcp_rmem" },
		{ "tcp_wmem", "/proc/sys/net/ipv4/tcp_wmem" },
		{ "nst_module", "/sys/module/nst_ulp/version" },
		{ "nst_module_source", "/sys/module/nst_ulp/srcversion" },
	};
	struct json_object *json = json_object_new_object();
	char device[IF_NAMESIZE];
	struct utsname u;
	unsigned int i;

	uname(&u);
	add_text(json, "host", u.nodename);
	add_text(json, "kernel", u.release);
	add_text(json, "architecture", u.machine);
	add_text(json, "processor", line_of("/proc/cpuinfo", "model name"));
	object_add_count(json, "processors", sysconf(_SC_NPROCESSORS_ONLN));
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		add_text(json, settings[i][0], line_of(settings[i][1], NULL));
	add_text(json, "nstperf", NST_VERSION_TEXT);
	if (fd >= 0 && device_of(fd, device))
		json_object_object_add(json, "device",
				       device_to_json(fd, device));
	return json;
}

/* Text, numbers and flags; a text too long or a number that cannot be is left out. */
static void take(struct json_object *to, struct json_object *from,
		 const char * const *names, json_type type)
{
	struct json_object *value;
	char text[200];

	for (; *names; names++) {
		if (!json_object_object_get_ex(from, *names, &value) ||
		    !json_object_is_type(value, type))
			continue;
		if (type == json_type_string) {
			snprintf(text, sizeof(text), "%s",
				 json_object_get_string(value));
			object_add_text(to, *names, text);
		} else if (type == json_type_boolean) {
			object_add_bool(to, *names, json_object_get_boolean(value));
		} else if (json_object_get_int64(value) >= 0) {
			object_add_count(to, *names, json_object_get_int64(value));
		}
	}
}

struct json_object *machine_from_peer(struct json_object *json)
{
	static const char * const texts[] = {
		"host", "kernel", "architecture", "processor", "governor",
		"congestion_control", "tcp_rmem", "tcp_wmem", "nst_module",
		"nst_module_source", "nstperf", NULL
	};
	static const char * const numbers[] = { "processors", NULL };
	static const char * const device_texts[] = {
		"name", "driver", "speed_mbit", NULL
	};
	static const char * const device_numbers[] = { "mtu", NULL };
	static const char * const flags[] = { "tso", "gso", "gro", NULL };
	struct json_object *mine = json_object_new_object(), *device;

	take(mine, json, texts, json_type_string);
	take(mine, json, numbers, json_type_int);
	json = object_object(json, "device");
	if (!json)
		return mine;
	device = json_object_new_object();
	take(device, json, device_texts, json_type_string);
	take(device, json, device_numbers, json_type_int);
	take(device, json, flags, json_type_boolean);
	json_object_object_add(mine, "device", device);
	return mine;
}
