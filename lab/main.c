/* voxgram-lab: see lab/cli.c for its commands. */
#include "lab/cli.h"

#include "cli/message.h"
#include "cli/output.h"

#include <locale.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    vox_output_prepare();
    setlocale(LC_CTYPE, "");
    vox_message_init("voxgram-lab", stderr);
    return vox_output_close(vox_lab_main(argc, argv));
}
