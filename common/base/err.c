#include "base/err.h"

const char *vox_err_text(int err)
{
    switch (err) {
#define VOX_ERR_CASE(name, value, text)                                                            \
    case value:                                                                                    \
        return text;
        VOX_ERRORS(VOX_ERR_CASE)
#undef VOX_ERR_CASE
    }
    return err >= 0 ? "success" : "unknown error";
}
