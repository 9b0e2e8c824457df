/* A temporary folder for a test's files, and running a program in it. */
#ifndef VOX_TEST_FOLDER_H
#define VOX_TEST_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder_path[64];

static inline int folder_setup(void **state)
{
    (void)state;
    snprintf(folder_path, sizeof folder_path, "/tmp/voxgram-test-XXXXXX");
    return mkdtemp(folder_path) ? 0 : -1;
}

/* Path of a file in the folder; valid until four calls later. */
static inline const char *folder_file(const char *name)
{
    static char paths[4][160];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder_path, name);
    return path;
}

/* Exit status of a shell command run inside the folder; 127 if a program is missing. */
static inline int folder_run(const char *command)
{
    char line[1024];
    snprintf(line, sizeof line, "cd '%s' && { %s; }", folder_path, command);
    int status = system(line);
    return status < 0 ? -1 : status >> 8 & 0xff;
}

static inline int folder_teardown(void **state)
{
    (void)state;
    char line[128];
    snprintf(line, sizeof line, "rm -rf '%s'", folder_path);
    return system(line);
}

/* The same, where nothing may have been left in it. */
static inline int folder_teardown_empty(void **state)
{
    (void)state;
    return rmdir(folder_path);
}

#endif
