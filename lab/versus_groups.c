#include "lab/versus_groups.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the number that begins there; 0: none does. */
static size_t number_len(const char *at)
{
    size_t len = 0;
    while (isdigit((unsigned char)at[len]))
        len++;
    if (len > 0 && at[len] == '.' && isdigit((unsigned char)at[len + 1]))
        len += 1 + number_len(at + len + 1);
    return len;
}

static bool differ_in_figures_only(const char *a, const char *b)
{
    while (*a && *b) {
        size_t a_len = number_len(a), b_len = number_len(b);
        if ((a_len == 0) != (b_len == 0) || (a_len == 0 && *a != *b))
            return false;
        a += a_len > 0 ? a_len : 1;
        b += b_len > 0 ? b_len : 1;
    }
    return *a == *b;
}

__attribute__((format(printf, 2, 3))) static void add(char *out, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, VOX_VERSUS_GROUP_BYTES - used, format, arguments);
    va_end(arguments);
}

/* "100, 200 or 400" */
static void add_budgets(char *out, const struct vox_versus_verdict *verdicts, int count)
{
    for (int i = 0; i < count; i++)
        add(out, "%s%g", i == 0 ? "" : i == count - 1 ? " or " : ", ", verdicts[i].budget_ms);
}

/* "0.2 to 0.8", as they are written. */
static void add_range(char *out, const char *const *at, int count)
{
    int least = 0, most = 0;
    for (int i = 1; i < count; i++) {
        least = strtod(at[i], NULL) < strtod(at[least], NULL) ? i : least;
        most = strtod(at[i], NULL) > strtod(at[most], NULL) ? i : most;
    }
    add(out, "%.*s", (int)number_len(at[least]), at[least]);
    if (strtod(at[least], NULL) < strtod(at[most], NULL))
        add(out, " to %.*s", (int)number_len(at[most]), at[most]);
}

/* All go along together: where one has a number, all have. The first is the budget. */
static void tell(const struct vox_versus_verdict *verdicts, int count, char *out)
{
    const char *at[VOX_VERSUS_MAX_BUDGETS];
    bool is_budget = true;
    for (int i = 0; i < count; i++)
        at[i] = verdicts[i].text;
    while (*at[0]) {
        bool is_number = number_len(at[0]) > 0;
        if (!is_number)
            add(out, "%c", *at[0]);
        else if (is_budget)
            add_budgets(out, verdicts, count);
        else
            add_range(out, at, count);
        is_budget = is_budget && !is_number;
        for (int i = 0; i < count; i++)
            at[i] += is_number ? number_len(at[i]) : 1;
    }
}

int vox_versus_group(const struct vox_versus_verdict *verdicts, int count,
                     struct vox_versus_group out[VOX_VERSUS_MAX_BUDGETS])
{
    int groups = 0;
    for (int first = 0, next; first < count; first = next) {
        next = first + 1;
        while (next < count && differ_in_figures_only(verdicts[first].text, verdicts[next].text))
            next++;
        out[groups] = (struct vox_versus_group){.first = first, .last = next - 1};
        if (next - first == 1)
            add(out[groups].text, "%s", verdicts[first].text);
        else
            tell(&verdicts[first], next - first, out[groups].text);
        groups++;
    }
    return groups;
}
