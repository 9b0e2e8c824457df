/*
 * Values out of JSON, for shell scripts.
 *
 *     jsonget FILE PATH          one document
 *     jsonget --lines FILE PATH  a document on each line; none of a line that lacks the value
 *
 * PATH is made of member names and array indexes with dots between: sources.0.packets.lost. `*`
 * stands for each member or element, `#` for their number. Prints a value per line, strings without
 * quotes. Ends with 1 if the file is not JSON, or if a single document lacks the value.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 1 << 20, NAME_BYTES = 128, MAX_DEPTH = 16 };

static void print(const json_t *value)
{
    if (json_is_string(value)) {
        puts(json_string_value(value));
        return;
    }
    json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    putchar('\n');
}

static int walk(json_t *value, const char *path, int depth);

static int walk_each(json_t *value, const char *rest, int depth)
{
    int found = 0;
    size_t index;
    const char *name;
    json_t *child;
    json_array_foreach(value, index, child) found += walk(child, rest, depth);
    json_object_foreach(value, name, child) found += walk(child, rest, depth);
    return found;
}

/* Prints what the path leads to; returns how many values that were. */
static int walk(json_t *value, const char *path, int depth)
{
    if (!value || depth > MAX_DEPTH)
        return 0;
    if (*path == '\0') {
        print(value);
        return 1;
    }
    char name[NAME_BYTES];
    size_t len = strcspn(path, ".");
    if (len >= sizeof name)
        return 0;
    memcpy(name, path, len);
    name[len] = '\0';
    const char *rest = path[len] == '.' ? path + len + 1 : path + len;
    if (strcmp(name, "*") == 0)
        return walk_each(value, rest, depth + 1);
    if (strcmp(name, "#") == 0) {
        printf("%zu\n", json_is_array(value) ? json_array_size(value) : json_object_size(value));
        return 1;
    }
    if (json_is_array(value))
        return walk(json_array_get(value, strtoul(name, NULL, 10)), rest, depth + 1);
    return walk(json_object_get(value, name), rest, depth + 1);
}

/* Returns how many values were found; -1 if it is not JSON. */
static int look(const char *text, size_t len, const char *where, const char *path)
{
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        fprintf(stderr, "jsonget: %s: not JSON: %s at byte %d\n", where, error.text,
                error.position);
        return -1;
    }
    int found = walk(root, path, 0);
    json_decref(root);
    return found;
}

static int each_line(FILE *file, const char *name, const char *path)
{
    static char line[LINE_BYTES];
    char where[256];
    int number = 0;
    while (fgets(line, sizeof line, file)) {
        snprintf(where, sizeof where, "%s, line %d", name, ++number);
        if (look(line, strlen(line), where, path) < 0)
            return 1;
    }
    return 0;
}

static int whole(FILE *file, const char *name, const char *path)
{
    static char text[LINE_BYTES];
    size_t len = fread(text, 1, sizeof text, file);
    int found = look(text, len, name, path);
    if (found == 0)
        fprintf(stderr, "jsonget: %s has no %s\n", name, path);
    return found > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int lines = argc > 1 && strcmp(argv[1], "--lines") == 0;
    if (argc != 3 + lines) {
        fputs("usage: jsonget [--lines] FILE PATH\n", stderr);
        return 2;
    }
    const char *name = argv[1 + lines];
    FILE *file = fopen(name, "r");
    if (!file) {
        perror(name);
        return 1;
    }
    const char *path = argv[2 + lines];
    int status = lines ? each_line(file, name, path) : whole(file, name, path);
    fclose(file);
    return status;
}
