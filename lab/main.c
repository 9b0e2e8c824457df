/* voxgram-lab: see lab/cli.c for its commands. */
#include "lab/cli.h"

#include "cli/message.h"

#include <locale.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    vox_message_init("voxgram-lab", stderr);
    return vox_lab_main(argc, argv);
}
