#include <voxgram/sender.h>
