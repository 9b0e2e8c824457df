#include <voxgram/base/time.h>
