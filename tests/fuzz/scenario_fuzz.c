#include "cli/message.h"
#include "fuzz.h"
#include "lab/scenario.h"
#include "lab/setting.h"

/* What parses keeps the promises of the header, and all of it can be printed. */
static void check_lists(struct vox_scenario *s)
{
    FUZZ_CHECK(s->row_count > 0 && s->row_count <= VOX_SCENARIO_MAX_ROWS);
    FUZZ_CHECK(s->row_count == (int64_t)(s->file_count * s->encoder_count * s->network_count *
                                         s->receiver_count * s->seed_count));
    for (size_t i = 0; i < s->file_count; i++)
        FUZZ_CHECK(vox_setting_is_plain(s->files[i].path) && s->files[i].name);
    for (size_t i = 0; i < s->encoder_count; i++)
        FUZZ_CHECK(s->encoders[i].options.frame_ticks > 0 && s->encoders[i].name);
    for (size_t i = 0; i < s->receiver_count; i++)
        FUZZ_CHECK(s->receivers[i].options.min_delay_ns <= s->receivers[i].options.max_delay_ns);
}

static void check_printing(struct vox_scenario *s)
{
    struct vox_option rows[VOX_SCENARIO_ROWS];
    char key[VOX_SETTING_KEY_BYTES];
    char text[64];
    for (size_t i = 0; i < s->network_count; i++) {
        size_t count = vox_scenario_network_rows(&s->networks[i], rows);
        for (size_t k = 0; k < count; k++) {
            vox_setting_key(&rows[k], key);
            vox_setting_print(&rows[k], text, sizeof text);
            FUZZ_CHECK(key[0] && strlen(text) < sizeof text);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vox_scenario s = {0};
    char why[VOX_SCENARIO_WHY_BYTES] = "";
    vox_message_set_level(VOX_MESSAGE_QUIET);
    if (vox_scenario_parse((const char *)data, size, &s, why) < 0) {
        FUZZ_CHECK(!s.files && why[0] != '\0' && strlen(why) < sizeof why);
        return 0;
    }
    check_lists(&s);
    check_printing(&s);
    struct vox_scenario_place last = vox_scenario_place(&s, s.row_count - 1);
    FUZZ_CHECK(last.file == s.file_count - 1 && last.seed == s.seed_count - 1);
    vox_scenario_clear(&s);
    return 0;
}
