#include "lab/versus_groups.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *number_in(const char *text)
{
    while (*text && !isdigit((unsigned char)*text))
        text++;
    return text;
}

static const char *behind_number(const char *at)
{
    while (isdigit((unsigned char)*at) || *at == '.')
        at++;
    return at;
}

/* The budget is the first number in a verdict. */
static bool differ_in_budget_only(const char *a, const char *b)
{
    const char *a_budget = number_in(a), *b_budget = number_in(b);
    return a_budget - a == b_budget - b && strncmp(a, b, (size_t)(a_budget - a)) == 0 &&
           strcmp(behind_number(a_budget), behind_number(b_budget)) == 0;
}

/* "With a budget of 100, 200 or 400 ms ..." */
static void tell(const struct vox_versus_verdict *verdicts, int count, char *out)
{
    const size_t room = VOX_VERSUS_GROUP_BYTES;
    const char *budget = number_in(verdicts[0].text);
    size_t used = (size_t)(budget - verdicts[0].text);
    if (count == 1 || !*budget) {
        snprintf(out, room, "%s", verdicts[0].text);
        return;
    }
    memcpy(out, verdicts[0].text, used);
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%g",
                                 i == 0           ? ""
                                 : i == count - 1 ? " or "
                                                  : ", ",
                                 verdicts[i].budget_ms);
    snprintf(out + used, room - used, "%s", behind_number(budget));
}

int vox_versus_group(const struct vox_versus_verdict *verdicts, int count,
                     struct vox_versus_group out[VOX_VERSUS_MAX_BUDGETS])
{
    int groups = 0;
    for (int first = 0, next; first < count; first = next) {
        next = first + 1;
        while (next < count && differ_in_budget_only(verdicts[first].text, verdicts[next].text))
            next++;
        out[groups] = (struct vox_versus_group){.first = first, .last = next - 1};
        tell(&verdicts[first], next - first, out[groups].text);
        groups++;
    }
    return groups;
}
