#include <voxgram/base/err.h>
