/* Marks what the installed library exports; everything else is hidden. */
#ifndef VOX_BASE_API_H
#define VOX_BASE_API_H

#define VOX_API __attribute__((visibility("default")))

#endif
