/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/id.h"
#include "driver/driver.h"

#define MACHINE_ID_FILE "/etc/machine-id"
#define MACHINE_ID_SIZE 64

static uint64_t hash_machine_id(uint64_t seed)
{
	char text[MACHINE_ID_SIZE];
	int fd = open(MACHINE_ID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return seed; /* containers may have none: name and hardware address remain */
	size = read(fd, text, sizeof(text));
	close(fd);
	return size > 0 ? id_hash(seed, text, (size_t)size) : seed;
}

static uint64_t draw_nonce(void)
{
	uint64_t nonce = 0;

	while (nonce == 0)
		if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
			return 0;
	return nonce;
}

struct engine_identity identity_make(const char *name, const uint8_t *mac)
{
	uint64_t id = id_hash(ID_SEED, name, strlen(name));

	id = hash_machine_id(id);
	if (mac)
		id = id_hash(id, mac, MAC_SIZE);
	return (struct engine_identity){.id = id != 0 ? id : 1, .nonce = draw_nonce()};
}
