/*
 * Stands in for libFuzzer in an ordinary build: feeds a fuzz target every file of a folder, whole
 * and cut off at every length. Usage: fuzz_NAME FOLDER. Fails if the folder holds no file.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

enum { MAX_BYTES = 1 << 16, MAX_PATH = 4096 };

/* A heap block of exactly the input's size, so that the sanitizers see one byte read too many. */
static void feed(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static int replay(const char *folder, const char *name)
{
    static uint8_t bytes[MAX_BYTES];
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t n = 0; n <= len; n++)
        feed(bytes, n);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER (one that can be read)\n", argv[0]);
        return 2;
    }
    int files = 0;
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        failed |= replay(argv[1], entry->d_name);
        files++;
    }
    closedir(folder);
    printf("%d files\n", files);
    return failed || files == 0;
}
