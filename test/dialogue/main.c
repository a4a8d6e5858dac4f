/* SPDX-License-Identifier: BSD-3-Clause */
/* dialogue [-v] [--variant NAME] FILE...: exit 0 all passed, 1 not, 2 could not run. */
#include <stdio.h>
#include <string.h>

#include "dialogue.h"

/* Both families, and sequence numbers that wrap within the first octets. */
static const struct variant variants[] = {
    {"ipv4", false, 1000000},
    {"ipv6", true, 1000000},
    {"ipv4-wrap", false, 0xffffff00u},
    {"ipv6-wrap", true, 0xffffff00u},
};

static bool run_file(const char *file, const char *only, bool verbose)
{
	bool ok = true;

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (only == NULL || strcmp(only, variants[i].name) == 0)
			ok &= dialogue_run(file, &variants[i], verbose);
	if (ok)
		printf("PASS %s\n", file);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;
	const char *only = NULL;
	bool verbose = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-v") == 0)
			verbose = true;
		else if (strcmp(argv[i], "--variant") == 0 && i + 1 < argc)
			only = argv[++i];
		else
			break;
	}
	if (i == argc || argv[i][0] == '-') {
		fprintf(stderr, "usage: dialogue [-v] [--variant ipv4|ipv6|ipv4-wrap|ipv6-wrap] "
		                "FILE...\n");
		return 2;
	}
	if (rnl_seam_eal_init(argv[0], 256) < 0) {
		fprintf(stderr, "dialogue: the EAL does not start\n");
		return 2;
	}
	for (; i < argc; i++) {
		if (run_file(argv[i], only, verbose))
			passed++;
		else
			failed++;
		fflush(stdout);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
