// SPDX-License-Identifier: GPL-2.0
/* The first messages: who is there. */
#include <stdio.h>
#include <string.h>
#include "frame.h"
#include "hello.h"
#include "machine.h"
#include "object.h"
#include "test.h"
#include "trouble.h"

#define HELLO_MS	10000

/* The same for all that one kernel runs. */
static void read_boot(char boot[64])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	boot[0] = '\0';
	if (!f)
		return;
	if (!fgets(boot, 64, f))
		boot[0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	fclose(f);
}

static struct json_object *make_hello(int fd)
{
	struct json_object *json = json_object_new_object();
	char boot[64];

	read_boot(boot);
	object_add_text(json, "boot", boot);
	json_object_object_add(json, "machine", machine_to_json(fd));
	return json;
}

int hello_as_server(int fd)
{
	if (frame_expect(fd, FRAME_HELLO, NULL, HELLO_MS)) {
		frame_refuse(fd);
		return -1;
	}
	return frame_send(fd, FRAME_HELLO, make_hello(fd));
}

struct json_object *hello_as_client(int fd, bool *same)
{
	struct json_object *json, *theirs, *machine = NULL;
	char boot[64];

	if (frame_send(fd, FRAME_HELLO, make_hello(fd)) ||
	    frame_expect(fd, FRAME_HELLO, &json, HELLO_MS))
		return NULL;
	read_boot(boot);
	*same = boot[0] && !strcmp(boot, object_text(json, "boot"));
	theirs = object_object(json, "machine");
	if (theirs)
		machine = machine_from_peer(theirs);
	else
		trouble("the other end does not say who it is");
	json_object_put(json);
	return machine;
}
