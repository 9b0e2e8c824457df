#include <voxgram/receiver.h>
