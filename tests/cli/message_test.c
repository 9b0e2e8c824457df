#include "cli/message.h"
#include "support/test.h"

static const char *said(char **text, FILE *stream)
{
    fflush(stream);
    return *text;
}

static void shows_what_the_level_lets_through(void **state)
{
    (void)state;
    static const struct {
        enum vox_message_level level;
        const char *expected;
    } rows[] = {
        {VOX_MESSAGE_QUIET, "prog: e 1\n"},
        {VOX_MESSAGE_NORMAL, "prog: e 1\nprog: warning: w 2\nprog: i 3\n"},
        {VOX_MESSAGE_VERBOSE, "prog: e 1\nprog: warning: w 2\nprog: i 3\nprog: d 4\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = NULL;
        size_t len = 0;
        FILE *stream = open_memstream(&text, &len);
        vox_message_init("prog", stream);
        vox_message_set_level(rows[i].level);
        vox_message_error("e %d", 1);
        vox_message_warn("w %d", 2);
        vox_message_info("i %d", 3);
        vox_message_detail("d %d", 4);
        assert_string_equal(said(&text, stream), rows[i].expected);
        vox_message_init(NULL, NULL);
        fclose(stream);
        free(text);
    }
}

static void disarms_text_from_outside(void **state)
{
    (void)state;
    char *text = NULL, many[5000];
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    vox_message_init("p", stream);
    vox_message_info("name %s", "\033[2J\nfake\x7f \xc3\xa9 \xc2\x9bJ\xc2\xa9\xc2");
    assert_string_equal(said(&text, stream), "p: name ?[2J?fake? \xc3\xa9 ??J\xc2\xa9\xc2\n");
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    vox_message_info("%s", many);
    assert_true(strlen(said(&text, stream)) < 1100);
    vox_message_init(NULL, NULL);
    fclose(stream);
    free(text);
}

RUN(cmocka_unit_test(shows_what_the_level_lets_through),
    cmocka_unit_test(disarms_text_from_outside))
